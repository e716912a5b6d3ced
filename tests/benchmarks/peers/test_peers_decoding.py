"""What the runners of decoding share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from peers.material import flat
from peers.runners import decoding
from peers.runners.ids import END
from seq2see.nn import positions


@pytest.fixture
def material(tmp_path: Path) -> Path:
    np.savez(tmp_path / "test.npz", **flat("source", [[5, 6, END], [7, END]]))
    return tmp_path


def echo(sources: list[decoding.Ids]) -> list[list[int]]:
    return [decoding.until_end(source) for source in sources]


def test_a_window_decodes_all_sentences_in_order(material: Path) -> None:
    ready = decoding.decoding({"task": "decoding", "material": str(material)}, echo)
    assert ready.work(0) == {"amount": 2, "outputs": [[5, 6], [7]]}


def test_a_window_of_single_sentences_times_each(material: Path) -> None:
    ready = decoding.decoding({"task": "latency", "material": str(material)}, echo)
    found = ready.work(0)
    assert found["amount"] == len(found["milliseconds"]) == 2


def test_an_output_ends_before_its_end_mark() -> None:
    assert decoding.until_end([5, END, 6]) == [5]
    assert decoding.until_end([5, 6]) == [5, 6]


def test_position_codes_are_those_of_seq2see() -> None:
    ours = positions.sinusoids(torch.arange(50), 16).numpy()
    np.testing.assert_allclose(decoding.sinusoids(50, 16), ours, atol=1e-5)

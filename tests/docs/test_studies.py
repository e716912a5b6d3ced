"""The page of the studies lists them all, and its example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seq2see.study.carry_out import carry_out
from seq2see.study.catalogue import NAMES, find
from seq2see.study.publish import publish
from seq2see.study.trial import Options

PAGE = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")


def test_every_study_has_its_row() -> None:
    table = PAGE.partition("## The studies")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == NAMES


def test_the_study_of_ones_own_runs_and_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 30
    file = tmp_path / "order.py"
    file.write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    tiny = ("model.d_model=16", "model.d_ff=16", "train.steps=3", "train.precision=float32")
    small = (*tiny, "train.validations=1", "decode.beam=1", "model.encoder_layers=1")
    told: list[str] = []
    options = Options(tmp_path / "out", (*small, "model.decoder_layers=1"))
    results = carry_out(str(file), 1, options, 1, told.append)
    verdict, places = publish(find(str(file)), results, "again", tmp_path / "out")
    assert len(told) == 2
    assert verdict.answer == "undecided"
    assert "order-right.png" in places[1].read_text(encoding="utf-8")

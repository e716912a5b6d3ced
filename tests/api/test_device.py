"""The device is chosen the same way from Python and from the shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures import TINY, easy, write_tsv
from seq2see.api import training
from seq2see.api.device import device_named
from seq2see.api.model import load
from seq2see.cli import main
from seq2see.errors import ConfigError


@pytest.mark.parametrize(
    ("gpu", "rank", "device"), [(True, "", "cuda:0"), (True, "3", "cuda:3"), (False, "3", "cpu")]
)
def test_auto_is_the_gpu_of_this_process_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, rank: str, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert device_named("auto") == device


def test_a_device_that_is_there_is_itself_and_another_is_refused() -> None:
    assert device_named("cpu") == "cpu"
    with pytest.raises(ConfigError, match="'gpu' cannot be computed on") as caught:
        device_named("gpu")
    assert "auto" in caught.value.mend


class Reached(Exception):  # noqa: N818
    """Carries the device that a run was to be set up on."""


@pytest.mark.parametrize("gpu", [True, False])
def test_python_and_the_shell_choose_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gpu: bool
) -> None:
    def reached(_tree: Any, _out: Path, device: str) -> None:
        raise Reached(device)

    data = write_tsv(tmp_path / "pairs.tsv", easy())
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(training, "set_up", reached)
    monkeypatch.setattr("seq2see.recipe.run.set_up", reached)
    with pytest.raises(Reached) as from_python:
        training.train(data, *TINY, out=tmp_path / "m")
    with pytest.raises(Reached) as from_shell:
        main(["train", str(data), *TINY, "--out", str(tmp_path / "m")])
    assert str(from_python.value) == str(from_shell.value) == ("cuda:0" if gpu else "cpu")


def test_a_model_can_be_opened_on_the_device_there_is(trained: Path) -> None:
    device = load(trained, device="auto").network.output.weight.device.type
    assert device == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ConfigError, match="'gpu' cannot be computed on"):
        load(trained, device="gpu")


def test_a_wrong_device_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    data = write_tsv(tmp_path / "pairs.tsv", easy())
    with pytest.raises(ConfigError, match="'gpu' cannot be computed on"):
        training.train(data, *TINY, out=tmp_path / "m", device="gpu")
    assert not (tmp_path / "m").exists()

"""What somebody waits for is timed in processes of their own, and recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import opening
import quality
import seq2see as s2s
from fixtures import easy, write_tsv


def test_import_help_and_opening_are_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_tsv(tmp_path / "pairs.tsv", easy()[:40])
    settings = ("model.kind=rnn", "model.d_hidden=8", "train.steps=2", "train.validations=1")
    s2s.train(str(data), *settings, dev=str(data), out=str(tmp_path / "model"))
    monkeypatch.setattr(quality, "RESULTS", tmp_path)
    opening.main([str(tmp_path / "model"), "--runs", "1"])
    record = json.loads((tmp_path / "opening.json").read_text(encoding="utf-8"))["model"]
    seconds = record["seconds"]
    assert sorted(seconds) == ["help", "import", "open"]
    # Python itself has to start for help, and a bundle is opened after the same import.
    assert seconds["import"]["median"] < min(seconds["help"]["median"], seconds["open"]["median"])
    for each in seconds.values():
        assert 0 < each["fastest"] <= each["median"] <= each["slowest"]
    assert {"commit", "command", "bundle_mb", "torch"} <= set(record)
    assert capsys.readouterr().out.count(" s (") == 3


def test_a_median_is_of_all_runs() -> None:
    assert opening.told([3.0, 1.0, 2.0004]) == {"median": 2.0, "fastest": 1.0, "slowest": 3.0}

"""The curve of a score against the minutes of training: one run a budget, recorded and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import minutes
import quality


def test_each_budget_is_a_run_of_its_own_and_a_point_of_the_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def seq2see(arguments: list[str], _: Path) -> tuple[str, int]:
        """Stands in for a training of minutes: leaves behind what one does."""
        calls.append(arguments)
        if arguments[0] == "evaluate":
            budget = float(Path(arguments[1]).name.split("-")[-2])
            score = {"metric": "bleu", "value": 20 + budget, "low": 19.0, "high": 30.0}
            facts = {"data": arguments[2], "scores": [score], "unknown_share": 0.0}
            return json.dumps(facts | {"each_line": False, "blank": 0, "unfinished": 0}), 0
        out = Path(arguments[arguments.index("--out") + 1])
        out.mkdir(parents=True)
        (out / "scores.json").write_text('{"dev": [], "training": {"seconds": 1.0}}')
        return "", 300

    (tmp_path / "results").mkdir()
    monkeypatch.setattr(quality, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(quality, "seq2see", seq2see)
    monkeypatch.setattr(quality, "revision", lambda: {"commit": "abc", "dirty": False})
    asked = [str(tmp_path), "multi30k-raw", "--out", str(tmp_path / "runs"), "--budgets"]
    minutes.main([*asked, "2", "4.5"])
    trained = [call for call in calls if call[0] == "train"]
    assert [call[2] for call in trained] == ["train.minutes=2", "train.minutes=4.5"]
    assert trained[0][1] == "multi30k/train.raw.en,multi30k/train.raw.de"
    record = json.loads((tmp_path / "results" / "minutes-multi30k-raw.json").read_text())
    assert [record[key]["test"]["scores"][0]["value"] for key in record] == [22.0, 24.5]
    drawn = (tmp_path / "results" / "minutes-multi30k-raw.svg").read_text()
    assert "minutes of training" in drawn
    minutes.main([*asked, "2"])
    assert len([call for call in calls if call[0] == "train"]) == 2

"""A search made fast is held against a search of each source alone."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import quality
import sameness
import seq2see as s2s
from fixtures import easy, write_tsv
from seq2see.evaluate.metrics import Score


def test_every_way_of_every_beam_is_compared_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quality, "RESULTS", tmp_path)
    data = write_tsv(tmp_path / "pairs.tsv", easy()[:40])
    settings = ("model.kind=transformer", "model.d_model=16", "model.d_ff=32", "model.heads=4",
                "model.encoder_layers=1", "model.decoder_layers=1", "train.steps=40",
                "train.precision=float32", "train.validations=1")  # fmt: skip
    s2s.train(str(data), *settings, dev=str(data), out=str(tmp_path / "model"))
    sameness.main([str(tmp_path / "model"), "--data", str(data), "--beam", "1", "3"])
    recorded = json.loads((tmp_path / "sameness.json").read_text(encoding="utf-8"))
    assert sorted(recorded) == ["model/beam 1", "model/beam 3"]
    for facts in recorded.values():
        assert set(facts["ways"]) == {"alone", *sameness.WAYS}
        for way, each in facts["ways"].items():
            assert each["outputs"] == 40
            if way.startswith(("alone", "float32")):
                assert (each["different"], each["change"]) == (0, 0)
        assert {"commit", "data", "cores"} <= set(facts)
    table = capsys.readouterr().out
    assert "| 3 | float32, 512 tokens | 0 of 40 |" in table


def test_an_output_that_differs_is_counted_and_so_is_its_score() -> None:
    found = {"outputs": ("a", "b"), "score": bleu(40.0), "seconds": 1.0}
    alone = {"outputs": ("a", "c"), "score": bleu(41.5), "seconds": 9.0}
    told = sameness.compared(found, alone)
    assert (told["different"], told["outputs"], told["change"]) == (1, 2, -1.5)


def bleu(value: float) -> Score:
    return Score("bleu", value, math.nan, math.nan, "", True, 2)

"""Every kind of attention loses its heads in order and by chance, and curves drawn are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import heads
import quality
import seq2see as s2s
from fixtures import easy, write_tsv


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with four heads in every attention, and pairs to decode and to judge by."""
    place = tmp_path_factory.mktemp("heads")
    data = write_tsv(place / "pairs.tsv", easy()[:60])
    settings = ("model.kind=transformer", "model.d_model=16", "model.d_ff=16", "model.heads=4",
                "model.encoder_layers=1", "model.decoder_layers=1", "train.steps=60",
                "train.precision=float32", "train.validations=1")  # fmt: skip
    s2s.train(str(data), *settings, dev=str(data), out=str(place / "model"))
    return place


def test_curves_are_recorded_one_by_one_and_not_drawn_twice(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(quality, "RESULTS", tmp_path)
    data = str(folder / "pairs.tsv")
    command = [str(folder / "model"), "--data", data, "--judge", data, "--random", "2"]
    heads.main(command)
    drawn = json.loads((tmp_path / "heads.json").read_text(encoding="utf-8"))
    assert sorted(drawn) == sorted(
        f"model/{kind}/{how}"
        for kind in ("encoder", "decoder", "cross")
        for how in ("importance", "random 1", "random 2")
    )
    for curve in drawn.values():
        kept = [point["kept"] for point in curve["points"]]
        assert kept == [12, 11, 10, 9, 8]
        assert curve["points"][0]["change"] == 0
        assert set(curve["spare"]) == {"0.5", "1.0"}
        assert {"commit", "beam", "minutes", "metric"} <= set(curve)
    for kind, place in (("encoder", "encoder.0.self"), ("cross", "decoder.0.cross")):
        points = drawn[f"model/{kind}/importance"]["points"]
        assert all(gone.startswith(place) for point in points for gone in point["gone"])
    table = capsys.readouterr().out
    assert "| encoder | 4 | importance |" in table
    assert "| cross | 4 | random, median of 2 |" in table
    heads.main(command)
    assert capsys.readouterr().out.count("is recorded already") == 9

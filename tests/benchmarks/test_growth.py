"""A curve is measured point by point, each in its own process; one that fails says so."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import growth
from growth import Point

SMALL = Point(
    ("model.d_model=16", "model.d_ff=32", "model.heads=2", "model.encoder_layers=1",
     "model.decoder_layers=1"), vocabulary=50, rows=2, length=8,
)  # fmt: skip


def test_batches_grow_in_length_and_not_in_tokens() -> None:
    points = growth.lengths()
    assert [*points][::9] == ["16", "8192"]
    assert {point.rows * point.length for point in points.values()} == {growth.TOKENS}


def test_a_batch_has_texts_of_the_length_asked_for() -> None:
    batch = growth.made_up(SMALL)
    assert batch.source.shape == batch.target.shape == batch.wanted.shape == (2, 8)
    assert batch.tokens == 16
    assert int(batch.source.max()) < 50


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_a_point_tells_what_an_update_costs() -> None:
    found = growth.measured(SMALL, "float32")
    assert found["tokens"] == 16
    assert 0 < found["utilisation"] < 1
    assert found["seconds_an_update"] * found["tokens_a_second"] == pytest.approx(16, rel=0.2)
    assert found["memory_mb"] >= 0


def test_a_point_that_fails_is_recorded_with_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "RESULTS", tmp_path)
    monkeypatch.setattr(growth, "ROOT", tmp_path)
    monkeypatch.setitem(growth.KINDS, "size", lambda: {"no such point": SMALL})
    growth.main(["size", "--precision", "float32", "--threads", "1"])
    written = json.loads((tmp_path / "growth-size.json").read_text(encoding="utf-8"))
    assert "no such point" in written["curve"]["no such point"]["error"]
    assert {"command", "commit", "points", "machine"} <= set(written)


def test_points_that_were_measured_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "RESULTS", tmp_path)
    measured = {"tokens_a_second": 900.0, "memory_mb": 70}
    growth.draw("length", {"16": measured, "32": {"error": "out of memory"}})
    for name in ("speed", "memory"):
        drawn = (tmp_path / f"growth-length-{name}.svg").read_text(encoding="utf-8")
        assert ">16<" in drawn
        assert ">32<" not in drawn

"""Medians, ratios of windows side by side, a table and a chart that hide nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from peers import record
from peers.contest import Entry, Outcome
from peers.picture import draw


def outcome(name: str, *rates: float, error: str = "", **more: Any) -> Outcome:
    windows = [
        {"amount": 10 * rate, "seconds": 10.0, "peak_memory_mb": 100 + i, **more}
        for i, rate in enumerate(rates)
    ]
    return Outcome(Entry(name, "fake"), {"ready": True, "parameters": 7}, windows, error)


def test_a_row_holds_the_windows_and_their_median() -> None:
    (row,) = record.rows([outcome("seq2see", 5.0, 1.0, 3.0)])
    assert (row["median"], row["low"], row["high"]) == (3.0, 1.0, 5.0)
    assert row["windows"] == [5.0, 1.0, 3.0]
    assert row["peak_memory_mb"] == 102
    assert row["parameters"] == 7
    assert row["error"] == ""


def test_the_ratio_is_of_windows_of_the_same_round() -> None:
    # The machine halves its speed in the second round, for both: each round says 2.
    ours, other = outcome("seq2see", 8.0, 4.0), outcome("torch", 4.0, 2.0)
    assert record.ratio(ours, other) == 2.0
    _, row = record.rows([ours, other])
    assert row["seq2see_times_as_fast"] == 2.0


def test_a_round_that_one_of_them_missed_does_not_count() -> None:
    assert record.ratio(outcome("seq2see", 8.0, 1.0), outcome("torch", 4.0)) == 2.0
    assert record.ratio(outcome("seq2see"), outcome("torch", 4.0)) is None


def test_latencies_are_medians_over_windows_of_median_and_95th_percentile() -> None:
    one = outcome("seq2see", 1.0)
    one.windows[0]["milliseconds"] = list(range(101))
    two = outcome("seq2see", 1.0)
    two.windows[0]["milliseconds"] = [2 * i for i in range(101)]
    one.windows += two.windows
    (row,) = record.rows([one])
    assert row["median_ms"] == pytest.approx(75.0)
    assert row["p95_ms"] == pytest.approx(142.5)


def test_a_failure_stands_in_record_and_table() -> None:
    found = record.rows([outcome("seq2see", 2.0), outcome("torch", error="died | badly")])
    assert found[1]["error"] == "died | badly"
    assert "median" not in found[1]
    lines = list(record.table(found, "tokens"))
    assert "failed: died \\| badly" in lines[-1]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_a_late_failure_stands_beside_what_was_measured() -> None:
    found = record.rows([outcome("torch", 2.0, error="died")])
    line = list(record.table(found, "tokens"))[-1]
    assert "then failed: died" in line
    assert "2.0" in line


def test_the_fastest_comes_first() -> None:
    found = record.rows([outcome("seq2see", 2.0), outcome("torch", 3.0)])
    lines = list(record.table(found, "tokens"))
    assert lines[2].startswith("| torch")
    assert "0.67 times as fast" in lines[2]


def test_the_chart_names_every_entry_that_was_measured(tmp_path: Path) -> None:
    rows = record.rows([outcome("seq2see", 2.0), outcome("torch", 1.0), outcome("x", error="no")])
    draw([rows], "tokens", tmp_path / "chart.svg")
    svg = (tmp_path / "chart.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "seq2see, float32" in svg
    assert "torch, float32" in svg


def test_without_any_figure_there_is_no_chart(tmp_path: Path) -> None:
    draw([record.rows([outcome("x", error="no")])], "tokens", tmp_path / "chart.svg")
    assert not (tmp_path / "chart.svg").exists()

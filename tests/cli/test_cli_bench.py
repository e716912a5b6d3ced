"""`seq2see bench` as people and programs see it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console

from seq2see.bench.advice import Advice
from seq2see.bench.budget import Missing
from seq2see.bench.decoding import Decoded
from seq2see.bench.peak import SQUARE, Peak
from seq2see.bench.session import Report
from seq2see.bench.timing import Figure
from seq2see.bench.training import Trained
from seq2see.cli import main
from seq2see.cli.bench import show

MACHINE = {
    "system": "Linux x86_64",
    "instructions": "AVX2",
    "cores": 4,
    "threads": 4,
    "load": 0.1,
    "torch": "2.13.0",
}


def report(load: float = 0.1) -> Report:
    """A report with one row in each table."""
    return Report(
        {**MACHINE, "load": load},
        minutes=2.0,
        seconds=119.6,
        peaks=[Peak(SQUARE, "float32", 4, Figure(1.234e11, 9.87e10, 1.3e11, 5))],
        training=[
            Trained("small", "float32", 4, 4086, Figure(2345.6, 2300.0, 2400.0, 5), 4.5e7, 0.857),
            Trained("small", "bfloat16", 4, 4086, Figure(5000.0, 4900.0, 5100.0, 3), 4.5e7, None),
        ],
        decoding=[
            Decoded("small", 1, "float32", 4, Figure(98.76, 90.0, 101.5, 5)),
            Decoded("small", 5, "int8", 4, Figure(33.0, 32.0, 34.0, 3)),
        ],
        advice=[Advice("small", "bfloat16", None, ("bfloat16 has 2.13 times", "no two numbers"))],
        missing=[Missing("training base in float32 with 4 threads", "memory ran out")],
    )


def shown(found: Report) -> str:
    file = io.StringIO()
    show(Console(file=file, width=200, highlight=False, markup=False), found)
    return file.getvalue()


def rows_of(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_each_figure_stands_with_its_spread_and_its_number_of_windows() -> None:
    rows = rows_of(shown(report()))
    assert "square 2048 × 2048 × 2048 float32 4 123 98.7 to 130 5" in rows
    assert "small 4,086 float32 4 2,346 2,300 to 2,400 5 86%" in rows
    assert "small 4,086 bfloat16 4 5,000 4,900 to 5,100 3" in rows
    assert "small greedy float32 4 98.8 90.0 to 102 5" in rows
    assert "small beam 5 int8 4 33.0 32.0 to 34.0 3" in rows


def test_what_was_not_measured_and_what_to_choose_is_said() -> None:
    text = shown(report())
    assert "120 of 120 s spent" in text
    assert "training base in float32 with 4 threads: memory ran out" in text
    assert "small bfloat16 ? bfloat16 has 2.13 times; no two numbers" in rows_of(text)


def test_a_busy_machine_is_named() -> None:
    assert "was busy" not in shown(report(load=1.0))
    assert "was busy (load 2.0" in shown(report(load=2.0))


def test_an_empty_report_has_no_empty_tables() -> None:
    text = shown(Report(MACHINE, minutes=1.0))
    assert "tokens/s" not in text and "GFLOP/s" not in text
    assert "not measured" not in text


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The budgets asked for; the measurements themselves are tested elsewhere."""
    budgets: list[float] = []

    def run(minutes: float, watcher: Callable[[str], None]) -> Report:
        budgets.append(minutes)
        watcher("something")
        return report()

    monkeypatch.setattr("seq2see.bench.session.run", run)
    return budgets


def test_json_alone_goes_to_standard_output(
    measured: list[float], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "figures.json"
    assert main(["bench", "--json", "--minutes", "0.5", "--out", str(out)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(out.read_text("utf-8")) == json.loads(json.dumps(asdict(report())))
    assert printed["peaks"][0]["flops"]["repetitions"] == 5
    assert measured == [0.5]


def test_a_table_is_plain_text_in_a_file(
    measured: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench"]) == 0
    found = capsys.readouterr()
    assert "sentences/s" in found.out
    assert "\x1b" not in found.out + found.err
    assert measured == [3.0]


def test_a_place_that_cannot_be_written_is_said_before_measuring(
    measured: list[float], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path, tmp_path / "file" / "figures.json"):
        assert main(["bench", "--out", str(out)]) == 2
        assert "--out" in capsys.readouterr().err
    assert measured == []


def test_a_budget_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--minutes", "0"]) == 2
    assert "--minutes: found 0.0; expected a number above 0" in capsys.readouterr().err

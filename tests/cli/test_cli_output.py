"""Tables, lines and JSON."""

from __future__ import annotations

import pytest

from seq2see.cli.output import console, interval, json_text, score_table, write_lines


def test_what_is_no_number_in_json_becomes_null() -> None:
    value = {"a": float("nan"), "b": [1.5, float("-inf")], "c": ("é", True)}
    assert json_text(value) == '{"a": null, "b": [1.5, null], "c": ["é", true]}'


def test_lines_end_in_one_newline_whatever_they_hold(capfdbinary) -> None:
    write_lines(["a\u2028b", "", "c\r"])
    assert capfdbinary.readouterr().out == "a\u2028b\n\nc\r\n".encode()


def test_an_interval_that_was_not_computed_is_left_blank() -> None:
    assert interval(float("nan"), float("nan")) == ""
    assert interval(1, 2) == "1.00 to 2.00"


def test_brackets_in_data_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    score = {
        "metric": "[bold]x", "value": 1.0, "low": 0.5, "high": 1.5, "sources": 1234,
        "signature": "s" * 100,
    }  # fmt: skip
    console().print(score_table([score]))
    row = capsys.readouterr().out.splitlines()[1]
    assert row.split() == ["[bold]x", "1.00", "0.50", "to", "1.50", "1,234", "s" * 100]

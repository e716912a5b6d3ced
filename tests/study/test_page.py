"""A study's page, in both forms."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure, Pieces, Table
from seq2see.study import markdown, tables
from seq2see.study.lecture import far, raw
from seq2see.study.page import page
from seq2see.study.readings import Outcome, Reading
from seq2see.study.results import Results, Summary
from seq2see.study.tables import shown
from seq2see.study.verdict import Verdict

RESULTS = Results(
    tuple(
        Outcome({"model": model}, seed, (Reading("right | wrong", 10.0 * seed + right),), 90.0)
        for model, right in (("rnn", 0.0), ("gru", 30.0))
        for seed in (1, 2, 3)
    )
)
CHART = Figure(
    "drawn", "Drawn", "A line.", lines([{"x": 1, "y": 2}], Axis("x", "x"), Axis("y", "y"))
)
STUDY = replace(far.STUDY, figures=lambda _: (CHART,))
PAGE = page(STUDY, RESULTS, Verdict("not supported", "It is so."), "seq2see study far")


def table(name: str) -> Table:
    found = next(figure.table for figure in PAGE.figures if figure.name == name)
    assert found is not None
    return found


def test_a_page_says_what_was_asked_answered_expected_and_how_to_do_it_again() -> None:
    assert PAGE.question == STUDY.question
    assert PAGE.answer == "Not supported. It is so."
    assert PAGE.figures[0].name == "asked"  # before anything that came out
    asked = [cell for row in table("asked").rows for cell in row]
    assert {STUDY.hypothesis, STUDY.varied, STUDY.fixed} <= set(asked)
    cells = [cell for row in table("conduct").rows for cell in row]
    assert "seq2see study far" in cells
    assert "6, in 9.0 minutes of one core each" in cells


def test_the_table_has_every_condition_with_its_interval() -> None:
    rows = [tuple(row) for row in table("figures").rows]
    assert rows == [("rnn", "20.0 (-4.8 to 44.8)"), ("gru", "50.0 (25.2 to 74.8)")] or (
        rows == [("rnn", "20.0 (−4.8 to 44.8)"), ("gru", "50.0 (25.2 to 74.8)")]
    )
    assert "to" not in shown(Summary(0.5, float("nan"), float("nan"), 1))


def test_differences_are_paired_by_seed_and_tested() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(20, 3, 4), rng.normal(22, 3, 4)
    outcomes = tuple(
        Outcome({"model": model}, seed, (Reading("score", value),), 1.0)
        for model, values in (("rnn", first), ("gru", second))
        for seed, value in enumerate(values)
    )
    [(model, told)] = tables.differences(Results(outcomes)).table.rows
    test = ttest_rel(second, first)
    low, high = test.confidence_interval()
    numbers = [float(each) for each in re.findall(r"-?[\d.]+", told.replace("−", "-"))]
    assert model == "gru"
    assert numbers == pytest.approx([*(second - first).mean(keepdims=True), low, high, test.pvalue],
                                    rel=0.01)  # fmt: skip


def test_a_curve_is_told_at_places_from_all_over_it() -> None:
    readings = tuple(Reading("weight", float(at), at, "a") for at in range(100))
    alone = Results((Outcome({"model": "rnn"}, 1, readings, 1.0),))
    [figure] = tables.every(alone)  # nothing plain, nothing to compare with
    assert figure.name == "curves"
    rows = figure.table.rows
    assert [row[2] for row in rows] == ["0", "14", "28", "42", "57", "71", "85", "99"]
    assert {row[:2] for row in rows} == {("rnn", "weight a")}
    assert all(at == value for *_, at, value in rows)


def test_markdown_draws_each_chart_and_keeps_bars_out_of_the_table(tmp_path: Path) -> None:
    path = markdown.write(PAGE, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "![A line.](drawn.png)" in text
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")
    heads = next(line for line in text.splitlines() if line.startswith("| model"))
    assert heads == "| model | right \\| wrong |"


def test_the_pairs_are_the_tasks_or_those_that_took_its_place() -> None:
    for command, said in (
        ("seq2see study far", f"drawn by the task {STUDY.material.task}"),
        ("seq2see study far --data 'a b.tsv' --dev c.tsv", "a b.tsv"),
        ("seq2see study far --data=a.tsv", "a.tsv"),
    ):
        asked = page(STUDY, RESULTS, Verdict("undecided", "So."), command).figures[0]
        assert asked.table is not None
        assert ("pairs", said) in asked.table.rows
    asked = page(replace(raw.STUDY, figures=lambda _: ()), RESULTS, Verdict("undecided", "So."), "")
    assert asked.figures[0].table is not None
    assert ("pairs", "drawn by the tasks recall, sort, copy") in asked.figures[0].table.rows


def test_pieces_in_a_cell_stand_apart_in_markdown(tmp_path: Path) -> None:
    cell = Pieces(((" ", "+0.20"), ("م", "")))
    figure = Figure(name="x", title="X", alt="x", table=Table(("a",), ((cell,),)))
    path = markdown.write(replace(PAGE, figures=(figure,)), tmp_path)
    assert "| \u2068␣\u2069 +0.20, \u2068م\u2069 |" in path.read_text(encoding="utf-8")


def test_what_never_varies_has_no_interval() -> None:
    assert shown(Summary(31680.0, 31680.0, 31680.0, 3)) == "31,680"
    assert shown(Summary(0.5, 0.5, 0.5, 3)) == "0.5"
    assert shown(Summary(2.0, 1.0, 3.0, 3)) == "2 (1 to 3)"
    size = [
        Outcome(one.labels, one.seed, (Reading("size", 7.0 + len(one.labels["model"])),), 1.0)
        for one in RESULTS.outcomes
    ]
    same = tables.differences(Results(tuple(size))).table
    assert same is not None
    assert same.rows[0][-1] == "0"  # without a p-value: nothing is left to chance

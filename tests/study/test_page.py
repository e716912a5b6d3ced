"""A study's page, in both forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure, Pieces, Table
from seq2see.study import markdown
from seq2see.study.lecture import far
from seq2see.study.page import page, shown
from seq2see.study.readings import Outcome, Reading
from seq2see.study.results import Results, Summary
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
    cells = [cell for row in table("conduct").rows for cell in row]
    assert {STUDY.hypothesis, STUDY.varied, "seq2see study far"} <= set(cells)
    assert "6, in 9.0 minutes of one core each" in cells


def test_the_table_has_every_condition_with_its_interval() -> None:
    rows = [tuple(row) for row in table("figures").rows]
    assert rows == [("rnn", "20.0 (-4.8 to 44.8)"), ("gru", "50.0 (25.2 to 74.8)")] or (
        rows == [("rnn", "20.0 (−4.8 to 44.8)"), ("gru", "50.0 (25.2 to 74.8)")]
    )
    assert "to" not in shown(Summary(0.5, float("nan"), float("nan"), 1))


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
        conduct = page(STUDY, RESULTS, Verdict("undecided", "So."), command).figures[-1]
        assert conduct.table is not None
        assert ("pairs", said) in conduct.table.rows


def test_pieces_in_a_cell_stand_apart_in_markdown(tmp_path: Path) -> None:
    cell = Pieces(((" ", "+0.20"), ("م", "")))
    figure = Figure(name="x", title="X", alt="x", table=Table(("a",), ((cell,),)))
    path = markdown.write(replace(PAGE, figures=(figure,)), tmp_path)
    assert "| \u2068␣\u2069 +0.20, \u2068م\u2069 |" in path.read_text(encoding="utf-8")

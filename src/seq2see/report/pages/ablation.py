"""Which heads carry the model: what is lost with each, and how many can go."""

from __future__ import annotations

from collections.abc import Iterable

from seq2see.look.change import Task
from seq2see.look.curve import PruningCurve, pruning_curve
from seq2see.look.prune import order, worth
from seq2see.look.table import HeadRow
from seq2see.recipe.judging import examine_by
from seq2see.report.charts import Axis, bars, lines, points
from seq2see.report.numbers import counted, fixed, significant, span
from seq2see.report.pages.alignment import attentions
from seq2see.report.pages.card import metric_name
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Figure, Page, table

TITLE = "Ablation"
POINTS = 6
"""Points of a curve beside the whole model; each decodes the data once."""
SHOWN = 24
"""Heads that have a bar."""
FALL = 1.0
"""A loss, in the metric's unit, that is called small."""
ORDERS = ("gradient", "random")


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    rows = list(subject.heads) if subject.averaged and attentions(subject) else []
    if len(rows) < 2:
        return Absent(TITLE, "There is no choice among heads: the network has one at most.")
    curves = {by: curve(subject, by) for by in ORDERS}
    return Page(
        "ablation",
        TITLE,
        "Which heads carry the model, and how many can go?",
        _answer(rows, curves["gradient"]),
        "Heads stand in for each other: one that can go alone may be missed once others have gone."
        " The order and the curve come from the same pairs, which flatters the curve; and what is"
        " trained after pruning does better.",
        (_bars(rows), _curves(curves), _scatter(rows)),
    )


def curve(subject: Subject, by: str) -> PruningCurve:
    """Scores the model, greedily, with fewer and fewer heads; those worth least go first."""
    asked = examine_by(subject.averaged, subject.every.metrics)
    task = Task(asked.sources, asked.references, asked.metrics[0])
    ordered = order(worth(subject.translator, by, subject.averaged))
    every = -(-len(ordered) // POINTS)
    return pruning_curve(subject.model.translator(beam=1), task, ordered, every=every)


def _answer(rows: list[HeadRow], found: PruningCurve) -> str:
    sure = [row for row in rows if row.change and row.change.sure and row.change.value < 0]
    name = metric_name(found.metric)
    spare, step = found.spare(FALL), found.points[0].kept - found.points[1].kept
    many = f"{spare} can go" if spare else f"not even {step} can go"
    return (
        f"The targets become surely less probable without any one of {len(sure)} of the {len(rows)}"
        f" heads; {many} together, those worth least first, before the {name} gets worse by more"
        f" than {fixed(FALL, 0)}."
    )


def _named(row: HeadRow) -> str:
    return f"{row.at} {row.head}"


def _bars(rows: list[HeadRow]) -> Figure:
    each = [(row, row.change) for row in rows if row.change is not None]
    each.sort(key=lambda one: one[1].value)
    shown = [
        {"head": _named(row), "nats": -c.value, "low": -c.high, "high": -c.low}
        for row, c in each[:SHOWN]
    ]
    cells = [
        (
            row.at,
            str(row.head),
            fixed(-c.value, 3),
            span(-c.high, -c.low, 3),
            "yes" * c.sure,
            row.role,
        )
        for row, c in each
    ]
    heads = ("attention", "head", "lost", "95 % interval", "sure", "role")
    first = each[0][0]
    rest = f" of {len(each)}" if len(each) > SHOWN else ""
    return Figure(
        "lost",
        "What is lost with each head",
        f"Bars of {len(shown)}{rest} heads, the longest first: {_named(first)}.",
        bars(shown, Axis("head", ""), Axis("nats", "nats a target token that are lost", zero=True)),
        table(heads, cells, heads[1:4]),
        "The mean of what the head reads takes its place. Whiskers: 95 % bootstrap intervals over"
        f" the pairs.{rest and f' Bars for the first {SHOWN}; the table has all.'}",
    )


def _curves(curves: dict[str, PruningCurve]) -> Figure:
    name = metric_name(next(iter(curves.values())).metric)
    each = [(by, point) for by, one in curves.items() for point in one.points]
    rows = [{"kept": point.kept, "score": point.score, "order": by} for by, point in each]
    cells = [(by, str(point.kept), fixed(point.score)) for by, point in each]
    ends = {by: one.points[-1] for by, one in curves.items()}
    return Figure(
        "pruning",
        f"{name[0].upper()}{name[1:]} by heads that are left",
        f"Two lines from {fixed(each[0][1].score)} with all heads to"
        f" {fixed(ends['gradient'].score)} with none.",
        lines(
            rows, Axis("kept", "heads left", "d"), Axis("score", name), series="order", points=True
        ),
        table(("order", "heads left", name), cells, ("heads left", name)),
        "Greedy search, no training in between. Gradient: the heads on which the loss depends least"
        " go first; random: for comparison.",
    )


def _scatter(rows: Iterable[HeadRow]) -> Figure:
    each = [(row, row.change) for row in rows if row.change is not None]
    data = [
        {"name": _named(row), "importance": row.importance, "lost": -c.value, "part": _part(row.at)}
        for row, c in each
    ]
    cells = [(_named(row), significant(row.importance), fixed(-c.value, 3)) for row, c in each]
    heads = ("head", "importance", "lost")
    return Figure(
        "importance",
        "Importance by gradient against what is lost",
        f"{counted(len(data), 'point')}, one a head.",
        points(
            data,
            Axis("importance", "importance by gradient"),
            Axis("lost", "nats lost"),
            series="part",
        ),
        table(heads, cells, heads[1:]),
        "Importance tells from one pass how much the loss depends on a head; ablation measures it"
        " with the head gone.",
    )


def _part(at: str) -> str:
    if at.endswith("cross"):
        return "decoder to source"
    return "encoder" if at.startswith("encoder") else "decoder"

"""How well short and long sources do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seq2see.evaluate.metrics import Counted, Score, count
from seq2see.evaluate.resample import bootstrap
from seq2see.report.charts import Axis, lines
from seq2see.report.numbers import counted, fixed, span, whole
from seq2see.report.packing import Array
from seq2see.report.pages.card import metric_name
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Figure, Page, table

TITLE = "Length"
MOST = 8
"""Groups at most."""
LEAST = 20
"""Sources of a group at least: with fewer, an interval spans the whole scale."""
RESAMPLES = 500


@dataclass(frozen=True)
class Group:
    """Sources of similar length.

    Args:
        low: tokens of the shortest.
        high: tokens of the longest.
        middle: their mean.
        score: of their outputs.
    """

    low: int
    high: int
    middle: float
    score: Score

    @property
    def name(self) -> str:
        """The lengths as text."""
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    metric = subject.every.metrics[0]
    [tally] = count(subject.outputs, subject.asked.references, [metric])
    groups = [
        Group(low, high, float(np.mean([subject.sizes[i] for i in rows])), scored(tally, rows))
        for low, high, rows in cut(subject.sizes)
    ]
    if len(groups) < 2:
        return Absent(
            TITLE,
            f"{counted(len(subject.sizes), 'source')} are too few to be grouped by length, or all"
            " have the same.",
        )
    return Page(
        "length",
        TITLE,
        "Does it lose its way in long sources?",
        _answer(groups, metric_name(metric)),
        "Long sources are rarer in training and harder in other ways too, so a fall is no proof"
        " that distance alone is to blame.",
        (_figure(groups, metric_name(metric)),),
    )


def cut(sizes: list[int], most: int = MOST, least: int = LEAST) -> list[tuple[int, int, list[int]]]:
    """Groups sources by length, equal lengths together and about as many sources in each group.

    Args:
        sizes: tokens of each source.
        most: groups at most.
        least: sources of a group at least.

    Returns:
        For each group its shortest and longest length and the numbers of its sources.
    """
    wanted = max(least, -(-len(sizes) // most))
    groups: list[list[int]] = [[]]
    for size in sorted(set(sizes)):
        if len(groups[-1]) >= wanted:
            groups.append([])
        groups[-1] += [i for i, each in enumerate(sizes) if each == size]
    if len(groups) > 1 and len(groups[-1]) < least:
        rest = groups.pop()
        groups[-1] += rest
    return [(min(sizes[i] for i in g), max(sizes[i] for i in g), g) for g in groups if g]


def scored(tally: Counted, rows: list[int]) -> Score:
    """Scores some of the sources, with an interval."""
    part: Array = tally.table[rows]
    [drawn] = bootstrap([part], RESAMPLES, 1)
    return Counted(tally.metric, part, tally.signature).score(tally.metric.score(drawn))


def _answer(groups: list[Group], name: str) -> str:
    first, last = groups[0], groups[-1]
    apart = first.score.high < last.score.low or last.score.high < first.score.low
    sure = "and their intervals lie apart" if apart else "but their intervals overlap"
    return (
        f"The {name} is {fixed(first.score.value)} for sources of {first.name} tokens and"
        f" {fixed(last.score.value)} for those of {last.name}, {sure}."
    )


def _figure(groups: list[Group], name: str) -> Figure:
    rows = [
        {"length": g.middle, "score": g.score.value, "low": g.score.low, "high": g.score.high}
        for g in groups
    ]
    cells = [
        (g.name, whole(g.score.sources), fixed(g.score.value), span(g.score.low, g.score.high))
        for g in groups
    ]
    heads = ("tokens", "sources", name, "95 % interval")
    up = "higher" if groups[0].score.higher_is_better else "lower"
    return Figure(
        "lengths",
        f"{name[0].upper()}{name[1:]} by length of the source",
        f"A line of {len(groups)} points from {fixed(rows[0]['score'])} for the shortest sources to"
        f" {fixed(rows[-1]['score'])} for the longest; {up} is better.",
        lines(rows, Axis("length", "source tokens"), Axis("score", name), points=True),
        table(heads, cells, heads),
        f"Whiskers: 95 % bootstrap intervals. {up.capitalize()} is better.",
    )

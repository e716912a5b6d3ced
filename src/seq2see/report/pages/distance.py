"""What distance costs: what is left of a far input, and how well its tokens are written."""

from __future__ import annotations

from seq2see.look.distance import Distances, distances
from seq2see.report.charts import Axis, lines
from seq2see.report.numbers import percent, significant, span, whole
from seq2see.report.reach import LEAST as ENOUGH
from seq2see.report.reach import Group, Reach, reach
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Figure, Page, table

TITLE = "Distance"
LEAST = 20
"""Pairs of positions from which a mean is shown."""


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    if not subject.averaged:
        return Absent(TITLE, "No pair has text on both sides.")
    found = distances(subject.translator, subject.averaged, at="encoder", directions=8)
    shown = far(found)
    reached = reach(subject.translator, subject.whole)
    answers, figures = [], []
    if shown >= 2:
        answers.append(_answer(found, shown))
        figures.append(_figure(found, shown))
    if len(reached.groups) >= 2:
        answers.append(_told(reached))
        figures.append(_accuracies(reached))
    if not figures:
        return Absent(TITLE, "The sources are too short for distances to be told apart.")
    return Page(
        "distance",
        TITLE,
        "How much does a state depend on inputs far from it, and is what comes from far off"
        " written less well?",
        " ".join(answers),
        "A gradient tells what a small change would do, not what the network uses; and what the"
        " encoder loses, attention can still fetch from where it stood. Tokens that come from far"
        " off can be harder in other ways too.",
        tuple(figures),
    )


def far(found: Distances) -> int:
    """Counts the distances, from 0 on, of which there are enough pairs of positions."""
    enough = (found.count >= LEAST).tolist()
    return enough.index(False) if False in enough else len(enough)


def _answer(found: Distances, shown: int) -> str:
    near, last = float(found.mean[0]), float(found.mean[shown - 1])
    part = significant(near / last, 2) if last else "infinitely many"
    return (
        f"An input {shown - 1} positions away moves a state {part} times less than the input at its"
        f" own position: the gradient goes from {significant(near)} to {significant(last)}."
    )


def _told(found: Reach) -> str:
    first, last = found.groups[0], found.groups[-1]
    (a, b), (c, d) = first.interval, last.interval
    sure = "and their intervals lie apart" if b < c or d < a else "but their intervals overlap"
    where = "places off the diagonal" if found.aligned else "places before the source's end"
    return (
        f"The right token is the most probable one for {percent(first.accuracy)} of those that come"
        f" from {first.name} {where} and {percent(last.accuracy)} of those from {last.name},"
        f" {sure}."
    )


def _figure(found: Distances, shown: int) -> Figure:
    each = [
        (k, float(found.mean[k]), float(found.spread[k]), int(found.count[k])) for k in range(shown)
    ]
    rows = [{"distance": k, "gradient": mean} for k, mean, _, _ in each]
    cells = [(str(k), significant(m), significant(s), whole(n)) for k, m, s, n in each]
    heads = ("distance", "gradient", "spread", "of")
    how = "exact" if found.exact else "estimated from random directions"
    log = all(mean > 0 for _, mean, _, _ in each)
    return Figure(
        "distances",
        "Gradient of a state by an input, over the distance",
        f"A line over {shown} distances from {significant(each[0][1])} to"
        f" {significant(each[-1][1])}.",
        lines(
            rows,
            Axis("distance", "positions between state and input", "d"),
            Axis("gradient", "norm of the gradient", log=log),
            points=True,
        ),
        table(heads, cells, heads),
        f"Of {found.at}, {how}; each step up is a factor. Distances of fewer than {LEAST} pairs of"
        " positions are left out.",
    )


_FROM = {
    True: "places from the diagonal to the source token",
    False: "places from the source token to the source's end",
}
_DEFINED = {
    True: "Distance: how many places the source token that a target token is linked to, as align"
    " does by weight, stands off the diagonal, the source's place at the same share of the way.",
    False: "Nothing looks at the source, so that all of it has to last to its end. Distance: how"
    " many places stand from the source's token at the same share of the way to its last one.",
}


def _accuracies(found: Reach) -> Figure:
    groups = found.groups
    rows = [_row(group) for group in groups]
    cells = [
        (
            group.name,
            whole(group.tokens),
            percent(group.accuracy, 1),
            span(100 * group.interval[0], 100 * group.interval[1], 1),
        )
        for group in groups
    ]
    heads = ("distance", "tokens", "right", "95 % interval")
    return Figure(
        "reaches",
        "Target tokens that are right, by distance",
        f"A line of {len(groups)} points from {percent(groups[0].accuracy)} for the nearest to"
        f" {percent(groups[-1].accuracy)} for the farthest.",
        lines(
            rows,
            Axis("distance", _FROM[found.aligned]),
            Axis("right", "% of tokens right"),
            points=True,
        ),
        table(heads, cells, heads),
        "Forced along the references: right is a token of the reference that the network finds the"
        f" most probable one. {_DEFINED[found.aligned]} End marks and features are left out."
        f" Distances of fewer than {ENOUGH} tokens are joined with others. Whiskers: 95 % bootstrap"
        " intervals over the pairs.",
    )


def _row(group: Group) -> dict[str, float]:
    low, high = (100 * end for end in group.interval)
    return {"distance": group.middle, "right": 100 * group.accuracy, "low": low, "high": high}

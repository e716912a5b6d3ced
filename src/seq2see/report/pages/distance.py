"""How much of a far input is left in a state of the encoder."""

from __future__ import annotations

from seq2see.look.distance import Distances, distances
from seq2see.report.charts import Axis, lines
from seq2see.report.numbers import significant, whole
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
    if shown < 2:
        return Absent(TITLE, "The sources are too short for distances to be told apart.")
    return Page(
        "distance",
        TITLE,
        "How much does a state of the encoder depend on inputs far from it?",
        _answer(found, shown),
        "A gradient tells what a small change would do, not what the network uses; and what the"
        " encoder loses, attention can still fetch from where it stood.",
        (_figure(found, shown),),
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

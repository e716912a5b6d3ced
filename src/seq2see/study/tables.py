"""All figures of a study as tables: numbers, curves, and differences with their tests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from seq2see.errors import DataError
from seq2see.report.numbers import fixed, significant, whole
from seq2see.report.view import Figure, table
from seq2see.study.results import Difference, Results, Summary, as_keywords

_PLACES = 8
"""Places of a curve that its table has at most."""

Name = tuple[str, str]
"""A measure, and which of its series."""


def every(results: Results) -> Iterator[Figure]:
    """Yields the tables that there is something to say in."""
    if _names(results, curves=False):
        yield numbers(results)
    if _names(results, curves=True):
        yield along(results)
    enough = len(list(results.conditions())) > 1 and _seeds(results) > 1
    if enough and _names(results, curves=False):
        yield differences(results)


def numbers(results: Results) -> Figure:
    """Lists every plain measure of every condition."""
    names, conditions = _names(results, curves=False), list(results.conditions())
    heads = [*conditions[0], *map(_title, names)]
    rows = [
        [*labels.values(), *(_summary(results, name, labels) for name in names)]
        for labels in conditions
    ]
    return Figure(
        name="figures",
        title="All figures",
        alt="A table of every measure of every condition.",
        table=table(heads, rows, heads[len(conditions[0]) :]),
        caption=f"Means over {_seeds(results)} seeds, with the 95 % interval of the mean"
        " (Student's t).",
        open=True,
    )


def along(results: Results) -> Figure:
    """Lists every curve at some of its places."""
    conditions = list(results.conditions())
    heads = [*conditions[0], "measure", "at", "value"]
    rows = [
        [*labels.values(), _title(name), significant(at), shown(found)]
        for labels in conditions
        for name in _names(results, curves=True)
        for at, found in _thinned(results.curve(*name, **as_keywords(labels)))
    ]
    return Figure(
        name="curves",
        title="Along the curves",
        alt="A table of every measure that was taken along something.",
        table=table(heads, rows, ("at", "value")),
        caption=f"Means over {_seeds(results)} seeds, with the 95 % interval of the mean"
        f" (Student's t), at {_PLACES} places of a curve at most.",
        open=False,
    )


def differences(results: Results) -> Figure:
    """Tests every plain measure of every condition against that of the first condition."""
    names, (first, *others) = _names(results, curves=False), list(results.conditions())
    heads = [*first, *map(_title, names)]
    rows = [
        [*labels.values(), *(_difference(results, name, first, labels) for name in names)]
        for labels in others
    ]
    said = ", ".join(f"{name} {label}" for name, label in first.items())
    return Figure(
        name="differences",
        title="Differences",
        alt=f"A table of the difference of every measure to that of: {said}.",
        table=table(heads, rows, heads[len(first) :]),
        caption=f"To {said}: mean difference over the seeds, which are paired, its 95 % interval"
        " and the p-value of the paired t-test, not corrected for the number of tests.",
        open=False,
    )


def shown(summary: Summary | Difference) -> str:
    """Writes a mean with its interval; alone where there is none, or nothing varies."""
    if summary.low == summary.high and summary.value.is_integer():
        return whole(summary.value)
    if math.isnan(summary.low) or summary.low == summary.high:
        return significant(summary.value)
    large = abs(summary.value) >= 10
    write = (lambda x: fixed(x, 1)) if large else significant
    return f"{write(summary.value)} ({write(summary.low)} to {write(summary.high)})"


def _seeds(results: Results) -> int:
    return len({outcome.seed for outcome in results.outcomes})


def _names(results: Results, *, curves: bool) -> list[Name]:
    """Lists the measures with a place on a curve, or those without, in their order."""
    found: dict[Name, None] = {}
    for outcome in results.outcomes:
        for reading in outcome.readings:
            if (reading.at is not None) == curves:
                found[reading.measure, reading.series] = None
    return list(found)


def _title(name: Name) -> str:
    return " ".join(filter(None, name))


def _summary(results: Results, name: Name, labels: Mapping[str, str]) -> str:
    try:
        return shown(results.summary(name[0], series=name[1], **as_keywords(labels)))
    except DataError:
        return "–"


def _difference(
    results: Results, name: Name, first: Mapping[str, str], second: Mapping[str, str]
) -> str:
    try:
        found = results.difference(name[0], as_keywords(first), as_keywords(second), series=name[1])
    except DataError:
        return "–"
    # A difference that is the same for all seeds is no matter of chance.
    tested = f", p {significant(found.p_value)}" if found.low != found.high else ""
    return f"{shown(found)}{tested}"


def _thinned(curve: Sequence[tuple[float, Summary]]) -> Iterator[tuple[float, Summary]]:
    """Takes places from all over a curve, its ends among them."""
    count = min(_PLACES, len(curve))
    yield from (curve[i] for i in np.linspace(0, len(curve) - 1, count).round().astype(int))

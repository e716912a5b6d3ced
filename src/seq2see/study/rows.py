"""The rows of a study's charts: means over seeds with the levels they stand for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from seq2see.study.results import Results, Summary, as_keywords

Row = dict[str, Any]


def by_condition(
    results: Results,
    measure: str,
    *,
    series: str = "",
    at: float | None = None,
    numbers: Sequence[str] = (),
    **where: str,
) -> list[Row]:
    """Makes a row a condition: its levels, `name` for all of them together, and the mean.

    A condition of which no model has the measure, as where every run failed, has no row.

    Args:
        results: the figures.
        measure: which one; its mean stands in the row as `value`.
        series: which of its curves or groups.
        at: where on its curve.
        numbers: factors whose levels are numbers.
        where: levels of factors that are wanted alone.
    """
    rows = []
    for labels in _conditions(results, where):
        exact = as_keywords(labels)
        if not results.has(measure, series=series, at=at, **exact):
            continue
        found = results.summary(measure, series=series, at=at, **exact)
        name = ", ".join(_told(factor, label) for factor, label in labels.items())
        rows.append({"name": name, **_labelled(labels, numbers), **_shown(found)})
    return rows


def by_place(results: Results, measure: str, *, series: str = "", **where: str) -> list[Row]:
    """Makes a row of every point of a measure's curve in every condition; `at` is where it stands.

    Args:
        results: the figures.
        measure: which one.
        series: which of its curves.
        where: levels of factors that are wanted alone.
    """
    return [
        {**each, "at": at}
        for at in results.places(measure, series)
        for each in by_condition(results, measure, series=series, at=at, **where)
    ]


def named(rows: Sequence[Row], *factors: str) -> list[Row]:
    """Gives every row a `name` of its levels, for the bars of a chart."""
    return [
        {**row, "name": ", ".join(_told(each, str(row[each])) for each in factors)} for row in rows
    ]


def _told(factor: str, label: str) -> str:
    """Writes a level; one that says nothing by itself, as a number, with its factor."""
    alone = label in ("true", "false") or label.replace(".", "", 1).isdigit()
    return f"{factor} {label}" if alone else label


def _conditions(results: Results, where: dict[str, str]) -> list[dict[str, str]]:
    wanted = {name.replace("_", " "): label for name, label in where.items()}
    return [
        labels
        for labels in results.conditions()
        if all(labels.get(name) == label for name, label in wanted.items())
    ]


def _labelled(labels: dict[str, str], numbers: Sequence[str]) -> Row:
    return {name: float(label) if name in numbers else label for name, label in labels.items()}


def _shown(found: Summary) -> Row:
    row = {"value": found.value}
    return row if math.isnan(found.low) else {**row, "low": found.low, "high": found.high}

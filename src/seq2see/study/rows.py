"""The rows of a study's charts: means over seeds with the levels they stand for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from seq2see.errors import DataError
from seq2see.study.results import Results, Summary

Row = dict[str, Any]


def by_condition(
    results: Results, measure: str, *, series: str = "", numbers: Sequence[str] = (), **where: str
) -> list[Row]:
    """Makes a row of every condition that has a plain measure.

    Args:
        results: the figures.
        measure: which one; its mean stands in the row as `value`.
        series: which of its curves or groups.
        numbers: factors whose levels are numbers.
        where: levels of factors that are wanted alone.
    """
    rows = []
    for labels in _conditions(results, where):
        try:
            found = results.summary(measure, series=series, **_underscored(labels))
        except DataError:
            continue
        rows.append({**_labelled(labels, numbers), **_shown(found)})
    return rows


def by_place(results: Results, measure: str, *, series: str = "", **where: str) -> list[Row]:
    """Makes a row of every point of a measure's curve in every condition; `at` is where it stands.

    Args:
        results: the figures.
        measure: which one.
        series: which of its curves.
        where: levels of factors that are wanted alone.
    """
    rows = []
    places = sorted(
        {
            reading.at
            for outcome in results.outcomes
            for reading in outcome.readings
            if (reading.measure, reading.series) == (measure, series) and reading.at is not None
        }
    )
    for labels in _conditions(results, where):
        for at in places:
            try:
                found = results.summary(measure, at=at, series=series, **_underscored(labels))
            except DataError:
                continue
            rows.append({**labels, "at": at, **_shown(found)})
    return rows


def named(rows: Sequence[Row], *factors: str) -> list[Row]:
    """Gives every row a `name` of its levels, for the bars of a chart."""
    return [{**row, "name": ", ".join(str(row[factor]) for factor in factors)} for row in rows]


def _conditions(results: Results, where: dict[str, str]) -> list[dict[str, str]]:
    wanted = {name.replace("_", " "): label for name, label in where.items()}
    return [
        labels
        for labels in results.conditions()
        if all(labels.get(name) == label for name, label in wanted.items())
    ]


def _underscored(labels: dict[str, str]) -> dict[str, Any]:
    return {name.replace(" ", "_"): label for name, label in labels.items()}


def _labelled(labels: dict[str, str], numbers: Sequence[str]) -> Row:
    return {name: float(label) if name in numbers else label for name, label in labels.items()}


def _shown(found: Summary) -> Row:
    row = {"value": found.value}
    return row if math.isnan(found.low) else {**row, "low": found.low, "high": found.high}

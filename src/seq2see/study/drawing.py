"""Rows of a study's pictures: the means of each condition with their whiskers."""

from __future__ import annotations

import math
from typing import Any

from seq2see.errors import DataError
from seq2see.study.results import Results, Summary


def row(found: Summary, **beside: Any) -> dict[str, Any]:
    """Makes a row of a mean and its interval; one seed has none, and gets no whisker."""
    whisker = {} if math.isnan(found.low) else {"low": found.low, "high": found.high}
    return {**beside, "value": found.value, **whisker}


def of_conditions(
    results: Results, measure: str, *, series: str = "", at: float | None = None, **where: str
) -> list[dict[str, Any]]:
    """Makes a row a condition: its labels, `name` for all of them together, and the mean.

    A condition of which no model has the measure, as where every run failed, has no row.

    Args:
        results: of the study.
        measure: which one.
        series: which of its curves.
        at: where on its curve.
        where: levels of factors that are wanted, as in `Results.values`.
    """
    wanted = {name.replace("_", " "): label for name, label in where.items()}
    rows = []
    for labels in results.conditions():
        if any(labels.get(name) != label for name, label in wanted.items()):
            continue
        levels = {name.replace(" ", "_"): label for name, label in labels.items()}
        try:
            found = results.summary(measure, at=at, series=series, **levels)
        except DataError:
            continue
        rows.append(row(found, **labels, name=", ".join(labels.values())))
    return rows


def of_curves(
    results: Results, measure: str, *, series: str = "", **where: str
) -> list[dict[str, Any]]:
    """Makes a row a point of each condition's curve, with `at` for where it stands."""
    places = {
        reading.at
        for outcome in results.outcomes
        for reading in outcome.readings
        if (reading.measure, reading.series) == (measure, series) and reading.at is not None
    }
    return [
        {**each, "at": at}
        for at in sorted(places)
        for each in of_conditions(results, measure, series=series, at=at, **where)
    ]

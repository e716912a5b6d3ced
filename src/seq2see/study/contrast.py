"""Differences that a hypothesis speaks of beyond that of two conditions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seq2see.study.results import Difference, Results, paired

Where = Mapping[str, Any]
"""Levels of factors, as in `Results.values`."""


def above(
    results: Results, measure: str, level: float, *, series: str = "", **where: Any
) -> Difference:
    """Compares a measure with a number that is known beforehand: measure - level, by seed."""
    return over(results.values(measure, series=series, **where), level)


UNKNOWN = Difference(math.nan, math.nan, math.nan, math.nan)
"""A difference of which the figures say nothing, so that a claim that needs it is undecided."""


def fall(results: Results, measure: str, *, series: str = "", **where: Any) -> dict[int, float]:
    """Measures by seed how far a curve falls: the mean of its first third less that of its last.

    A third holds at least one point; a curve of one point does not fall.
    """
    curves: dict[int, list[float]] = {}
    for at in results.places(measure, series):
        if results.has(measure, at=at, series=series, **where):
            for seed, value in results.values(measure, at=at, series=series, **where).items():
                curves.setdefault(seed, []).append(value)
    thirds = {seed: max(1, len(curve) // 3) for seed, curve in curves.items()}
    return {
        seed: float(np.mean(curve[: thirds[seed]]) - np.mean(curve[-thirds[seed] :]))
        for seed, curve in curves.items()
    }


def over(values: Mapping[int, float], level: float = 0.0) -> Difference:
    """Compares values by seed with a number that is known beforehand: value - level.

    `UNKNOWN` where there are none.
    """
    return paired([(level, value) for value in values.values()]) if values else UNKNOWN


def under(values: Mapping[int, float], level: float = 0.0) -> Difference:
    """Returns the same the other way round: level - value."""
    return turned(over(values, level))


def mean_of(every: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """Averages measures seed by seed, over the seeds that all of them have."""
    seeds = [seed for seed in every[0] if all(seed in each for each in every)] if every else []
    return {seed: float(np.mean([each[seed] for each in every])) for seed in seeds}


def turned(difference: Difference) -> Difference:
    """Returns the difference the other way round: first - second."""
    return replace(difference, value=-difference.value, low=-difference.high, high=-difference.low)

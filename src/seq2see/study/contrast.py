"""Differences that a hypothesis speaks of beyond that of two conditions."""

from __future__ import annotations

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
    found = results.values(measure, series=series, **where)
    return paired([(level, value) for value in found.values()])


def mean_of(every: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """Averages measures seed by seed, over the seeds that all of them have."""
    seeds = [seed for seed in every[0] if all(seed in each for each in every)] if every else []
    return {seed: float(np.mean([each[seed] for each in every])) for seed in seeds}


def turned(difference: Difference) -> Difference:
    """Returns the difference the other way round: first - second."""
    return replace(difference, value=-difference.value, low=-difference.high, high=-difference.low)


def interaction(
    results: Results, measure: str, first: tuple[Where, Where], second: tuple[Where, Where]
) -> Difference:
    """Asks whether one change does more in one setting than in another, paired by seed.

    Args:
        results: the figures.
        measure: which one.
        first: two conditions, before and after the change.
        second: the same two in another setting.

    Returns:
        What the change does in the second setting, less what it does in the first.
    """
    (a, b), (c, d) = (
        tuple(results.values(measure, **where) for where in each) for each in (first, second)
    )
    seeds = [seed for seed in a if seed in b and seed in c and seed in d]
    return paired([(b[seed] - a[seed], d[seed] - c[seed]) for seed in seeds])

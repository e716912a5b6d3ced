"""The figures of a study: means over seeds with intervals, and paired differences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from seq2see.errors import DataError
from seq2see.evaluate.significance import mean_interval
from seq2see.study.readings import Outcome

_ROUNDING = 1e-12
"""Share of themselves by which equal differences may differ."""


@dataclass(frozen=True)
class Summary:
    """A measure over the seeds of one condition.

    Args:
        value: mean over seeds.
        low: lower end of the 95 % interval of the mean (Student's t); NaN with one seed.
        high: its upper end.
        seeds: how many runs stand behind it.
    """

    value: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True)
class Difference:
    """The difference of two conditions, paired by seed.

    Args:
        value: mean of second - first.
        low: lower end of its 95 % interval (Student's t over the pairs).
        high: its upper end.
        p_value: of the paired t-test, two-sided.
    """

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Results:
    """All outcomes of a study.

    Args:
        outcomes: one a condition and seed.
    """

    outcomes: tuple[Outcome, ...]

    def values(
        self, measure: str, *, at: float | None = None, series: str = "", **where: str
    ) -> dict[int, float]:
        """Returns a measure by seed.

        Args:
            measure: which one.
            at: where on its curve.
            series: which of its curves.
            where: levels of factors, by the factors' names with blanks as underscores; where
                several conditions match, a seed's value is their mean.

        Raises:
            DataError: no outcome has it.
        """
        labels = {name.replace("_", " "): label for name, label in where.items()}
        found: dict[int, list[float]] = {}
        for outcome in self.outcomes:
            if all(outcome.labels.get(name) == label for name, label in labels.items()):
                for reading in outcome.readings:
                    if (reading.measure, reading.at, reading.series) == (measure, at, series):
                        found.setdefault(outcome.seed, []).append(reading.value)
        if not found:
            place = f"{measure}, {', '.join(f'{k}={v}' for k, v in labels.items())}"
            raise DataError("no model has this measure", where=place)
        return {seed: float(np.mean(each)) for seed, each in sorted(found.items())}

    def has(self, measure: str, *, at: float | None = None, series: str = "", **where: str) -> bool:
        """Says whether any model has a measure; see `values`."""
        try:
            self.values(measure, at=at, series=series, **where)
        except DataError:
            return False
        return True

    def summary(
        self, measure: str, *, at: float | None = None, series: str = "", **where: str
    ) -> Summary:
        """Averages a measure over seeds."""
        found = list(self.values(measure, at=at, series=series, **where).values())
        return Summary(*mean_interval(found), len(found))

    def mean(self, measure: str, where: Mapping[str, str], series: str = "") -> float:
        """Returns a measure's mean over seeds in one condition.

        Args:
            measure: which one.
            where: levels of factors, as in `values`.
            series: which of its curves.
        """
        labels: Mapping[str, Any] = where
        return self.summary(measure, series=series, **labels).value

    def difference(
        self,
        measure: str,
        first: Mapping[str, str],
        second: Mapping[str, str],
        *,
        at: float | None = None,
        series: str = "",
    ) -> Difference:
        """Compares two conditions by the seeds that both have.

        Args:
            measure: which one.
            first: levels of factors, as in `values`.
            second: the same of the other condition.
            at: where on its curve.
            series: which of its curves.
        """
        ours = self.values(measure, at=at, series=series, **first)
        theirs = self.values(measure, at=at, series=series, **second)
        return paired([(ours[seed], theirs[seed]) for seed in ours if seed in theirs])

    def places(self, measure: str, series: str = "") -> list[float]:
        """Lists where any model's curve of a measure has a point, in order."""
        every = (reading for outcome in self.outcomes for reading in outcome.readings)
        name = (measure, series)
        return sorted({r.at for r in every if (r.measure, r.series) == name and r.at is not None})

    def curve(self, measure: str, series: str = "", **where: str) -> list[tuple[float, Summary]]:
        """Returns a curve's means over seeds, at the places where it has a point."""
        return [
            (at, self.summary(measure, at=at, series=series, **where))
            for at in self.places(measure, series)
            if self.has(measure, at=at, series=series, **where)
        ]

    def conditions(self) -> Iterator[dict[str, str]]:
        """Yields the levels of each condition once, in the order of the outcomes."""
        seen: list[dict[str, str]] = []
        for outcome in self.outcomes:
            if outcome.labels not in seen:
                seen.append(outcome.labels)
                yield outcome.labels


def paired(pairs: Sequence[tuple[float, float]]) -> Difference:
    r"""Tests whether the second of each pair differs from the first.

    $$\bar{d} \pm t_{0.975,\,n-1}\, s_d / \sqrt{n}$$

    Source: Student 1908. One pair says nothing of its spread: its interval is NaN. Differences that
    are all the same and not zero are sure (p = 0).
    """
    apart = [second - first for first, second in pairs]
    mean, low, high = mean_interval(apart)
    if len(apart) < 2:
        return Difference(mean, low, high, math.nan)
    if np.ptp(apart) <= _ROUNDING * max(map(abs, apart)):
        return Difference(mean, mean, mean, float(mean == 0))
    return Difference(mean, low, high, float(stats.ttest_1samp(apart, 0.0).pvalue))


def by_seed(first: Mapping[int, float], second: Mapping[int, float]) -> Difference:
    """Compares any two measures by the seeds that both have, as `Results.values` gives them."""
    return paired([(first[seed], second[seed]) for seed in first if seed in second])


def as_keywords(labels: Mapping[str, str]) -> dict[str, Any]:
    """Writes a condition's labels as the keyword arguments that the methods of `Results` take."""
    return {name.replace(" ", "_"): label for name, label in labels.items()}

"""Says whether two systems differ by more than chance, and how sure a mean over seeds is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seq2see.evaluate.metrics import Counted, Score, count, interval
from seq2see.evaluate.resample import Table, bootstrap, swap

LEVEL = 0.05  # a p-value below this is called significant
TRIALS = 10_000  # swaps of all outputs: a p-value near 0.05 is then known to about ±0.004


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same sources.

    Args:
        metric: its name.
        first: the first system's score.
        second: the second system's score.
        difference: second - first, in the metric's unit.
        low: lower end of the difference's 95 % interval, by paired bootstrap.
        high: its upper end.
        p_value: probability of a difference at least this large, either way, if the systems were
            exchangeable.
        significant: whether `p_value` is below 0.05.
    """

    metric: str
    first: Score
    second: Score
    difference: float
    low: float
    high: float
    p_value: float
    significant: bool


def compare(
    first: Sequence[str],
    second: Sequence[str],
    references: Sequence[Sequence[str]],
    metrics: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 1,
) -> list[Comparison]:
    r"""Tests whether two systems differ on the same sources.

    The p-value is that of the paired approximate randomisation test, two-sided: of `TRIALS` random
    swaps of the two systems' outputs, source by source, the share whose difference is at least as
    large as the one observed,

    $$p = (\#\{|d_t| \ge |d|\} + 1) / (T + 1)$$

    Equally large counts as at least as large, so a system does not differ from itself (p = 1); and
    no p-value is below 1/(T + 1). The interval of the difference is the percentile interval of a
    paired bootstrap: both systems are drawn on the same sources.
    Source: Riezler & Maxwell 2005, figure 1 (test); Koehn 2004, section 4 (paired bootstrap).

    Args:
        first: one output a source.
        second: one output a source, of the other system.
        references: for each source one or more right outputs.
        metrics: names out of `METRICS`.
        resamples: corpora drawn for the intervals; 0 leaves them out (NaN).
        seed: of all draws.

    Returns:
        A comparison a metric, in the order asked for.

    Raises:
        ConfigError, DataError, ValueError: as `evaluate`.
    """
    pairs = list(
        zip(count(first, references, metrics), count(second, references, metrics), strict=True)
    )
    if not pairs:
        return []
    ours, theirs = [a.table for a, _ in pairs], [b.table for _, b in pairs]
    drawn = bootstrap([*ours, *theirs], resamples, seed)
    swapped = swap(ours, theirs, TRIALS, seed)
    return [
        _compare_one(pair, (drawn[i], drawn[i + len(pairs)]), (swapped[0][i], swapped[1][i]))
        for i, pair in enumerate(pairs)
    ]


def _compare_one(
    pair: tuple[Counted, Counted], drawn: tuple[Table, Table], swapped: tuple[Table, Table]
) -> Comparison:
    metric = pair[0].metric
    resampled = [metric.score(sums) for sums in drawn]
    first, second = (one.score(values) for one, values in zip(pair, resampled, strict=True))
    difference = second.value - first.value
    chance = np.abs(metric.score(swapped[1]) - metric.score(swapped[0]))
    # Swaps that give the observed difference again may miss it by rounding alone.
    as_large = int(np.sum(chance >= abs(difference) - 1e-9))
    p_value = (as_large + 1) / (len(chance) + 1)
    low, high = interval(resampled[1] - resampled[0])
    return Comparison(metric.name, first, second, difference, low, high, p_value, p_value < LEVEL)


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    r"""Averages the scores of several seeds, with the 95 % interval of their mean.

    $$\bar{x} \pm t_{0.975,\,n-1} \; s / \sqrt{n}$$
    Source: Student 1908. It says how the mean would vary over seeds, not over test sources.

    Args:
        values: one score a seed, at least one.

    Returns:
        Mean, low, high. One value says nothing of its own spread: its ends are NaN.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("a mean needs at least one value")
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean, float("nan"), float("nan")
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    from scipy.special import stdtrit  # a fifth of a second, which to open a model should not take

    half = float(stdtrit(len(values) - 1, 0.975)) * error
    return mean, mean - half, mean + half

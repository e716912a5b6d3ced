"""Draws corpora anew: sums of per-source counts under the bootstrap and under random swaps.

Every metric here is a function of counts that are summed over the sources, so a resampled corpus
needs no output to be scored again: its sums are one row of a matrix product. All metrics of one
call see the same draws, which makes their values comparable draw by draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]  # counts as floats: below 2**53 every sum is exact

_CELLS = 2**21  # draws x sources held at once: three arrays of 16 MiB


def bootstrap(tables: Sequence[Table], resamples: int, seed: int) -> list[Table]:
    """Sums each table over corpora drawn from its sources with replacement.

    Source: Efron 1979; for corpus metrics Koehn 2004, section 3.

    Args:
        tables: each `[source, count]`, all with the same sources.
        resamples: number of corpora to draw; 0 gives tables without rows.
        seed: of the random generator.

    Returns:
        For each table the sums `[resample, count]`.
    """
    joined = np.hstack(tables)
    sources = len(joined)
    random = np.random.default_rng(seed)
    sums = np.empty((resamples, joined.shape[1]))
    for rows in _chunks(resamples, sources):
        drawn = random.integers(sources, size=(len(rows), sources))
        drawn += np.arange(len(rows))[:, None] * sources
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        sums[rows.start : rows.stop] = times.astype(np.float64) @ joined
    return _part(sums, tables)


def swap(
    first: Sequence[Table], second: Sequence[Table], trials: int, seed: int
) -> tuple[list[Table], list[Table]]:
    """Sums both systems' tables after each source's two outputs were swapped by a fair coin.

    Source: Noreen 1989; Riezler & Maxwell 2005, figure 1.

    Args:
        first: tables `[source, count]` of the first system, one a metric.
        second: the same of the second system.
        trials: number of times all coins are thrown.
        seed: of the random generator.

    Returns:
        For each table the sums `[trial, count]` of the two shuffled systems.
    """
    joined, other = np.hstack(first), np.hstack(second)
    random = np.random.default_rng(seed)
    moved = np.empty((trials, joined.shape[1]))
    for rows in _chunks(trials, len(joined)):
        coins = random.integers(2, size=(len(rows), len(joined)), dtype=np.bool_)
        moved[rows.start : rows.stop] = coins.astype(np.float64) @ (other - joined)
    return _part(joined.sum(0) + moved, first), _part(other.sum(0) - moved, second)


def _chunks(draws: int, sources: int) -> Iterator[range]:
    step = max(1, _CELLS // sources)
    for start in range(0, draws, step):
        yield range(start, min(start + step, draws))


def _part(sums: Table, tables: Sequence[Table]) -> list[Table]:
    ends = np.cumsum([table.shape[1] for table in tables])[:-1]
    return np.split(sums, ends, axis=1)

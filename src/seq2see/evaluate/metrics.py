"""The metrics by name, and `evaluate`: a value, its interval and its signature.

| name | what it says | unit |
|---|---|---|
| `bleu` | sacreBLEU's default: tokeniser 13a, cased, for detokenised text | 0 to 100 |
| `bleu-tok` | the same on blank-separated tokens as they stand, unsmoothed | 0 to 100 |
| `chrf` | sacreBLEU's chrF2: character n-grams up to 6 | 0 to 100 |
| `accuracy` | outputs equal to one of their references, as text | percent |
| `wer` | outputs whose symbols are not exactly those of a reference | percent |
| `per` | edits of symbols over the symbols of the closest reference | percent |
| `cer` | edits of characters over the characters of the closest reference | percent |

`wer` is the word error rate of pronunciation, where an output is a word. It splits at blanks, so it
is 100 - `accuracy` unless texts differ in the number of their blanks alone.
Source: Papineni et al. 2002 (BLEU); Popović 2015 (chrF); Post 2018 (sacreBLEU).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from seq2see.config import nearest
from seq2see.errors import ConfigError, DataError
from seq2see.evaluate.corpus import CORPUS_METRICS
from seq2see.evaluate.resample import Table, bootstrap
from seq2see.evaluate.strings import STRING_METRICS


class Metric(Protocol):
    """Counts something a source, and scores a corpus by the sums of these counts."""

    @property
    def name(self) -> str:
        """What users write."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a greater value is a better one."""

    def count(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]
    ) -> tuple[Table, str]:
        """Returns counts `[source, count]` and the signature of the score."""

    def score(self, sums: Table) -> Table:
        """Turns sums `[corpus, count]` into values `[corpus]`."""

    def each(self, table: Table) -> Table:
        """Turns counts `[source, count]` into values `[source]`."""


METRICS: dict[str, Metric] = {metric.name: metric for metric in (*CORPUS_METRICS, *STRING_METRICS)}


@dataclass(frozen=True)
class Score:
    """A metric's value on a corpus, with its 95 % bootstrap interval.

    Args:
        metric: its name, a key of `METRICS`.
        value: in the metric's unit: percent, or 0 to 100.
        low: the interval's lower end; NaN where no resamples were asked for.
        high: its upper end; NaN likewise.
        signature: what somebody else needs to compute the same number.
        higher_is_better: whether a greater value is a better one.
        sources: number of sources scored, or of lines where each line counts.
    """

    metric: str
    value: float
    low: float
    high: float
    signature: str
    higher_is_better: bool
    sources: int


@dataclass(frozen=True)
class Counted:
    """A metric with what it counted on one system's outputs.

    Args:
        metric: the metric.
        table: its counts, `[source, count]`.
        signature: of the score.
    """

    metric: Metric
    table: Table
    signature: str

    def score(self, resampled: Table) -> Score:
        """Scores the corpus, with the interval from values `[resample]` of resampled corpora."""
        value = float(self.metric.score(self.table.sum(0, keepdims=True))[0])
        return Score(
            self.metric.name,
            value,
            *interval(resampled),
            signature=self.signature,
            higher_is_better=self.metric.higher_is_better,
            sources=len(self.table),
        )


def evaluate(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    metrics: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 1,
) -> list[Score]:
    """Scores outputs against their references.

    Args:
        hypotheses: one output a source; may be empty strings.
        references: for each source one or more right outputs.
        metrics: names out of `METRICS`.
        resamples: corpora drawn for the interval; 0 leaves it out (NaN).
        seed: of these draws.

    Returns:
        A score a metric, in the order asked for.

    Raises:
        ConfigError: a metric is unknown; write one of the names given.
        DataError: there is nothing to score; give at least one pair.
        ValueError: outputs and references are not equally many, or a source has no reference.
    """
    counted = count(hypotheses, references, metrics)
    if not counted:
        return []
    drawn = bootstrap([one.table for one in counted], resamples, seed)
    return [one.score(one.metric.score(sums)) for one, sums in zip(counted, drawn, strict=True)]


def count(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], metrics: Sequence[str]
) -> list[Counted]:
    """Counts what each metric needs, once; arguments and errors are those of `evaluate`."""
    chosen = [metric_named(name) for name in metrics]
    _check(hypotheses, references)
    return [Counted(metric, *metric.count(hypotheses, references)) for metric in chosen]


def per_source(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], metric: str
) -> Table:
    """Scores every source alone, to find the ones that went wrong.

    Args:
        hypotheses: one output a source.
        references: for each source one or more right outputs.
        metric: a name out of `METRICS`.

    Returns:
        `[source]`: for `accuracy` and `wer` 0 or 1; for `per` and `cer` edits as a fraction of the
        closest reference's length; for `bleu` and `bleu-tok` smoothed sentence BLEU and for `chrf`
        sentence chrF, 0 to 100.

    Raises:
        ConfigError, DataError, ValueError: as `evaluate`.
    """
    (counted,) = count(hypotheses, references, [metric])
    return counted.metric.each(counted.table)


def metric_named(name: str) -> Metric:
    """Finds a metric by its name.

    Raises:
        ConfigError: there is none of this name; write the nearest one given.
    """
    if name in METRICS:
        return METRICS[name]
    raise ConfigError(f"unknown metric {name!r}", where="metrics", mend=nearest(name, METRICS))


def interval(values: Table) -> tuple[float, float]:
    """Cuts 2.5 % off each end of resampled values: the 95 % percentile interval.

    Source: Efron 1979.

    Args:
        values: `[resample]`, in the metric's unit; without any, both ends are NaN.
    """
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.percentile(values, (2.5, 97.5)).tolist()
    return low, high


def group_references(
    keys: Sequence[Hashable], targets: Sequence[str]
) -> tuple[list[int], list[list[str]]]:
    """Gathers the references of a source that stands on several lines.

    Args:
        keys: for each line what makes its source, as the source text, or (source, features).
        targets: for each line its target.

    Returns:
        The index of the line on which each source first stands, in order, and the references of
        each, in order of their lines.
    """
    first: dict[Hashable, int] = {}
    found: dict[Hashable, list[str]] = {}
    for index, (key, target) in enumerate(zip(keys, targets, strict=True)):
        first.setdefault(key, index)
        found.setdefault(key, []).append(target)
    return list(first.values()), list(found.values())


def _check(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    if len(hypotheses) != len(references):
        raise ValueError(f"{len(hypotheses)} outputs but references for {len(references)} sources")
    if not hypotheses:
        raise DataError("there is no output to score", mend="Give at least one pair with text")
    for index, known in enumerate(references):
        # A bare string is a sequence of strings too: its letters would be scored as references.
        if isinstance(known, str) or not known:
            raise ValueError(f"source {index} needs a list of references, found {known!r}")

"""What the runs of a comparison say together: a score a model, and which models differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from seq2see.evaluate.metrics import Metric, Score, count, interval
from seq2see.evaluate.resample import Table, bootstrap, swap
from seq2see.evaluate.significance import LEVEL, TRIALS, mean_interval

_RESAMPLES, _DRAWS = 1000, 1
"""Corpora drawn for an interval, and the seed of all draws: as everywhere else."""


@dataclass(frozen=True)
class Trial:
    """One trained network and what it wrote on the held-out sources.

    Args:
        model: short name of its architecture.
        seed: what it was drawn from.
        scores: of the outputs, one a metric, the deciding one first.
        outputs: one a source.
        facts: parameters, steps, seconds and target tokens per second of its training.
    """

    model: str
    seed: int
    scores: tuple[Score, ...]
    outputs: tuple[str, ...]
    facts: dict[str, float]

    @property
    def name(self) -> str:
        """Name of the run and of its folder."""
        return f"{self.model}-seed{self.seed}"


@dataclass(frozen=True)
class Summary:
    """A model's score over its seeds.

    Args:
        metric: its name.
        value: mean over the seeds.
        low: lower end of the 95 % interval: of the mean over seeds (Student's t), or, with one
            seed, of the score over sources (bootstrap).
        high: its upper end.
        higher_is_better: whether a greater value is a better one.
        signature: what somebody else needs to compute the same number.
    """

    metric: str
    value: float
    low: float
    high: float
    higher_is_better: bool
    signature: str


@dataclass(frozen=True)
class Standing:
    """A row of the table.

    Args:
        model: short name of its architecture.
        seeds: how many runs stand behind it.
        summaries: one a metric, the deciding one first.
        facts: means over the seeds of what a `Trial` has as facts.
    """

    model: str
    seeds: int
    summaries: tuple[Summary, ...]
    facts: dict[str, float]


@dataclass(frozen=True)
class Contrast:
    """The difference between two models.

    Args:
        first: name of a model.
        second: name of another.
        metric: what they are compared by.
        difference: second - first, in the metric's unit.
        low: lower end of its 95 % interval over sources, by paired bootstrap.
        high: its upper end.
        p_sources: p-value of the paired randomisation test over sources.
        p_seeds: p-value of Welch's test over seeds; None with one seed.
        significant: whether every p-value is below 0.05.
    """

    first: str
    second: str
    metric: str
    difference: float
    low: float
    high: float
    p_sources: float
    p_seeds: float | None
    significant: bool


def stand(trials: Sequence[Trial]) -> list[Standing]:
    """Sums up each model's runs, in the order in which the models first stand in `trials`."""
    return [_standing(runs) for runs in _by_model(trials)]


def best_of(standings: Sequence[Standing]) -> Standing:
    """Returns the model whose mean of the deciding metric is best, the first of equals."""
    sign = 1 if standings[0].summaries[0].higher_is_better else -1
    return max(standings, key=lambda one: sign * one.summaries[0].value)


def contrast(trials: Sequence[Trial], references: Sequence[Sequence[str]]) -> list[Contrast]:
    r"""Tests every pair of models, by every metric.

    A difference can be due to the choice of sources or to the choice of seeds, and has to stand
    against both. Over sources: the paired approximate randomisation test of `significance.compare`,
    with the source as the unit. The counts of a source are summed over a model's seeds first, and
    are swapped all together: outputs of several seeds for one source are not independent, and to
    count them as such would make p too small. Over seeds: Welch's test of the two means. p-values
    are not corrected for the number of pairs.
    Source: Riezler & Maxwell 2005, figure 1; Welch 1947.

    Args:
        trials: all runs; a model may have another number of seeds than its neighbour only where a
            comparison is not finished, and the seeds that both have are used.
        references: for each source one or more right outputs.

    Returns:
        Contrasts of all pairs of models, in their order, each by every metric in its order.
    """
    tallies = {(t.model, t.seed): _tables(t, references) for t in trials}
    found = []
    for first, second in combinations(_by_model(trials), 2):
        shared = {t.seed for t in first} & {t.seed for t in second}
        sides = [[t for t in side if t.seed in shared] for side in (first, second)]
        if shared:
            found += _contrast_pair(sides, [_summed(tallies, side) for side in sides])
    return found


def welch(first: Sequence[float], second: Sequence[float]) -> float | None:
    r"""Returns the two-sided p-value of Welch's test that two means are equal.

    $$t = (\bar{x}_1 - \bar{x}_2) / \sqrt{s_1^2/n_1 + s_2^2/n_2}$$
    Source: Welch 1947.

    Args:
        first: one score a seed.
        second: the same of the other model.

    Returns:
        None where a side has fewer than two values, which say nothing of their spread. Sides
        without any spread differ surely (0) or not at all (1).
    """
    if min(len(first), len(second)) < 2:
        return None
    if np.ptp(first) == np.ptp(second) == 0:
        return float(first[0] == second[0])
    # From the moments, because scipy's own are noisy about a side without spread.
    (mean, deviation), (other_mean, other_deviation) = (
        (float(np.mean(each)), float(np.std(each, ddof=1))) for each in (first, second)
    )
    found = stats.ttest_ind_from_stats(
        *(mean, deviation, len(first)), *(other_mean, other_deviation, len(second)), equal_var=False
    )
    return float(found.pvalue)


def _by_model(trials: Sequence[Trial]) -> list[list[Trial]]:
    runs: dict[str, list[Trial]] = {}
    for trial in trials:
        runs.setdefault(trial.model, []).append(trial)
    return list(runs.values())


def _standing(runs: Sequence[Trial]) -> Standing:
    columns = zip(*(run.scores for run in runs), strict=True)
    summaries = tuple(_summary(scores) for scores in columns)
    facts = {name: float(np.mean([run.facts[name] for run in runs])) for name in runs[0].facts}
    return Standing(runs[0].model, len(runs), summaries, facts)


def _summary(scores: Sequence[Score]) -> Summary:
    one = scores[0]
    value, low, high = mean_interval([score.value for score in scores])
    if len(scores) == 1:
        low, high = one.low, one.high
    return Summary(one.metric, value, low, high, one.higher_is_better, one.signature)


Tables = list[tuple[Metric, Table]]


def _tables(trial: Trial, references: Sequence[Sequence[str]]) -> Tables:
    names = [score.metric for score in trial.scores]
    return [(one.metric, one.table) for one in count(trial.outputs, references, names)]


def _summed(tallies: dict[tuple[str, int], Tables], runs: Sequence[Trial]) -> Tables:
    every = [tallies[run.model, run.seed] for run in runs]
    return [
        (columns[0][0], np.sum([table for _, table in columns], axis=0))
        for columns in zip(*every, strict=True)
    ]


def _contrast_pair(sides: Sequence[Sequence[Trial]], tables: Sequence[Tables]) -> list[Contrast]:
    ours, theirs = ([table for _, table in side] for side in tables)
    drawn = bootstrap([*ours, *theirs], _RESAMPLES, _DRAWS)
    swapped = swap(ours, theirs, TRIALS, _DRAWS)
    found = []
    for i, (metric, _) in enumerate(tables[0]):
        values = [float(metric.score(side[i].sum(0, keepdims=True))[0]) for side in (ours, theirs)]
        difference = values[1] - values[0]
        chance = np.abs(metric.score(swapped[1][i]) - metric.score(swapped[0][i]))
        # Swaps that give the observed difference again may miss it by rounding alone.
        p_sources = (int(np.sum(chance >= abs(difference) - 1e-9)) + 1) / (len(chance) + 1)
        p_seeds = welch(*([trial.scores[i].value for trial in side] for side in sides))
        ends = interval(metric.score(drawn[i + len(ours)]) - metric.score(drawn[i]))
        significant = p_sources < LEVEL and (p_seeds is None or p_seeds < LEVEL)
        names = (sides[0][0].model, sides[1][0].model, metric.name)
        found.append(Contrast(*names, difference, *ends, p_sources, p_seeds, significant))
    return found

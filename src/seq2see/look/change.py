"""By how much a model got better or worse, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seq2see.data.rows import Pair
from seq2see.decode.generate import evaluating
from seq2see.decode.score import score_targets
from seq2see.decode.translate import Translator
from seq2see.evaluate.metrics import count, interval
from seq2see.evaluate.resample import bootstrap
from seq2see.look.forced import Forced

LIKELIHOOD = "likelihood"
"""What `Change.metric` says where no output was decoded."""

Sums = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """The difference between a changed model and the same model unchanged.

    Args:
        metric: what was measured; `likelihood` is the mean log-probability of a target token.
        value: changed less unchanged, in the metric's unit or in nats a token.
        low: lower end of its 95 % interval, by paired bootstrap over the sources.
        high: its upper end.
    """

    metric: str
    value: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Task:
    """What a model is asked, and how its outputs are judged.

    Args:
        sources: one pair a source.
        references: for each source one or more right outputs.
        metric: a name out of `seq2see.evaluate.metrics.METRICS`.
    """

    sources: Sequence[Pair]
    references: Sequence[Sequence[str]]
    metric: str

    def answers(self, translator: Translator) -> list[str]:
        """Decodes every source."""
        return [nbest[0].text for nbest in translator.translate(self.sources)]

    def score(self, outputs: Sequence[str]) -> float:
        """Scores one output a source, in the metric's unit."""
        [counted] = count(outputs, self.references, [self.metric])
        return float(counted.metric.score(counted.table.sum(0, keepdims=True))[0])

    def change(
        self, before: Sequence[str], after: Sequence[str], *, resamples: int = 1000, seed: int = 1
    ) -> Change:
        """Compares two lists of outputs.

        Args:
            before: one output a source, of the unchanged model.
            after: of the changed one.
            resamples: corpora drawn for the interval.
            seed: of the draws.
        """
        both = [count(each, self.references, [self.metric])[0] for each in (before, after)]
        score = both[0].metric.score
        first, second = (score(one.table.sum(0, keepdims=True))[0] for one in both)
        drawn = [score(sums) for sums in bootstrap([one.table for one in both], resamples, seed)]
        return Change(self.metric, float(second - first), *interval(drawn[1] - drawn[0]))


@dataclass(frozen=True)
class Likelihoods:
    """Log-probabilities of the targets a model was forced along.

    Args:
        sums: of each pair, in nats.
        tokens: how many tokens each target has.
    """

    sums: Sums
    tokens: Sums

    @classmethod
    def of(cls, translator: Translator, forced: Forced) -> Likelihoods:
        """Forces the model along every target, under the edits that hold now."""
        with evaluating(translator.network):
            budget = translator.options.batch_tokens
            found = score_targets(translator.network, forced.sources, forced.targets, budget)
        sums = [sum(one.token_scores) for one in found]
        return cls(np.array(sums), np.array([float(len(row)) for row in forced.targets]))

    def change(self, after: Likelihoods, *, resamples: int = 1000, seed: int = 1) -> Change:
        r"""Compares two models on the same targets.

        $$\sum_n (\ell'_n - \ell_n) / \sum_n T_n$$

        with the log-likelihoods l of the targets and their lengths T.

        Args:
            after: of the changed model.
            resamples: corpora drawn for the interval.
            seed: of the draws.
        """
        table = np.stack([after.sums - self.sums, self.tokens], axis=1)
        [drawn] = bootstrap([table], resamples, seed)
        value = table[:, 0].sum() / table[:, 1].sum()
        low, high = interval(drawn[:, 0] / drawn[:, 1])
        return Change(LIKELIHOOD, float(value), low, high)

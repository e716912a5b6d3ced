"""A target that a search found, or that was given to be scored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum

import numpy as np
import numpy.typing as npt

Pattern = npt.NDArray[np.float32]
"""Attention weights `[target, source]`; each row sums to 1."""


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A target with its log-probabilities.

    Args:
        ids: token ids; the end mark is the last one where `finished`.
        token_scores: the natural logarithm of each token's probability, in nats.
        finished: whether it came to its end mark; otherwise the longest length allowed stopped it.
        pattern: where in the source the model looked for each token, `[target, source]`.
    """

    ids: tuple[int, ...]
    token_scores: tuple[float, ...]
    finished: bool
    pattern: Pattern | None = None

    @property
    def score(self) -> float:
        """The logarithm of the whole target's probability, in nats."""
        return fsum(self.token_scores)

    def normalised(self, penalty: float) -> float:
        r"""Divides the score by a power of the length, the end mark counted.

        $$s / |y|^A$$

        Long targets have more factors below 1, so that the plain sum (A = 0) favours short ones;
        A = 1 is the mean log-probability of a token.
        Source: the form that fairseq calls `lenpen`; Wu et al. 2016, eq. 14, divide by
        $((5 + |y|) / 6)^A$ instead.
        """
        return self.score / max(len(self.ids), 1) ** penalty


def ranked(hypotheses: Iterable[Hypothesis], penalty: float) -> list[Hypothesis]:
    """Sorts the finished before the others, and by normalised score, best first."""
    return sorted(hypotheses, key=lambda one: (not one.finished, -one.normalised(penalty)))

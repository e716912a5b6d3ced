"""How far a softmax is saturated: what its scores, weights and slopes are like."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.look.trace import Trace
from seq2see.study.drawn import untrained
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

SPREAD, LARGEST, SLOPE = "standard deviation of scores", "largest weight", "softmax slope"
UNTRAINED, TRAINED = "untrained", "trained"


def saturation(pairs: int = 32) -> Measure:
    """Makes a measure of the encoder's and the cross-attention's scores and weights.

    Of the trained model, and of the network as it was drawn, before the first update.

    Args:
        pairs: test pairs that are looked at.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        models = {UNTRAINED: untrained(subject.model), TRAINED: subject.model}
        for series, model in models.items():
            found = model.trace(subject.test[:pairs])
            yield Reading(SPREAD, _mean(found, "scores", spread), series=series)
            yield Reading(LARGEST, _mean(found, "pattern", largest), series=series)
            yield Reading(SLOPE, _mean(found, "pattern", slope), series=series)

    return measure


def spread(scores: Float[Tensor, "head query key"]) -> float:
    """Returns the standard deviation of a query's scores, as a mean over queries and heads."""
    return float(scores.std(-1, unbiased=False).mean())


def largest(pattern: Float[Tensor, "head query key"]) -> float:
    """Returns the largest weight of a query, as a mean over queries and heads."""
    return float(pattern.amax(-1).mean())


def slope(pattern: Float[Tensor, "head query key"]) -> float:
    r"""Returns how much the weights move with the scores, as a mean over queries and heads.

    $$\| \mathrm{diag}(p) - p p^\top \|_F$$

    0: the softmax is saturated, and no gradient passes.
    """
    # diag(p) - p p' squared and summed, without making the matrix.
    square, cube = (pattern**2).sum(-1), (pattern**3).sum(-1)
    return float(torch.sqrt((square - 2 * cube + square**2).clamp(min=0)).mean())


def _mean(found: Trace, value: str, of: Callable[[Tensor], float]) -> float:
    # A decoder's self-attention is left out: its masked scores would count.
    names = [f"{at}.{value}" for at in _attentions(found)]
    single = [found.pair(i) for i in range(len(found))]
    return float(np.mean([of(one[name][0]) for one in single for name in names]))


def _attentions(found: Trace) -> list[str]:
    names = [name.removesuffix(".pattern") for name in found.names() if name.endswith(".pattern")]
    return [at for at in names if at.startswith("encoder.") or at.endswith(".cross")]

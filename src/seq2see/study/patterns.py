"""What attention patterns show: how alike heads are, how much goes to a position itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.look.trace import Trace
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

APART = "distance between heads"
UNLIKE = "largest difference of two heads' weights"
ITSELF = "weight on itself (%)"


def apart(pattern: Float[Tensor, "head query key"]) -> float:
    r"""Returns the mean distance of two heads' patterns, from 0 (the same) to 1.

    $$\mathrm{JS}(p, q) = \tfrac12 \mathrm{KL}(p \| m) + \tfrac12 \mathrm{KL}(q \| m),
      \quad m = (p + q)/2$$

    in bits, as a mean over queries and pairs of heads. Source: Lin 1991. 0 where there is but one
    head.
    """
    found = []
    for one, other in combinations(pattern.double(), 2):
        each = (_entropy(one) + _entropy(other)) / 2
        # Rounding can leave less than 0 of two patterns that are the same.
        found.append(float((_entropy((one + other) / 2) - each).clamp(min=0).mean()))
    return float(np.mean(found)) if found else 0.0


def head_distance(pairs: int = 32) -> Measure:
    """Makes a measure of how far the heads of each attention are apart, and of their mean.

    Args:
        pairs: test pairs that are looked at.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        every = []
        for at, patterns in _patterns(subject.model.trace(subject.test[:pairs])).items():
            every.append(float(np.mean([apart(each) for each in patterns])))
            yield Reading(APART, every[-1], series=at)
        yield Reading(APART, float(np.mean(every)))

    return measure


def largest_difference(pairs: int = 32) -> Measure:
    """Makes a measure of the largest difference of two heads of an attention in one weight.

    It tells heads whose patterns are the same but for rounding from others.

    Args:
        pairs: test pairs that are looked at.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        found = _patterns(subject.model.trace(subject.test[:pairs]))
        yield Reading(UNLIKE, max(unlike(each) for every in found.values() for each in every))

    return measure


def unlike(pattern: Float[Tensor, "head query key"]) -> float:
    """Returns the largest difference of two heads in one weight."""
    return float((pattern.amax(0) - pattern.amin(0)).max())


def weight_on_itself(pairs: int = 32) -> Measure:
    """Makes a measure of what share of the encoder's attention goes to a position itself.

    Args:
        pairs: test pairs that are looked at.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        found = _patterns(subject.model.trace(subject.test[:pairs]))
        own = [on_itself(p) for at, each in found.items() if at.startswith("encoder") for p in each]
        yield Reading(ITSELF, 100 * float(np.mean(own)))

    return measure


def on_itself(pattern: Float[Tensor, "head query key"]) -> float:
    """Returns the mean weight of the diagonal."""
    return float(pattern.diagonal(dim1=-2, dim2=-1).mean())


def _patterns(found: Trace) -> dict[str, list[Tensor]]:
    names = [name for name in found.names() if name.endswith(".pattern")]
    single = [found.pair(i) for i in range(len(found))]
    return {name.removesuffix(".pattern"): [one[name][0] for one in single] for name in names}


def _entropy(weights: Tensor) -> Tensor:
    return torch.special.entr(weights).sum(-1) / math.log(2)

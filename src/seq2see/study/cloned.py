"""Heads that begin as twins, and whether their gradients are those of twins."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.look.removal import attentions
from seq2see.nn.network import Network
from seq2see.nn.slices import clone_head, head_slices
from seq2see.study.plan import Begin, Measure
from seq2see.study.readings import Reading
from seq2see.study.slopes import slopes
from seq2see.study.trial import Subject

UNEQUAL = "difference of two heads' gradients"


def cloned(*, with_output: bool) -> Begin:
    """Makes a beginning in which all heads of each attention are twins of its first one.

    Args:
        with_output: whether the columns of the output map are copied too.
    """

    def begin(network: Network) -> None:
        for at, heads in attentions(network).items():
            for head in range(1, heads):
                clone_head(network, at, 0, head, with_output=with_output)

    return begin


def gradient_difference(pairs: int = 64) -> Measure:
    """Makes a measure of how unlike the gradients of an attention's heads are, a mean over all.

    See `unequal`; of the loss by a head's query, key and value together.

    Args:
        pairs: test pairs that the loss is taken over.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        network = subject.model.network
        found = [
            unequal(_by_head(subject, at, heads, pairs))
            for at, heads in attentions(network).items()
            if heads > 1
        ]
        yield Reading(UNEQUAL, float(np.mean(found)))

    return measure


def unequal(gradients: Float[Tensor, "head parameter"]) -> float:
    r"""Returns the mean relative difference of two heads' gradients.

    $$2\,\lVert g - g' \rVert / (\lVert g \rVert + \lVert g' \rVert)$$

    0: they are equal. About 1.4: they are as long as each other and at right angles. 2: opposed.
    """
    found = []
    for one, other in combinations(gradients, 2):
        total = float(one.norm() + other.norm())
        found.append(2 * float((one - other).norm()) / total if total else 0.0)
    return float(np.mean(found))


def _by_head(subject: Subject, at: str, heads: int, pairs: int) -> Tensor:
    network = subject.model.network
    parts = [head_slices(network, at, head, with_output=False) for head in range(heads)]
    names = list(dict.fromkeys(part.name for own in parts for part in own))
    by_name = dict(zip(names, slopes(subject.model, subject.test[:pairs], names), strict=True))
    return torch.stack(
        [torch.cat([part.of(by_name[part.name]).flatten() for part in own]) for own in parts]
    )

"""How strongly an answer depends on pieces of the source, by how far back they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from seq2see.api.model import Model
from seq2see.data.rows import Pair
from seq2see.decode.score import Given, side_by_side
from seq2see.look.attribution import EMBEDDED
from seq2see.look.capture import capture, gradients
from seq2see.look.forced import force
from seq2see.look.names import find
from seq2see.look.trace import log_likelihood
from seq2see.nn.network import Network
from seq2see.study.drawn import untrained
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

NORM = "gradient of the answer"
FALL = "fall of the gradient (orders of magnitude)"
UNTRAINED = "untrained"

_LEAST = 1e-30
"""What float32 can still tell from 0; smaller norms count as this."""


@dataclass(frozen=True)
class Reach:
    """Norms of gradients by distance from the end of the source.

    Args:
        norm: the mean over the sources that are long enough, for each distance from 0.
        count: how many of them there were.
    """

    norm: Float[np.ndarray, " distance"]
    count: Int[np.ndarray, " distance"]

    @property
    def fall(self) -> float:
        r"""By how many orders of magnitude the norm falls from the end of the source to its start.

        The longest distance times the slope of the line $\log_{10}$ norm $= a - b\,k$ that fits
        best, each distance k weighed by its count: an exponential fall is such a line. Below 0
        where it rises; 0 where all sources have one piece.
        """
        if len(self.norm) < 2:
            return 0.0
        places = np.arange(len(self.norm))
        logs = np.log10(np.maximum(self.norm, _LEAST))
        slope, _ = np.polyfit(places, logs, 1, w=np.sqrt(self.count))
        return float(-slope * places[-1])


def gradient_of_answer(pairs: int = 64) -> Measure:
    """Makes a measure of how strongly the answer depends on what stands far back; see `reach`.

    The curve by distance and its fall, of the trained model and of the network as it was drawn.

    Args:
        pairs: test pairs that are looked at.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        models = {"": subject.model, UNTRAINED: untrained(subject.model)}
        for series, model in models.items():
            found = reach(model, subject.test[:pairs])
            for distance, norm in enumerate(found.norm.tolist()):
                yield Reading(NORM, norm, at=distance, series=series)
            yield Reading(FALL, found.fall, series=series)

    return measure


def reach(model: Model, pairs: Sequence[Pair]) -> Reach:
    r"""Measures the gradient of the answer by each piece of the source, whatever it passes through.

    $$\lVert \partial \ln p(y \mid x) / \partial e_{J-k} \rVert$$

    with e the embeddings and J the last piece of the source, its end mark. Attention is a path
    like any other, so that all architectures are read alike; how high a curve lies depends on how
    sure a model is of y, how it falls does not. Source: Bengio et al. 1994, section 4, with the
    answer in the place of a late state.

    Args:
        model: the model.
        pairs: with the targets that are asked for.
    """
    translator = model.translator()
    forced = force(translator, pairs)
    longest = max(map(len, forced.sources))
    sums, counts = np.zeros(longest), np.zeros(longest, dtype=np.int64)
    budget = translator.options.batch_tokens
    for given in side_by_side(model.network, forced.sources, forced.targets, budget):
        norms = answer_gradients(model.network, given).norm(dim=-1).double().cpu().numpy()
        for row, real in zip(norms, given.real.sum(-1).tolist(), strict=True):
            sums[:real] += row[:real][::-1]
            counts[:real] += 1
    return Reach(sums / counts, counts)


def answer_gradients(network: Network, given: Given) -> Float[Tensor, "row source d_embedding"]:
    """Returns the gradient of each row's target by each embedding of its source.

    0 at padding, which nothing reads.
    """
    site = find(network, EMBEDDED)
    captured, logits = capture(network, given, [site], grad=True)
    [embedded] = captured[site.name]
    with gradients(True):
        total = log_likelihood(logits, given.wanted).sum()
        [slope] = torch.autograd.grad(total, embedded)
    return slope

"""How far apart the vectors are that tell positions from each other, and what lies beyond them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import KDTree
from torch import Tensor

from seq2see.nn.embedding import Embedding
from seq2see.nn.positions import Learned, Sinusoidal, sinusoids
from seq2see.study.measures import EXACT
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

TWIN, FEWER = "nearest twin", "sinusoids"
WITHIN, BEYOND = "trained lengths", "longer"


def nearest_twin(codes: Float[Tensor, "position d_model"]) -> float:
    """Returns the least distance between the codes of two different positions."""
    points = codes.detach().double().numpy()
    distances = np.asarray(KDTree(points).query(points, k=2)[0])  # of itself, and of the next
    return float(distances[:, 1].min())


def nearest_twins(
    positions: int = 2000, frequencies: tuple[int, ...] = (1, 2, 4, 8, 16)
) -> Measure:
    """Makes a measure of the nearest twin among the source's position codes of a model.

    A model without codes, whose attention knows distances or nothing, has none. Beside it stands
    the nearest twin of sinusoids of few frequencies, which needs no model.

    Args:
        positions: how many are compared, from 0.
        frequencies: how many sines, each with its cosine.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        places = torch.arange(positions)
        codes = _codes(subject.model.network.source, places)
        if codes is not None:
            yield Reading(TWIN, nearest_twin(codes))
        for count in frequencies:
            yield Reading(TWIN, nearest_twin(sinusoids(places, 2 * count)), at=count, series=FEWER)

    return measure


def _codes(source: Embedding, places: Tensor) -> Tensor | None:
    if isinstance(source.positions, Learned):
        # Past its table a learned code repeats the last vector: those are twins by design.
        return source.positions.table[: len(places)]
    if isinstance(source.positions, Sinusoidal):
        return source.positions.codes(places, source.table.embedding_dim)
    return None


def exact_within_and_beyond(longest: int) -> Measure:
    """Makes a measure of right outputs up to the longest source trained on, beyond it, by length.

    Args:
        longest: source of the training pairs, in words.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        outputs = subject.model.translate(subject.test, beam=1)
        lengths = np.array([len(pair.source.split()) for pair in subject.test])
        pairs = zip(outputs, subject.test, strict=True)
        right = np.array([out == pair.target for out, pair in pairs])
        for name, chosen in ((WITHIN, lengths <= longest), (BEYOND, lengths > longest)):
            if chosen.any():
                yield Reading(EXACT, 100 * float(right[chosen].mean()), series=name)
        for length in np.unique(lengths).tolist():
            yield Reading(EXACT, 100 * float(right[lengths == length].mean()), at=length)

    return measure

"""How alike a Transformer's encoder leaves the vectors of a pair, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

RESIDUE, ALIKE = "res(X)", "token similarity"
LAST = "last layer"


def collapse(pairs: int = 32) -> Measure:
    """Makes a measure of how far the encoder's vectors have become the same at all positions.

    The curve is by sub-layer, 0 for the embedding; the plain reading is the last one. See
    `Model.stream`.

    Args:
        pairs: test pairs that are looked at.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        levels = [
            level
            for level in subject.model.stream(subject.test[:pairs])
            if level.name.partition(".")[0] in ("source", "encoder")
        ]
        for at, level in enumerate(levels):
            yield Reading(RESIDUE, level.residue, at=at)
            yield Reading(ALIKE, level.similarity, at=at)
        yield Reading(RESIDUE, levels[-1].residue, series=LAST)
        yield Reading(ALIKE, levels[-1].similarity, series=LAST)

    return measure

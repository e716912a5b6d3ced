"""How many words of an output are right, where whole outputs seldom are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from seq2see.look.forced import force
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

WORDS = "words right (%)"
SHORT, LONG = "shorter half", "longer half"


def words_right(subject: Subject) -> Iterator[Reading]:
    """Reads the share of target words that the greedy output has at their place.

    Once over all test pairs, and once by the number of words of the target.
    """
    by_length: dict[int, list[float]] = defaultdict(list)
    outputs = subject.model.translate(subject.test, beam=1)
    for pair, output in zip(subject.test, outputs, strict=True):
        wanted = pair.target.split()
        by_length[len(wanted)].append(share_right(output.split(), wanted))
    every = [share for found in by_length.values() for share in found]
    yield Reading(WORDS, 100 * float(np.mean(every)))
    for length, found in sorted(by_length.items()):
        yield Reading(WORDS, 100 * float(np.mean(found)), at=length)


def words_right_by_source(subject: Subject) -> Iterator[Reading]:
    """Reads the same of the test pairs with the shorter and with the longer half of the sources.

    A length is the pieces that the model reads. Nothing is read where all sources are as long.
    """
    lengths = [len(ids) for ids in force(subject.model.translator(), subject.test).sources]
    middle = float(np.median(lengths))
    outputs = subject.model.translate(subject.test, beam=1)
    halves: dict[str, list[float]] = {SHORT: [], LONG: []}
    for pair, output, length in zip(subject.test, outputs, lengths, strict=True):
        right = share_right(output.split(), pair.target.split())
        halves[LONG if length > middle else SHORT].append(right)
    if all(halves.values()):
        for half, found in halves.items():
            yield Reading(WORDS, 100 * float(np.mean(found)), series=half)


def share_right(output: list[str], wanted: list[str]) -> float:
    """Returns the share of wanted words that stand in the output at the same place."""
    hits = sum(first == second for first, second in zip(output, wanted, strict=False))
    return hits / len(wanted)

"""What single heads are worth: what is lost when each is taken out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

HARM = "loss without a head (nats)"
MATTER = "heads that matter (%)"

LEAST = 0.1
"""A head matters where a target token loses more nats than this without it."""


def harm(pairs: int = 100) -> Measure:
    """Makes a measure of what ablating each head, by its mean, costs a target token.

    By attention the largest loss of its heads, over all heads the largest, and the share of heads
    without which more than `LEAST` is lost.

    Args:
        pairs: test pairs that are looked at.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        rows = subject.model.heads(subject.test[:pairs], ablations="likelihood").rows
        lost = [(row.at, 0.0 if row.change is None else -row.change.value) for row in rows]
        for at in dict.fromkeys(at for at, _ in lost):
            yield Reading(HARM, max(value for name, value in lost if name == at), series=at)
        every = [value for _, value in lost]
        yield Reading(HARM, max(every))
        yield Reading(MATTER, 100 * float(np.mean([value > LEAST for value in every])))

    return measure

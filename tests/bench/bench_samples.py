"""A clock that work moves on, and networks small enough to be measured in milliseconds."""

from __future__ import annotations

from itertools import count

from seq2see.bench.subjects import Subject, subject
from seq2see.bench.timing import Work

SMALL = {
    "tiny": (
        "model.d_model=16",
        "model.d_ff=32",
        "model.heads=2",
        "data.vocabulary=50",
        "train.batch_tokens=100",
    ),
    "bilstm+additive": (
        "model.d_embedding=16",
        "model.d_hidden=16",
        "train.batch_tokens=100",
    ),
}


class Watch:
    """A clock that stands still but for the work it is told of."""

    def __init__(self) -> None:
        self.now, self.calls = 0.0, 0

    def __call__(self) -> float:
        return self.now

    def work(self, done: float, *seconds: float) -> Work:
        """Work that takes these seconds, call after call, the last of them from then on."""
        turns = count()

        def work() -> float:
            self.calls += 1
            self.now += seconds[min(next(turns), len(seconds) - 1)]
            return done

        return work


def small(name: str, *assignments: str) -> Subject:
    """A network of the bench with few and narrow matrices."""
    return subject(name, *SMALL[name], *assignments)

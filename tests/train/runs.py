"""Judges and batches that do as they are told, for tests of the loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from torch import Tensor

from seq2see.data.batches import Batch, Batches, Cursor
from seq2see.train.loop import Judge, Trainer

STEPS = 100


@dataclass
class Scores:
    """A judge that reads its scores from a list and remembers what it was given."""

    values: Iterable[float] = (1.0,) * 1000
    higher_is_better: bool = True
    seen: list[dict[str, Tensor]] = field(default_factory=list)
    kept: list[tuple[dict[str, Tensor], float]] = field(default_factory=list)

    def judge(self) -> Judge:
        values = iter(self.values)

        def score(weights: dict[str, Tensor]) -> float:
            self.seen.append({name: t.detach().clone() for name, t in weights.items()})
            return next(values)

        def keep(weights: dict[str, Tensor], value: float) -> None:
            self.kept.append(({n: t.detach().clone() for n, t in weights.items()}, value))

        return Judge("accuracy", self.higher_is_better, score, keep)


class Given(Batches):
    """Hands out the batches it was given, round and round."""

    def __init__(self, *batches: Batch) -> None:
        self.batches = batches

    def epochs(self, cursor: Cursor) -> float:
        return cursor.index / len(self.batches)

    def after(self, cursor: Cursor) -> Iterator[tuple[Batch, Cursor]]:
        index = cursor.index
        while True:
            yield self.batches[index % len(self.batches)], Cursor(0, index + 1)
            index += 1


def weights(trainer: Trainer) -> dict[str, Tensor]:
    """A copy of the float32 weights."""
    return {name: p.detach().clone() for name, p in trainer.optimizer.masters.items()}

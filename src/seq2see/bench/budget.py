"""A time budget shared among measurements, which keeps account of what it did not reach."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from seq2see.bench.timing import LEAST, Clock, Figure, OutOfTimeError, Work, repeat
from seq2see.errors import TrainingError, is_out_of_memory


@dataclass(frozen=True)
class Missing:
    """A figure that there is not.

    Args:
        name: what was to be measured.
        why: why it was not.
    """

    name: str
    why: str


class Budget:
    """Gives each measurement its share of the time that is left.

    What a quick measurement leaves over, all later ones share.

    Args:
        seconds: the whole budget.
        parts: how many measurements there will be.
        watcher: is told the name of each measurement when it begins.
        clock: tells seconds.
    """

    def __init__(
        self,
        seconds: float,
        parts: int,
        watcher: Callable[[str], object] | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.seconds, self.parts = seconds, parts
        self.watcher, self.clock = watcher, clock
        self.missing: list[Missing] = []
        self._begin = clock()

    @property
    def spent(self) -> float:
        """Seconds since the budget was opened."""
        return self.clock() - self._begin

    @property
    def left(self) -> float:
        """Seconds that remain."""
        return self.seconds - self.spent

    def measure(
        self,
        name: str,
        prepare: Callable[[], Work],
        *,
        at_least: float = 0.0,
        optional: bool = False,
    ) -> Figure | None:
        """Measures one thing, or notes why not.

        Args:
            name: what is measured.
            prepare: makes ready what is then timed.
            at_least: seconds that one repetition is known to need, so that a hopeless one is not
                even begun.
            optional: whether it may fail, as arithmetic does that a machine lacks.
        """
        share = self.left / max(1, self.parts)
        self.parts -= 1
        if self.left <= 0:
            self.skip(name, "the time was used up before its turn")
            return None
        if LEAST * at_least > self.left:
            self.skip(name, str(OutOfTimeError(at_least, self.left)))
            return None
        if self.watcher is not None:
            self.watcher(name)
        with self._noting(name, optional):
            return repeat(prepare(), share, self.left, self.clock)
        return None

    def skip(self, name: str, why: str) -> None:
        """Notes what is not measured."""
        self.missing.append(Missing(name, why))

    @contextmanager
    def _noting(self, name: str, optional: bool) -> Iterator[None]:
        """Turns what may go wrong in a measurement into a note; anything else is a defect."""
        try:
            yield
        except OutOfTimeError as late:
            self.skip(name, str(late))
        except TrainingError as error:  # memory, or a loss that is not finite
            self.skip(name, error.found)
        except (MemoryError, RuntimeError) as error:
            if is_out_of_memory(error):
                self.skip(name, "memory ran out")
            elif optional:
                reason = str(error).strip().partition("\n")[0]
                self.skip(name, f"does not work here ({reason})")
            else:
                raise

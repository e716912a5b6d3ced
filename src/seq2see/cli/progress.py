"""What a person sees while a model is trained: a live line, or plain lines in a file."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from seq2see.train.journal import Validation, Window


class Display:
    """Shows loss, words/s (target tokens a second), learning rate, time left and validations.

    An observer of a run, and a context manager around it. In a terminal a bar is kept up to date;
    elsewhere each validation prints one line.

    Args:
        console: where to print.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bar = Progress(
            BarColumn(bar_width=12),
            TextColumn("{task.percentage:>3.0f} %  {task.description}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=1.0)
        self._last: Window | None = None
        self._score = ""

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.console.is_terminal:
            self._bar.stop()

    def window(self, record: Window) -> None:
        """Moves the bar on."""
        self._last = record
        text = "  ".join(part for part in (describe(record), self._score) if part)
        self._bar.update(self._task, completed=min(record.progress, 1.0), description=text)

    def validation(self, record: Validation) -> None:
        """Prints a line with the score, and whether it is the best so far."""
        self._score = f"{record.metric} {record.score:.2f}"
        parts = [f"step {record.step:,}", f"{self._score}{' (best)' if record.best else ''}"]
        if self._last is not None:
            parts.append(describe(self._last))
        self.console.print("  ".join(parts), soft_wrap=True)


def describe(record: Window) -> str:
    """Says where a run stands."""
    return (
        f"loss {record.loss:.3f}  {record.tokens_per_second:,.0f} words/s"
        f"  rate {record.rate:.1e}  {clock(seconds_left(record))} left"
    )


def seconds_left(record: Window) -> float:
    """Estimates the seconds that remain, from those that passed."""
    if record.progress <= 0:
        return float("inf")
    return max(0.0, record.seconds * (1 / record.progress - 1))


def clock(seconds: float) -> str:
    """Writes a duration as `m:ss` or `h:mm:ss`."""
    if seconds == float("inf"):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

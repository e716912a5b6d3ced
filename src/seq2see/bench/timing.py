"""A rate is the median over several windows of time, and says how far they spread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEAST, MOST = 3, 5
"""Windows behind one figure. More than five would take their time from the large networks."""

_WINDOW = 0.05
"""Seconds of a window at least: a shorter one would measure the clock and the scheduler."""

Work = Callable[[], float]
"""Does a piece of work and returns how much was done: operations, tokens, sentences."""
Clock = Callable[[], float]


@dataclass(frozen=True)
class Figure:
    """How much was done a second.

    Args:
        value: the median of the windows.
        low: the slowest window.
        high: the fastest window.
        repetitions: how many windows there were.
    """

    value: float
    low: float
    high: float
    repetitions: int


class OutOfTimeError(Exception):
    """The time that is left does not hold the least number of windows."""

    def __init__(self, window: float, left: float) -> None:
        self.window, self.left = window, left
        super().__init__(
            f"one repetition takes {window:.1f} s, and {max(left, 0.0):.1f} s are left"
            f" for {LEAST} of them"
        )


def repeat(work: Work, share: float, left: float, clock: Clock = time.perf_counter) -> Figure:
    """Repeats a piece of work: at least three windows, more while its share of the time lasts.

    A first window warms up (kernels are compiled, memory is claimed) and does not count.

    Args:
        work: what is done; a window holds it as many times as fill it.
        share: seconds after which three windows are enough.
        left: seconds there are at all.
        clock: tells seconds.

    Raises:
        OutOfTimeError: three windows as long as the first would not fit into what is left.
    """
    begin = clock()
    _window(work, clock)
    once = clock() - begin
    if LEAST * once > left - once:
        raise OutOfTimeError(once, left - once)
    rates: list[float] = []
    while len(rates) < LEAST or (len(rates) < MOST and clock() - begin + once <= share):
        rates.append(_window(work, clock))
    return Figure(float(np.median(rates)), min(rates), max(rates), len(rates))


def _window(work: Work, clock: Clock) -> float:
    """Works until a window is full and returns what was done a second."""
    begin, done, seconds = clock(), 0.0, 0.0
    while seconds < _WINDOW:
        done += work()
        seconds = clock() - begin
    return done / seconds

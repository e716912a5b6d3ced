"""Which precision and how many threads the measurements speak for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seq2see.bench.training import Trained
from seq2see.train.precision import GAIN
from seq2see.train.settings import Precision

_ENOUGH = 0.95
"""Of two numbers of threads the smaller is chosen if it reaches this share of the speed: the others
are then free for something else."""


@dataclass(frozen=True)
class Advice:
    """How to train a network here.

    Args:
        network: its name.
        precision: the one to train in; None where there was nothing to compare.
        threads: how many of them; None where there was nothing to compare.
        reasons: the measured ratios that both rest on.
    """

    network: str
    precision: Precision | None
    threads: int | None
    reasons: tuple[str, str]


def advise(rows: Sequence[Trained]) -> list[Advice]:
    """Advises on each network that was measured, in the order of the rows."""
    names = dict.fromkeys(row.network for row in rows)
    return [_on(name, [row for row in rows if row.network == name]) for name in names]


def _on(name: str, rows: Sequence[Trained]) -> Advice:
    full = max(row.threads for row in rows)
    precision, why = choose_precision([row for row in rows if row.threads == full])
    compared = precision or rows[0].precision
    threads, why_threads = choose_threads([row for row in rows if row.precision == compared])
    return Advice(name, precision, threads, (why, why_threads))


def choose_precision(rows: Sequence[Trained]) -> tuple[Precision | None, str]:
    """Chooses as `train.precision=auto` does: bfloat16 has to save a tenth of the time.

    Args:
        rows: of one network and one number of threads, one a precision.

    Returns:
        The precision, None without two to compare, and why.
    """
    speeds = {row.precision: row.tokens.value for row in rows}
    if len(speeds) < 2:
        return None, "no two precisions were measured"
    ratio = speeds["bfloat16"] / speeds["float32"]
    compared = f"bfloat16 has {ratio:.2f} times the tokens/s of float32"
    if 1 / ratio < GAIN:
        return "bfloat16", compared
    return "float32", f"{compared}, and its rounding is worth it from {1 / GAIN:.2f} on"


def choose_threads(rows: Sequence[Trained]) -> tuple[int | None, str]:
    """Chooses the fewest threads that come within a twentieth of the fastest.

    Args:
        rows: of one network and one precision, one a number of threads.

    Returns:
        How many, None without two to compare, and why.
    """
    speeds = {row.threads: row.tokens.value for row in rows}
    if len(speeds) < 2:
        return None, "no two numbers of threads were measured"
    best = max(speeds.values())
    chosen = min(threads for threads, speed in speeds.items() if speed >= _ENOUGH * best)
    others = (
        f"{speeds[chosen] / speed:.2f} times the tokens/s of {threads}"
        for threads, speed in sorted(speeds.items(), reverse=True)
        if threads != chosen
    )
    return chosen, f"{chosen} {'has' if chosen == 1 else 'have'} {', '.join(others)}"

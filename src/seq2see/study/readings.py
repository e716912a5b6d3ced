"""What is read off one trained model."""

from __future__ import annotations

from dataclasses import dataclass

FAILED = "failed runs"
"""The measure of runs that came to nothing: 1 for such a run, 0 for another."""


@dataclass(frozen=True)
class Reading:
    """One number that a model gave.

    Args:
        measure: what it measures, with its unit where it has one: `exact match (%)`.
        value: the number.
        at: where on a curve it stands, such as a distance; None for a plain number.
        series: which of several curves or heads it belongs to; empty for the only one.
    """

    measure: str
    value: float
    at: float | None = None
    series: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one model of a condition and a seed came to.

    Args:
        labels: the level of each factor.
        seed: what the model was drawn from.
        readings: what was measured.
        seconds: of training and measuring together.
    """

    labels: dict[str, str]
    seed: int
    readings: tuple[Reading, ...]
    seconds: float

"""How soon a model has learned, by its journal."""

from __future__ import annotations

from collections.abc import Iterator

from seq2see.files import read_lines
from seq2see.recipe.folder import TrainingFolder
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject


def updates_until(score: float) -> Measure:
    """Makes a measure of the updates until a validation reaches a score of which more is better.

    A run that never reaches it counts as all of its updates, so that the figure is a lower bound.

    Args:
        score: in the unit of the task's metric.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        rows = read_lines(TrainingFolder(subject.folder).journal)
        checks = [row for row in rows if row["kind"] == "validation"]
        reached = [row["step"] for row in checks if row["score"] >= score]
        yield Reading(until(score), min(reached, default=checks[-1]["step"]))

    return measure


def until(score: float) -> str:
    """Names that measure."""
    return f"updates until {score:g} %"

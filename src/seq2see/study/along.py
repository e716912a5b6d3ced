"""Measures that follow a model along its training, by what was kept of it at milestones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from seq2see.api.model import load
from seq2see.errors import ConfigError, DataError
from seq2see.recipe.folder import TrainingFolder
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject


def milestones(subject: Subject) -> Iterator[tuple[int, Subject]]:
    """Yields the model as it was at each milestone of its training, with the updates behind it.

    The weights are those of that update, neither averaged nor chosen by validation.

    Raises:
        DataError: none was kept; set `train.milestones`.
    """
    kept = TrainingFolder(subject.folder).milestones
    if not kept:
        raise DataError(
            "no milestone was kept",
            where=str(subject.folder),
            mend="Set train.milestones=[0,100,400] to updates that the run reaches",
        )
    device = str(next(subject.model.network.parameters()).device)
    for step, path in kept.items():
        yield step, subject.of(load(path, device=device))


def along(measure: Measure) -> Measure:
    """Makes a curve over the updates of a measure, and keeps its last points as plain readings.

    Args:
        measure: what is read at each milestone.

    Raises:
        ConfigError: the measure is a curve itself; so does the measure made.
    """

    def followed(subject: Subject) -> Iterator[Reading]:
        last: list[Reading] = []
        for step, model in milestones(subject):
            last = list(measure(model))
            for reading in last:
                if reading.at is not None:
                    raise ConfigError(
                        f"{reading.measure} is a curve itself",
                        expected="a measure of plain readings",
                        where="along",
                    )
                yield replace(reading, at=step)
        yield from last

    return followed

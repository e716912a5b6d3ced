"""A study small enough for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from seq2see.study.lecture import far
from seq2see.study.plan import Study
from seq2see.study.trial import Options

QUICK = ("train.steps=3", "train.validations=1", "train.precision=float32")


def shrunk(study: Study, **levels: tuple[str, ...]) -> Study:
    """Leaves a study the named levels of its factors and few pairs."""
    factors = tuple(
        replace(
            factor,
            levels=tuple(
                level
                for level in factor.levels
                if level.label in levels.get(factor.name.replace(" ", "_"), (level.label,))
            ),
        )
        for factor in study.factors
    )
    material = replace(study.material, train=40, dev=5, test=8)
    return replace(study, factors=factors, material=material)


def options(folder: Path, *settings: str) -> Options:
    return Options(folder / "out", (*QUICK, *settings))


SMALL = shrunk(far.STUDY, model=("rnn", "lstm+attention"), gap=("5",))

"""A study small enough for tests, and models for its measures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from look.opened import TOKENIZERS, network_of, searching
from seq2see.api.model import Model
from seq2see.bundle.folder import Bundle
from seq2see.config import as_table
from seq2see.data.pairs import Pair
from seq2see.nn.network import Network
from seq2see.nn.settings import TransformerSettings
from seq2see.study.lecture import far
from seq2see.study.plan import Condition, Study
from seq2see.study.readings import Reading
from seq2see.study.trial import Options, Subject

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

PAIRS = (Pair("abc", "cab"), Pair("hd", "dh"), Pair("decade", "ace"))


def subject(settings: TransformerSettings, network: Network | None = None) -> Subject:
    """A subject of an untrained model with random parameters."""
    made = network or network_of(searching(settings))
    tree = {
        "seed": 1,
        "data": {"source": "characters", "target": "characters", "joint": True},
        "model": as_table(settings),
        "train": {"batch_tokens": 64},
    }
    model = Model([Bundle(tree, made, TOKENIZERS)])
    links = tuple(tuple((i, i) for i in range(len(pair.target))) for pair in PAIRS)
    return Subject(model, PAIRS, links, Condition({}), 1, Path())


def read(found: list[Reading]) -> dict[tuple[str, str, float | None], float]:
    return {(each.measure, each.series, each.at): each.value for each in found}

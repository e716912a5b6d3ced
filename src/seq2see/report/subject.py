"""The model that a report is about, and its data; all that pages ask of it is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from seq2see.api.evaluation import Answers
from seq2see.api.model import Model
from seq2see.data.pairs import Pair
from seq2see.decode.translate import Translation, Translator
from seq2see.decode.tree import Tree, grow
from seq2see.errors import DataError
from seq2see.evaluate.metrics import Score, per_source
from seq2see.files import read_lines
from seq2see.look.heads import HeadOptions, heads
from seq2see.look.names import only
from seq2see.look.table import HeadTable
from seq2see.look.trace import Trace, trace
from seq2see.nn.network import Network
from seq2see.recipe.folder import TrainingFolder
from seq2see.recipe.judging import Examination, examine_by
from seq2see.report.packing import Array
from seq2see.report.sample import Extent, chosen, drawn


@dataclass(frozen=True)
class Subject:
    """A model and the pairs it is asked.

    Args:
        model: a single model.
        folder: where it was opened.
        data: name of the pairs.
        every: what the model is asked and what would be right, before any draw.
        extent: how much of it is looked at.
    """

    model: Model
    folder: Path
    data: str
    every: Examination
    extent: Extent

    @cached_property
    def network(self) -> Network:
        """The network."""
        return only(self.translator.network)

    @cached_property
    def translator(self) -> Translator:
        """The recipe's own search."""
        return self.model.translator()

    @cached_property
    def journal(self) -> list[dict[str, Any]]:
        """What training wrote down; empty where the training folder is gone."""
        return read_lines(TrainingFolder(self.folder).journal)

    @cached_property
    def asked(self) -> Examination:
        """The sources that are decoded and scored."""
        numbers = drawn(len(self.every.sources), self.extent.scored, self.extent.seed)
        return Examination(
            [self.every.sources[i] for i in numbers],
            [self.every.references[i] for i in numbers],
            self.every.metrics,
        )

    @cached_property
    def answers(self) -> tuple[Translation, ...]:
        """The best output of each source asked."""
        return Answers.of(self.translator, self.asked.sources).best

    @cached_property
    def outputs(self) -> list[str]:
        """What was written for each source asked."""
        return [one.text for one in self.answers]

    @cached_property
    def scores(self) -> list[Score]:
        """The scores of the outputs, the deciding metric first."""
        return self.asked.score(self.outputs)

    @cached_property
    def right(self) -> list[bool]:
        """Whether each output is one of its references."""
        found: Array = per_source(self.outputs, self.asked.references, "accuracy")
        return [bool(one) for one in found]

    @cached_property
    def sizes(self) -> list[int]:
        """Tokens of each source asked, features counted and the end mark not."""
        return [max(0, len(one.source_tokens) - 1) for one in self.answers]

    @cached_property
    def numbers(self) -> list[int]:
        """Which of the sources asked are opened one by one."""
        longer = [max(len(one.source_tokens), len(one.tokens)) for one in self.answers]
        return chosen(self.right, longer, self.extent)

    @cached_property
    def trees(self) -> list[Tree]:
        """The search of each pair that is opened."""
        return [grow(self.translator, self.asked.sources[i]) for i in self.numbers]

    @cached_property
    def traces(self) -> list[Trace]:
        """What passes inside for each pair that is opened, along the model's own output."""
        sources = [replace(self.asked.sources[i], target="") for i in self.numbers]
        return [trace(self.translator, one) for one in sources]

    @cached_property
    def whole(self) -> list[Pair]:
        """The sources asked that have text, with their references as targets."""
        each = zip(self.asked.sources, self.sizes, strict=True)
        return [pair for pair, size in each if size and pair.target.strip()]

    @cached_property
    def averaged(self) -> list[Pair]:
        """Pairs that inner values are averaged over, with their references as targets."""
        numbers = drawn(len(self.whole), self.extent.averaged, self.extent.seed)
        return [self.whole[i] for i in numbers]

    @cached_property
    def heads(self) -> HeadTable:
        """What each head does, and how much less likely the targets are without it."""
        return heads(self.translator, self.averaged, HeadOptions())

    def shared(self) -> dict[str, Any]:
        """Returns the pairs that are opened, as the drawings read them."""
        return {"pairs": [self._pair(at, i) for at, i in enumerate(self.numbers)]}

    def _pair(self, at: int, i: int) -> dict[str, Any]:
        asked, answer, seen = self.asked.sources[i], self.answers[i], self.traces[at]
        return {
            "source": list(seen.source[0]),
            "target": list(seen.target[0]),
            "read": list(seen.read[0]),
            "text": asked.source,
            "output": answer.text,
            "references": list(dict.fromkeys(self.asked.references[i])),
            "right": self.right[i],
        }


def open_subject(model: Model, folder: Path, data: str, columns: str, extent: Extent) -> Subject:
    """Reads the pairs that a model is looked at on.

    Args:
        model: a single model.
        folder: where it was opened.
        data: a data file; empty: the held-out pairs that the model was trained beside.
        columns: where source, target and features stand in a TSV; empty: as in training.
        extent: how many of them.

    Raises:
        ConfigError: the model is an ensemble; look into its members one by one.
        DataError: there is no pair with text; or none is named, and the model has lost its own.
    """
    only(model.translator().network)
    pairs = model.read(data, columns) if data else _held_out(folder)
    every = examine_by(_with_text(pairs, data or str(folder)))
    return Subject(model, folder, data or "held-out pairs", every, extent)


def _held_out(folder: Path) -> list[Pair]:
    training = TrainingFolder(folder)
    if not training.begun:
        raise DataError(
            "the model stands without the pairs it was held against in training",
            where=str(folder),
            mend="Name a data file behind the model",
        )
    return training.read()[2]


def _with_text(pairs: Sequence[Pair], where: str) -> list[Pair]:
    kept = [pair for pair in pairs if pair.source.strip() and pair.target.strip()]
    if not kept:
        raise DataError("no pair with text on both sides", expected="at least one", where=where)
    return kept


def mean(values: Array) -> float:
    """Averages numbers; NaN where there is none."""
    return float(np.mean(values)) if np.size(values) else float("nan")

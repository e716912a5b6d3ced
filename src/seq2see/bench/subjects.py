"""What is measured: networks as `seq2see train` would build them, on made-up token ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from seq2see.data.batches import Batches, BatchPlan
from seq2see.data.side import Side
from seq2see.data.store import Store
from seq2see.data.tokenizers import END, SPECIALS
from seq2see.nn.network import Network, Sizes
from seq2see.nn.precision import cast
from seq2see.nn.settings import Settings
from seq2see.recipe.choose import choose
from seq2see.recipe.draft import draft
from seq2see.recipe.sections import Recipe
from seq2see.recipe.survey import SideSurvey, Survey
from seq2see.train.settings import Precision

_SPREAD = 8
"""Shape of the negative binomial that lengths are drawn from: a deviation of about 40 %."""


@dataclass(frozen=True)
class Corpus:
    """Data of one kind: what a file of them looks like, and as ids.

    Args:
        survey: the figures from which `seq2see train` makes its choices.
        source: tokens of a source on average, end mark counted.
        target: tokens of a target on average, end mark counted.
        pieces: distinct pieces of both sides where they are not subwords, whose number is chosen.
    """

    survey: Survey
    source: float
    target: float
    pieces: tuple[int, int] = (0, 0)


_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
_SENTENCE = SideSurvey(62.0, 12.5, 15_000, 4.5, 1.0, _LATIN, hangul=False)

SENTENCES = Corpus(Survey(29_000, _SENTENCE, _SENTENCE, 0.3, ()), 16.0, 16.0)
"""Captions, a sentence each: as many and as long as those of Multi30k."""

WORDS = Corpus(
    Survey(
        106_000,
        SideSurvey(7.5, 1.0, 106_000, 7.5, 0.0, _LATIN, hangul=False),
        SideSurvey(15.0, 6.4, 39, 1.7, 1.0, frozenset(c.upper() for c in _LATIN), hangul=False),
        0.0,
        (),
    ),
    8.5,
    7.4,
    pieces=(27, 39),
)
"""Words and their phones: as many and as long as those of the CMU dictionary."""


@dataclass(frozen=True)
class Subject:
    """A network, the settings it is trained with, and data for it.

    Args:
        name: what it is called.
        recipe: the resolved recipe.
        corpus: the kind of its data.
    """

    name: str
    recipe: Recipe
    corpus: Corpus

    @property
    def settings(self) -> Settings:
        """What the network is made of."""
        return self.recipe.model

    @property
    def sizes(self) -> Sizes:
        """How many token ids each side has."""
        data, special = self.recipe.data, len(SPECIALS) + max(0, self.recipe.data.copies)
        source, target = self.corpus.pieces
        return Sizes(data.vocabulary or special + source, data.vocabulary or special + target)

    @cached_property
    def batches(self) -> Batches:
        """Batches planned as a run plans them, of pairs made up of random ids."""
        return Batches(made_up(self.corpus, self.sizes), BatchPlan(self.recipe.train.batch_tokens))

    @cached_property
    def typical(self) -> list[int]:
        """The pairs of the batch whose targets are of middling length."""
        lengths = self.batches.store.target.lengths
        groups = sorted(self.batches.epoch(0), key=lambda rows: float(lengths[rows].mean()))
        return [int(row) for row in groups[len(groups) // 2]]

    def network(self, precision: Precision) -> Network:
        """Draws the network anew, in training mode."""
        torch.manual_seed(self.recipe.seed)
        return cast(Network(self.settings, self.sizes).train(), precision)


_BATCH_OF_BASE = "train.batch_tokens=1024"
"""A quarter of what a run would take: an update of the large network would last as long as several
measurements of the others, and one of 1,024 tokens fills the machine as well."""

_KNOWN: Mapping[str, tuple[Corpus, tuple[str, ...]]] = {
    "tiny": (SENTENCES, ("preset=tiny",)),
    "bilstm+additive": (WORDS, ("model.kind=bilstm+additive",)),
    "small": (SENTENCES, ("preset=small",)),
    "base": (SENTENCES, ("preset=base", _BATCH_OF_BASE)),
}

NAMES = tuple(_KNOWN)
"""The networks that can be measured, those of few operations first."""


def subject(name: str, *assignments: str) -> Subject:
    """Resolves a network's recipe as `seq2see train` does.

    Args:
        name: out of `NAMES`.
        assignments: `key=value` settings that differ, as on the command line.
    """
    corpus, own = _KNOWN[name]
    recipe, _ = choose(draft(None, [*own, *assignments]), corpus.survey)
    return Subject(name, recipe, corpus)


def made_up(corpus: Corpus, sizes: Sizes) -> Store:
    """Draws pairs whose lengths vary as those of text do: long sources have long targets."""
    random, pairs = np.random.default_rng(1), corpus.survey.pairs
    mean = corpus.source - 2  # beside one piece at least and the end mark
    source = 1 + random.negative_binomial(_SPREAD, _SPREAD / (_SPREAD + mean), pairs)
    ratio = (corpus.target - 1) / (corpus.source - 1)
    target = np.maximum(1, np.rint(source * ratio * random.lognormal(-0.02, 0.2, pairs)))
    return Store(
        _side(source, sizes.source, random),
        _side(target.astype(np.int64), sizes.target, random),
        np.arange(1, pairs + 1),
    )


def _side(lengths: npt.NDArray[np.int64], size: int, random: np.random.Generator) -> Side:
    offsets = np.concatenate([[0], lengths + 1]).cumsum()
    ids = random.integers(len(SPECIALS), size, offsets[-1], np.int32)
    ids[offsets[1:] - 1] = END
    return Side(ids, offsets)

"""What a file of pairs looks like: the figures that the automatic choices rest on."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from rapidfuzz.distance import LCSseq

from seq2see.data.pairs import Pair, Pairs

_SAMPLE = 200_000
"""Pairs looked at, evenly spaced; choices do not need more."""

_COMPARED = 2000
"""Pairs out of these whose sides are compared."""


@dataclass(frozen=True)
class SideSurvey:
    """What one side looks like.

    Args:
        characters: mean characters a text.
        words: mean blank-separated words a text.
        symbols: how many distinct words there are.
        symbol_length: mean characters of a word.
        spaced: the share of texts that hold a blank.
        alphabet: the distinct characters.
        hangul: whether Hangul syllables occur and composing again gives back every text.
    """

    characters: float
    words: float
    symbols: int
    symbol_length: float
    spaced: float
    alphabet: frozenset[str]
    hangul: bool


@dataclass(frozen=True)
class Survey:
    """What a corpus looks like.

    Args:
        pairs: how many pairs there are.
        source: the source side.
        target: the target side.
        copied: the share of target characters that also stand in the pair's source, in that order.
        features: every feature that occurs, sorted.
    """

    pairs: int
    source: SideSurvey
    target: SideSurvey
    copied: float
    features: tuple[str, ...]


def survey(pairs: Pairs) -> Survey:
    """Looks at `pairs`, at an even sample of them where they are many, and keeps none."""
    stride = max(1, len(pairs) // _SAMPLE)
    compared = max(1, -(-len(pairs) // stride) // _COMPARED)
    source, target, copied = _Side(), _Side(), _Copied()
    features: set[str] = set()
    for number, pair in enumerate(pairs):
        features.update(pair.features)
        place, between = divmod(number, stride)
        if between:
            continue
        source.add(pair.source)
        target.add(pair.target)
        if place % compared == 0:
            copied.add(pair)
    return Survey(
        pairs=len(pairs),
        source=source.figures(),
        target=target.figures(),
        copied=copied.shared / max(1, copied.characters),
        features=tuple(sorted(features)),
    )


@dataclass
class _Side:
    """Adds up what the texts of one side look like."""

    texts: int = 0
    characters: int = 0
    words: int = 0
    letters: int = 0
    spaced: int = 0
    symbols: set[str] = field(default_factory=set)
    alphabet: set[str] = field(default_factory=set)
    survives: bool = True

    def add(self, text: str) -> None:
        words = text.split()
        self.texts += 1
        self.characters += len(text)
        self.words += len(words)
        self.letters += sum(map(len, words))
        self.spaced += len(words) > 1
        self.symbols.update(words)
        self.alphabet.update(text)
        self.survives = self.survives and _survives(text)

    def figures(self) -> SideSurvey:
        return SideSurvey(
            characters=self.characters / self.texts,
            words=self.words / self.texts,
            symbols=len(self.symbols),
            symbol_length=self.letters / max(1, self.words),
            spaced=self.spaced / self.texts,
            alphabet=frozenset(self.alphabet),
            hangul=self.survives and any("가" <= c <= "힣" for c in self.alphabet),
        )


@dataclass
class _Copied:
    """Adds up how much of the targets stands in their sources."""

    shared: int = 0
    characters: int = 0

    def add(self, pair: Pair) -> None:
        self.shared += LCSseq.similarity(pair.source, pair.target)
        self.characters += len(pair.target)


def _survives(text: str) -> bool:
    if text.isascii():
        return True
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text)) == text

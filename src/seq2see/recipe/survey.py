"""What a file of pairs looks like: the figures that the automatic choices rest on."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import LCSseq

from seq2see.data.pairs import Pair

_SAMPLE = 200_000
"""Pairs looked at, evenly spaced; choices do not need more."""


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


def survey(pairs: Sequence[Pair]) -> Survey:
    """Looks at `pairs`, at an even sample of them where they are many."""
    sample = pairs[:: max(1, len(pairs) // _SAMPLE)]
    features = sorted({name for pair in pairs for name in pair.features})
    return Survey(
        pairs=len(pairs),
        source=_side([pair.source for pair in sample]),
        target=_side([pair.target for pair in sample]),
        copied=_copied(sample[:: max(1, len(sample) // 2000)]),
        features=tuple(features),
    )


def _side(texts: Sequence[str]) -> SideSurvey:
    split = [text.split() for text in texts]
    words = [word for text in split for word in text]
    alphabet = frozenset().union(*texts) if texts else frozenset()
    hangul = any("가" <= c <= "힣" for c in alphabet)
    return SideSurvey(
        characters=float(np.mean([len(text) for text in texts])),
        words=float(np.mean([len(text) for text in split])),
        symbols=len(set(words)),
        symbol_length=float(np.mean([len(word) for word in words])) if words else 0.0,
        spaced=float(np.mean([len(text) > 1 for text in split])),
        alphabet=alphabet,
        hangul=hangul and all(_survives(text) for text in texts),
    )


def _survives(text: str) -> bool:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text)) == text


def _copied(pairs: Sequence[Pair]) -> float:
    shared = sum(LCSseq.similarity(pair.source, pair.target) for pair in pairs)
    return shared / max(1, sum(len(pair.target) for pair in pairs))

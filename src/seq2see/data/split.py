"""Holds out pairs by source, chosen by a hash, in memory that does not grow with the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappush, heapreplace
from typing import TypeAlias

from seq2see.data.pairs import fingerprint
from seq2see.data.rows import Pair
from seq2see.errors import ConfigError

Key: TypeAlias = tuple[str, tuple[str, ...]]
"""A source with its features, which may stand on one side of a split alone."""

_RANKED = 2**17
"""Sources that are ranked at least."""


def key_of(pair: Pair) -> Key:
    """Returns what a pair is held out by."""
    return pair.source, pair.features


class Ranking:
    """The sources that stand lowest by a hash of seed and source, and how many pairs each has.

    Neither the order of the pairs nor the process matters. 131,072 sources are kept, or twice
    `held_out` where that is more.

    Args:
        seed: the hash follows from it.
        held_out: pairs that will be held out at most.

    Raises:
        ConfigError: a negative `held_out`; ask for 0 or more.
    """

    def __init__(self, seed: int, held_out: int) -> None:
        if held_out < 0:
            raise ConfigError(
                f"{held_out} pairs to hold out", expected="0 or more", where="held_out"
            )
        self._seed, self._most = str(seed), max(_RANKED, 2 * held_out)
        self._sizes: dict[Key, int] = {}
        self._highest_first: list[tuple[int, Key]] = []  # a heap of negated hashes

    def add(self, pair: Pair) -> None:
        """Counts a pair. A source that others displaced can never come back."""
        key = key_of(pair)
        if key in self._sizes:
            self._sizes[key] += 1
            return
        place = (-fingerprint(self._seed, pair.source, *pair.features), key)
        if len(self._sizes) < self._most:
            heappush(self._highest_first, place)
        elif place > self._highest_first[0]:
            _, displaced = heapreplace(self._highest_first, place)
            del self._sizes[displaced]
        else:
            return
        self._sizes[key] = 1

    def choose(self, held_out: int) -> frozenset[Key]:
        """Returns the sources whose pairs are held out.

        Down the ranking all pairs of a source are held out unless more than `held_out` would then
        be: fewer are only where every source left has too many.
        """
        chosen, room = set(), held_out
        for _, key in sorted((-place, key) for place, key in self._highest_first):
            if self._sizes[key] <= room:
                chosen.add(key)
                room -= self._sizes[key]
        return frozenset(chosen)


def split_by_source(
    pairs: Sequence[Pair], held_out: int, seed: int
) -> tuple[list[Pair], list[Pair]]:
    """Splits pairs into (train, dev) so that no source with its features is in both.

    Which sources go to dev, a `Ranking` says. Both parts keep the order of the file.

    Raises:
        ConfigError: a negative `held_out`; ask for 0 or more.
    """
    ranking = Ranking(seed, held_out)
    for pair in pairs:
        ranking.add(pair)
    chosen = ranking.choose(held_out)
    train: list[Pair] = []
    dev: list[Pair] = []
    for pair in pairs:
        (dev if key_of(pair) in chosen else train).append(pair)
    return train, dev

"""Which pairs a report looks at, and how many: drawn by a seed, so that it can be made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seq2see.errors import ConfigError


@dataclass(frozen=True)
class Extent:
    """How much of the data is looked at.

    Args:
        pairs: sources that are opened one by one.
        scored: sources that are decoded and scored.
        averaged: pairs that patterns and other inner values are averaged over.
        longest: tokens of a source or an output that still fit into a picture.
        seed: of all draws.

    Raises:
        ConfigError: no pair is to be opened.
    """

    pairs: int = 6
    scored: int = 500
    averaged: int = 100
    longest: int = 40
    seed: int = 1

    def __post_init__(self) -> None:
        if self.pairs < 1:
            raise ConfigError(f"found {self.pairs}", expected="1 or more", where="pairs")


def drawn(total: int, wanted: int, seed: int) -> list[int]:
    """Draws `wanted` of `total` numbers, each once, in ascending order; or all there are."""
    if wanted >= total:
        return list(range(total))
    chosen = np.random.default_rng(seed).choice(total, wanted, replace=False)
    return sorted(chosen.tolist())


def chosen(right: Sequence[bool], sizes: Sequence[int], extent: Extent) -> list[int]:
    """Chooses the pairs that are opened one by one: half of them wrong, as far as there are such.

    Errors teach most, but only beside what goes well.

    Args:
        right: whether the output of each source is right.
        sizes: tokens of each pair's longer side; those above `extent.longest` are taken only where
            nothing else is left.
        extent: how many, and the seed.

    Returns:
        Numbers of sources, shuffled.
    """
    order = np.random.default_rng(extent.seed).permutation(len(right)).tolist()
    short = [i for i in order if 1 < sizes[i] <= extent.longest]
    order = short or sorted(order, key=lambda i: sizes[i])
    wrong = [i for i in order if not right[i]][: (extent.pairs + 1) // 2]
    rest = [i for i in order if i not in wrong]
    best_first = sorted(rest, key=lambda i: not right[i])
    picked = {*wrong, *best_first[: extent.pairs - len(wrong)]}
    return [i for i in order if i in picked]

"""Which target tokens translate which source tokens, learnt from pairs that nobody aligned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seq2see.data.tokenizers import PAD

Ids = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float64]

EMPTY = PAD
"""The source's empty word, which explains target tokens that no other one does."""

_AT_ONCE = 4_000_000
"""Couples of a source and a target token that are held at a time, 8 bytes each in a few arrays."""


@dataclass(frozen=True)
class Lexicon:
    """The couples of tokens that stand in some pair together.

    Args:
        source: ids of source tokens, `EMPTY` among them, ascending.
        target: ids of target tokens.
        probability: of the target token, given the source token; 1 in sum for each.
    """

    source: Ids
    target: Ids
    probability: Probabilities

    @classmethod
    def learn(
        cls, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], rounds: int = 5
    ) -> Lexicon:
        r"""Explains each target token by the tokens of its source, again and again.

        $$p(t \mid s) \leftarrow \frac{1}{Z_s} \sum_{(x, y)} \sum_{j:\, y_j = t}
          \frac{p(t \mid s)}{p(t \mid \mathrm{empty}) + \sum_{s' \in x} p(t \mid s')}$$

        A token that stands in a source several times counts once there. Memory is bounded by the
        couples of tokens that occur, whatever the number of pairs. Source: Brown et al. 1993,
        section 4.2 (Model 1).

        Args:
            sources: ids of each source.
            targets: ids of each target, as many.
            rounds: how often the probabilities are estimated anew.
        """
        size = 1 + max((max(target, default=0) for target in targets), default=0)
        pairs = [
            (np.unique([*source, EMPTY]), np.array(target, np.int64))
            for source, target in zip(sources, targets, strict=True)
        ]
        keys: Ids = np.zeros(0, np.int64)
        for found, _, _ in _couples(pairs, size):
            keys = np.union1d(keys, found)
        weight = np.ones(len(keys))
        for _ in range(rounds):
            weight = _estimated(keys, weight, _couples(pairs, size))
            weight /= np.bincount(keys // size, weight)[keys // size]
        return cls(keys // size, keys % size, weight)


def _estimated(
    keys: Ids, weight: Probabilities, couples: Iterator[tuple[Ids, Ids, int]]
) -> Probabilities:
    """Counts how often each couple explains a target token, by the probabilities so far."""
    counts = np.zeros(len(keys))
    for found, position, positions in couples:
        at = np.searchsorted(keys, found)
        share = weight[at]
        share /= np.bincount(position, share, positions)[position]
        counts += np.bincount(at, share, len(keys))
    return counts


def _couples(pairs: Sequence[tuple[Ids, Ids]], size: int) -> Iterator[tuple[Ids, Ids, int]]:
    """Yields the couples of some pairs at a time.

    Args:
        pairs: distinct source tokens, and target tokens.
        size: of the target's vocabulary.

    Yields:
        `source * size + target` of each couple; which of the target positions it explains; and how
        many positions there are.
    """
    keys, positions, held, count = list[Ids](), list[Ids](), 0, 0
    for source, target in pairs:
        keys.append((source * size + target[:, None]).ravel())
        positions.append(np.repeat(np.arange(count, count + len(target)), len(source)))
        count, held = count + len(target), held + len(keys[-1])
        if held > _AT_ONCE:
            yield np.concatenate(keys), np.concatenate(positions), count
            keys, positions, held, count = [], [], 0, 0
    if keys:
        yield np.concatenate(keys), np.concatenate(positions), count

"""Which target tokens a source is likely to need, so that a search scores those alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seq2see.data.lexicon import Ids, Lexicon
from seq2see.data.tokenizers import PAD, SPECIALS

Rows = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Shortlist:
    """The target tokens that a source may be translated to.

    Source: Jean et al. 2015, section 3.3 (the most frequent tokens, and some for each source one).

    Args:
        frequent: ids that every source may use, `[id]`: special and copy marks, in order, and the
            most frequent tokens.
        likely: ids that one source token adds, `[source vocabulary, id]`, with `PAD` behind them
            where there are fewer; those of `PAD` itself are for every source.
    """

    frequent: Ids
    likely: Ids

    @classmethod
    def learn(
        cls,
        pairs: tuple[Rows, Rows],
        sizes: tuple[int, int],
        marks: int,
        never: Sequence[int] = (),
        *,
        frequent: int,
        likely: int,
    ) -> Shortlist:
        """Learns it from pairs.

        Args:
            pairs: ids of each source, and of each target.
            sizes: of the source's and the target's vocabulary.
            marks: how many copy marks the target's vocabulary has.
            never: ids that no target may hold.
            frequent: how many of the most frequent tokens every source may use.
            likely: how many more each source token adds, the most probable ones.
        """
        counts = np.bincount(np.concatenate([*map(_array, pairs[1]), _array([])]), None, sizes[1])
        first = np.arange(len(SPECIALS) + marks)
        counts[first], counts[_array(never)] = 0, 0
        order = np.argsort(-counts, kind="stable")[: min(frequent, np.count_nonzero(counts))]
        everywhere = np.concatenate([first, np.sort(order)])
        more = counts > 0
        more[everywhere] = False
        return cls(everywhere, _likely(Lexicon.learn(*pairs), more, sizes[0], likely))


def _likely(lexicon: Lexicon, allowed: npt.NDArray[np.bool_], size: int, most: int) -> Ids:
    """Lays the most probable target tokens of each source token out as a table."""
    fits = np.flatnonzero(allowed[lexicon.target])
    source, target = lexicon.source[fits], lexicon.target[fits]
    order = np.lexsort((target, -lexicon.probability[fits], source))
    source, target = source[order], target[order]
    rank = np.arange(len(source)) - np.searchsorted(source, source)
    table = np.full((size, min(most, rank.max(initial=-1) + 1)), PAD)
    taken = rank < most
    table[source[taken], rank[taken]] = target[taken]
    return table


def _array(ids: Sequence[int]) -> Ids:
    return np.asarray(ids, np.int64)

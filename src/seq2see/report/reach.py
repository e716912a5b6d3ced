"""How often the right token is the most probable one, by how far off its source token stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from seq2see.data.pairs import Pair
from seq2see.decode.score import side_by_side
from seq2see.decode.translate import Translator
from seq2see.evaluate.resample import bootstrap
from seq2see.look.alignment import Alignment, align
from seq2see.look.attribution import over_source, usual
from seq2see.look.capture import capture, gradients
from seq2see.look.forced import force
from seq2see.look.names import only, sites
from seq2see.nn.network import Network
from seq2see.report.packing import Array
from seq2see.report.pages.length import RESAMPLES, cut

LEAST = 20
"""Target tokens of a distance at least; with fewer, it is joined with others."""


@dataclass(frozen=True)
class Group:
    """Target tokens at similar distances.

    Args:
        low: the least distance.
        high: the greatest.
        middle: their mean.
        tokens: how many target tokens.
        accuracy: the share of them that is the most probable one.
        interval: of the share, by bootstrap over the pairs, at 95 %.
    """

    low: int
    high: int
    middle: float
    tokens: int
    accuracy: float
    interval: tuple[float, float]

    @property
    def name(self) -> str:
        """The distances as text."""
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


@dataclass(frozen=True, eq=False)
class Reach:
    """The target tokens of some pairs, each with its distance.

    Args:
        pair: the number of the pair, of each token.
        distance: how far off its source token stands; see `reach`.
        right: whether it is the most probable token.
        aligned: whether distances are those of an alignment.
    """

    pair: Array
    distance: Array
    right: Array
    aligned: bool

    @cached_property
    def groups(self) -> list[Group]:
        """The distances, each by itself where it has tokens enough."""
        each = cut(self.distance.tolist(), most=max(1, len(self.distance)), least=LEAST)
        return [self._group(low, high, rows) for low, high, rows in each]

    def _group(self, low: int, high: int, rows: list[int]) -> Group:
        # Tokens of one pair stand or fall together, so that pairs are drawn, not tokens.
        _, pair = np.unique(self.pair[rows], return_inverse=True)
        right = self.right[rows].astype(np.float64)
        counts = np.stack([np.bincount(pair, right), np.bincount(pair)], axis=1).astype(np.float64)
        [sums] = bootstrap([counts], RESAMPLES, 1)
        ends = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
        middle = float(self.distance[rows].mean())
        interval = (float(ends[0]), float(ends[1]))
        return Group(low, high, middle, len(rows), float(right.mean()), interval)


def reach(translator: Translator, pairs: Sequence[Pair]) -> Reach:
    r"""Finds for each target token whether it is the most probable one, and where it comes from.

    The model is forced along the targets. With S pieces of source and T of target, features and end
    marks left out, the diagonal place of target piece i is

    $$d_i = (i + 1/2)\,S / T - 1/2$$

    and its distance the rounded $|a_i - d_i|$, with $a_i$ the source piece to which `align` links
    it by weight. A piece without a link is left out. Where nothing looks at the source, $a_i$ is
    the rounded $d_i$, and the distance $S - 1 - a_i$, the pieces from there to the source's end.

    Args:
        translator: the model.
        pairs: with their targets.
    """
    network = only(translator.network)
    right = _right(translator, pairs)
    aligned = looking(network)
    if aligned:
        off = [_off_diagonal(one) for one in align(translator, pairs)]
    else:
        sizes = zip(_sizes(translator, pairs), map(len, right), strict=True)
        off = [_before_end(*both) for both in sizes]
    found = [(k, far, right[k][i]) for k, each in enumerate(off) for i, far in sorted(each.items())]
    pair, distance, known = (np.array([each[k] for each in found]) for k in range(3))
    return Reach(pair, distance, known, aligned)


def looking(network: Network) -> bool:
    """Tells whether the attention that `align` asks has a head."""
    names = over_source(network)
    return bool(names) and sites(network)[names[usual(len(names))]].heads > 0


def diagonal(i: int, source: int, target: int) -> float:
    """Returns the place in the source that is the same share of the way as target piece i."""
    return (i + 0.5) * source / target - 0.5


def _off_diagonal(one: Alignment) -> dict[int, int]:
    """Returns how far off the diagonal the source piece of each target piece stands."""
    sizes = len(one.source), len(one.target)
    return {i: nearest(abs(j - diagonal(i, *sizes))) for j, i in one.links}


def _before_end(source: int, target: int) -> dict[int, int]:
    """Returns how far before the source's end the same share of the way lies, by target piece."""
    places = range(target if source else 0)
    return {i: source - 1 - nearest(diagonal(i, source, target)) for i in places}


def nearest(place: float) -> int:
    """Rounds a place that is not below -1/2, halves upwards."""
    return int(np.floor(place + 0.5))


def _right(translator: Translator, pairs: Sequence[Pair]) -> list[list[bool]]:
    """Tells of each target piece, its end mark left out, whether it is the most probable one."""
    forced, network = force(translator, pairs), only(translator.network)
    found: dict[int, list[bool]] = {}
    budget = translator.options.batch_tokens
    with gradients(False):
        for given in side_by_side(network, forced.sources, forced.targets, budget):
            _, logits = capture(network, given, [])
            same = (logits.argmax(-1) == given.wanted).cpu()
            for row, known in zip(given.rows, same, strict=True):
                found[row] = known[: len(forced.targets[row]) - 1].tolist()
    return [found[row] for row in range(len(pairs))]


def _sizes(translator: Translator, pairs: Sequence[Pair]) -> list[int]:
    """Counts the pieces of each source without features and end mark."""
    sources, _ = translator.tokenizers.sources(pairs)
    return [len(ids) - 1 - len(p.features) for ids, p in zip(sources, pairs, strict=True)]

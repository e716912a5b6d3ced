"""Batches of about equal cost, in an order that depends on nothing but the seed and the epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seq2see.data.side import Ids, pick
from seq2see.data.store import Store
from seq2see.data.tokenizers import PAD, SPECIALS, START

Rows = npt.NDArray[np.int64]

_POOL = 2**19
"""Pairs that are planned together at most."""


@dataclass(frozen=True)
class Batch:
    """Pairs side by side, right-padded.

    Args:
        source: token ids, `[row, source]`.
        real: False at padding of the source, `[row, source]`.
        target: ids the decoder reads, start mark first, `[row, target]`.
        wanted: ids it has to predict, end mark last, `[row, target]`.
        tokens: how many real ids `wanted` holds.
        lines: where each pair stands in the data file.
        links: given alignments, `[link, 3]`: the row, a position of `wanted`, one of `source`; None
            where the corpus has none.
    """

    source: Tensor
    real: Tensor
    target: Tensor
    wanted: Tensor
    tokens: int
    lines: Rows
    links: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """Moves the tensors to `device`."""
        if self.source.device == device:
            return self
        return replace(
            self,
            source=self.source.to(device, non_blocking=True),
            real=self.real.to(device, non_blocking=True),
            target=self.target.to(device, non_blocking=True),
            wanted=self.wanted.to(device, non_blocking=True),
            links=None if self.links is None else self.links.to(device, non_blocking=True),
        )


@dataclass(frozen=True)
class Cursor:
    """A place in the endless row of batches: the next one to be read.

    Args:
        epoch: how often all pairs have been seen.
        index: batches of the pool that have been read.
        pool: pools of the epoch that have been read.
    """

    epoch: int = 0
    index: int = 0
    pool: int = 0


@dataclass(frozen=True)
class BatchPlan:
    """How batches are made.

    Args:
        tokens: a batch's budget, in padded tokens of its longer side. A pair longer than that is a
            batch of its own: it is never cut and never left out.
        seed: order and copy noise follow from it and the epoch alone.
        copy_noise: the share of pairs in which one token that stands on both sides is replaced by a
            copy mark, so that the network learns to copy what it has never seen.
        copies: how many copy marks the vocabularies have.
    """

    tokens: int
    seed: int = 1
    copy_noise: float = 0.0
    copies: int = 0


class Batches:
    """The batches of a store, epoch after epoch.

    An epoch is planned in pools, each when its turn comes: a random part of the corpus, about as
    large as the others and of at most 2^19 pairs, whose batches are of similar length and in random
    order. So planning takes the memory and the time of a pool, however many pairs there are. A
    corpus that fits one pool is one.
    """

    def __init__(self, store: Store, plan: BatchPlan) -> None:
        self.store, self.plan = store, plan
        self.pools = max(1, -(-len(store) // _POOL))
        self._counts: dict[tuple[int, int], int] = {}
        self._shuffled: tuple[int, npt.NDArray[np.unsignedinteger]] | None = None

    def epoch(self, number: int) -> list[Rows]:
        """Plans a whole epoch: every pair once, those of a pool and of similar length together."""
        return [rows for pool in range(self.pools) for rows in self.pool(number, pool)]

    def pool(self, epoch: int, number: int) -> list[Rows]:
        """Plans one pool of an epoch, counted from 0: its batches in random order."""
        rows = self._members(epoch, number)
        random = self._random(epoch, number, 1) if self.pools > 1 else self._random(epoch)
        groups = group_by_length(
            self.store.source.lengths_of(rows),
            self.store.target.lengths_of(rows),
            self.plan.tokens,
            random,
        )
        random.shuffle(groups)
        self._counts[epoch, number] = len(groups)
        return groups if self.pools == 1 else [rows[group] for group in groups]

    def epochs(self, cursor: Cursor) -> float:
        """Returns how many times all pairs have been seen at `cursor`, as a fraction.

        Within a pool batches are counted, as if each held equally many pairs.
        """
        part = cursor.index / max(1, self._count(cursor.epoch, cursor.pool)) if cursor.index else 0
        return cursor.epoch + (cursor.pool + part) / self.pools

    def after(self, cursor: Cursor) -> Iterator[tuple[Batch, Cursor]]:
        """Yields batches without end, each with the place behind it."""
        while True:
            groups = self.pool(cursor.epoch, cursor.pool)
            for position in range(cursor.index, len(groups)):
                behind = replace(cursor, index=position + 1)
                if position + 1 == len(groups):
                    behind = self._next_pool(cursor)
                yield self.collate(groups[position], cursor.epoch), behind
            cursor = self._next_pool(cursor)

    def _next_pool(self, cursor: Cursor) -> Cursor:
        last = cursor.pool + 1 == self.pools
        return Cursor(cursor.epoch + 1) if last else Cursor(cursor.epoch, 0, cursor.pool + 1)

    def _count(self, epoch: int, pool: int) -> int:
        if (epoch, pool) not in self._counts:
            self.pool(epoch, pool)
        return self._counts[epoch, pool]

    def _members(self, epoch: int, pool: int) -> Rows:
        """Lists the pairs of a pool in the order of the store, in which their lengths are read."""
        begin, end = (len(self.store) * each // self.pools for each in (pool, pool + 1))
        if self.pools == 1:
            return np.arange(begin, end)
        return np.sort(self._permutation(epoch)[begin:end]).astype(np.int64)

    def _permutation(self, epoch: int) -> npt.NDArray[np.unsignedinteger]:
        if self._shuffled is None or self._shuffled[0] != epoch:
            self._shuffled = None  # before the next one is made: both would be twice the memory
            order = np.arange(len(self.store), dtype=np.min_scalar_type(len(self.store)))
            self._random(epoch, 0, 2).shuffle(order)
            self._shuffled = epoch, order
        return self._shuffled[1]

    def _random(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([self.plan.seed, *key])

    def collate(self, rows: Rows, epoch: int = 0) -> Batch:
        """Lays the given pairs side by side."""
        sources, targets = self.store.source.take(rows), self.store.target.take(rows)
        if self.plan.copy_noise:
            random = np.random.default_rng([self.plan.seed, epoch, int(rows[0])])
            for i in np.flatnonzero(random.random(len(rows)) < self.plan.copy_noise):
                sources[i], targets[i] = self._hide_one(sources[i], targets[i], random)
        source, wanted = pad_right(sources), pad_right(targets)
        start = torch.full((len(rows), 1), START)
        target = torch.cat([start, wanted[:, :-1]], dim=1)
        tokens = sum(len(ids) for ids in targets)
        lines, links = pick(self.store.lines, rows), self._links(rows)
        return Batch(source, source != PAD, target, wanted, tokens, lines, links)

    def _links(self, rows: Rows) -> Tensor | None:
        if self.store.links is None:
            return None
        found = []
        for i, links in enumerate(self.store.links.take(rows)):
            found.append(np.insert(links.astype(np.int64).reshape(-1, 2), 0, i, axis=1))
        return torch.from_numpy(np.concatenate(found))

    def _hide_one(self, source: Ids, target: Ids, random: np.random.Generator) -> tuple[Ids, Ids]:
        shared = np.intersect1d(source, target)
        shared = shared[shared >= len(SPECIALS) + self.plan.copies]
        if not len(shared):
            return source, target
        hidden, mark = random.choice(shared), len(SPECIALS) + random.integers(self.plan.copies)
        source, target = source.copy(), target.copy()
        source[source == hidden], target[target == hidden] = mark, mark
        return source, target


def group_by_length(
    source: Rows, target: Rows, budget: int, random: np.random.Generator
) -> list[Rows]:
    """Cuts all rows into groups of similar length whose padded size stays within `budget` tokens.

    Rows are sorted by target length; within one target length the source lengths rise and fall in
    turn, so that a group that spans two target lengths still has similar sources. Ties are broken
    at random, anew in each epoch.

    Args:
        source: each row's source length, in tokens.
        target: each row's target length, in tokens.
        budget: rows times the longest source or target of a group, at most.
        random: breaks the ties.
    """
    wave = np.where(target % 2 == 0, source, -source)
    order = np.lexsort((random.random(len(source)), wave, target))
    cost = np.maximum(source, target)[order]
    groups, begin, widest = [], 0, 0
    for end, width in enumerate(cost.tolist()):
        widest = max(widest, width)
        if (end + 1 - begin) * widest > budget and end > begin:
            groups.append(order[begin:end])
            begin, widest = end, width
    if len(order):
        groups.append(order[begin:])
    return groups


def pad_right(rows: list[Ids]) -> Tensor:
    """Lays one or more rows of ids side by side, `PAD` behind the shorter ones: `[row, token]`."""
    padded = np.full((len(rows), max(map(len, rows))), PAD, np.int64)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    return torch.from_numpy(padded)

"""Batches of about equal cost, in an order that depends on nothing but the seed and the epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seq2see.data.side import Ids, pick
from seq2see.data.store import Store
from seq2see.data.tokenizers import PAD, SPECIALS, START

Rows = npt.NDArray[np.int64]


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
    """A place in the endless row of batches: the next one to be read."""

    epoch: int = 0
    index: int = 0


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
    """The batches of a store, epoch after epoch."""

    def __init__(self, store: Store, plan: BatchPlan) -> None:
        self.store, self.plan = store, plan

    def epoch(self, number: int) -> list[Rows]:
        """Plans one epoch: every pair once, those of similar length together, in random order."""
        random = np.random.default_rng([self.plan.seed, number])
        groups = group_by_length(
            self.store.source.lengths, self.store.target.lengths, self.plan.tokens, random
        )
        random.shuffle(groups)
        return groups

    def epochs(self, cursor: Cursor) -> float:
        """Returns how many times all pairs have been seen at `cursor`, as a fraction."""
        return cursor.epoch + cursor.index / max(1, self._count(cursor.epoch))

    @lru_cache(maxsize=2)  # noqa: B019
    def _count(self, epoch: int) -> int:
        return len(self.epoch(epoch))

    def after(self, cursor: Cursor) -> Iterator[tuple[Batch, Cursor]]:
        """Yields batches without end, each with the place behind it."""
        epoch, index = cursor.epoch, cursor.index
        while True:
            groups = self.epoch(epoch)
            for position in range(index, len(groups)):
                last = position + 1 == len(groups)
                behind = Cursor(epoch + 1, 0) if last else Cursor(epoch, position + 1)
                yield self.collate(groups[position], epoch), behind
            epoch, index = epoch + 1, 0

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

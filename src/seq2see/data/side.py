"""The ids of one side, row after row, in memory or behind a memory map that takes none of it."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]

_SMALL = 2**22
"""Bytes of a map whose pages may stay in memory: reading them again and again is then fastest."""

_SCATTERED = 64
"""Rows read anywhere before their pages are given back. With each of them the system maps pages
around it, 64 KiB on Linux."""

_ASCENDING = 2**12
"""Rows of an index read before their pages are given back, where they are many and so stand close
to each other."""

_STRETCH = 2**17
"""Rows, or ids, read one after the other at a time."""


def release(*arrays: npt.NDArray[Any]) -> None:
    """Gives back the memory of pages that were read through a map; the next reading maps them anew.

    They stay in the system's cache of files, but no longer count as this process's memory. Arrays
    that are no maps, small ones, and systems that cannot do so are left alone.
    """
    for array in arrays if hasattr(mmap, "MADV_DONTNEED") else ():  # Windows has none
        if isinstance(array.base, mmap.mmap) and array.nbytes > _SMALL:
            array.base.madvise(mmap.MADV_DONTNEED)


def pick(array: Offsets, rows: Offsets, at_a_time: int = _SCATTERED) -> Offsets:
    """Copies `array[rows]`, giving back the pages read after every `at_a_time` rows."""
    found = np.empty(len(rows), array.dtype)
    for places in _ascending(rows, at_a_time):
        found[places] = array[rows[places]]
        release(array)
    return found


def _ascending(rows: Offsets, at_a_time: int) -> Iterator[Offsets]:
    """Yields places in `rows`, those of low rows first: neighbours in a file are read together."""
    order = np.argsort(rows, kind="stable")
    for begin in range(0, len(order), at_a_time):
        yield order[begin : begin + at_a_time]


@dataclass(frozen=True)
class Side:
    """The ids of one side, one row after the other.

    Args:
        ids: of all rows.
        offsets: where each row begins in `ids`, and at the end how many ids there are.
    """

    ids: Ids
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Ids:
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    def take(self, rows: Offsets) -> list[Ids]:
        """Copies the ids of the given rows, in their order."""
        found: dict[int, Ids] = {}
        ids = np.asarray(self.ids)
        for places in _ascending(rows, _SCATTERED):
            begins, ends = self.offsets[rows[places]], self.offsets[rows[places] + 1]
            spans = zip(places.tolist(), begins.tolist(), ends.tolist(), strict=True)
            found |= {place: ids[begin:end].copy() for place, begin, end in spans}
            release(self.ids, self.offsets)
        return [found[place] for place in range(len(rows))]

    @property
    def lengths(self) -> Offsets:
        """How many ids each row has, the end mark counted: an array of 8 bytes a row."""
        return np.diff(self.offsets)

    def lengths_of(self, rows: Offsets) -> Offsets:
        """Tells how many ids each of the given rows has."""
        ends = pick(self.offsets, rows + 1, _ASCENDING)
        return ends - pick(self.offsets, rows, _ASCENDING)

    def stretches(self) -> Iterator[Offsets]:
        """Yields the lengths of all rows, a stretch of rows at a time."""
        for begin in range(0, len(self), _STRETCH):
            yield np.diff(self.offsets[begin : begin + _STRETCH + 1])
            release(self.offsets)

    @property
    def total(self) -> int:
        """How many ids all rows have together."""
        return int(self.offsets[-1])

    @property
    def longest(self) -> int:
        """The ids of the longest row; 0 where there is no row."""
        return max((int(lengths.max()) for lengths in self.stretches()), default=0)

    def count(self, piece: int) -> int:
        """Counts how often an id occurs."""
        found = 0
        for begin in range(0, len(self.ids), _STRETCH):
            found += int((self.ids[begin : begin + _STRETCH] == piece).sum())
            release(self.ids)
        return found

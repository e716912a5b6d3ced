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
"""Rows read in ascending order before their pages are given back."""

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
    for begin in range(0, len(rows), at_a_time):
        found[begin : begin + at_a_time] = array[rows[begin : begin + at_a_time]]
        release(array)
    return found


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
        ids, found = np.asarray(self.ids), []
        begins, ends = pick(self.offsets, rows).tolist(), pick(self.offsets, rows + 1).tolist()
        for i, (begin, end) in enumerate(zip(begins, ends, strict=True), 1):
            found.append(ids[begin:end].copy())
            if i % _SCATTERED == 0:
                release(self.ids)
        release(self.ids)
        return found

    @property
    def lengths(self) -> Offsets:
        """How many ids each row has, the end mark counted: an array of 8 bytes a row."""
        return np.diff(self.offsets)

    def lengths_of(self, rows: Offsets) -> Offsets:
        """Tells how many ids each of the given rows has; fastest where the rows ascend."""
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

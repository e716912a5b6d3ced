"""Rows of ids: any of them, their lengths and figures, and the memory of a map given back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seq2see.data import side as side_module
from seq2see.data.side import Side, pick, release

LENGTHS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]


@pytest.fixture(params=[1, 3, 1000])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Side:
    for name in ("_SCATTERED", "_ASCENDING", "_STRETCH"):
        monkeypatch.setattr(side_module, name, request.param)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    return Side(np.arange(offsets[-1], dtype=np.int32) % 7, offsets)


def test_any_rows_are_taken_in_the_order_asked_for(side: Side) -> None:
    rows = np.array([7, 0, 9, 0])
    assert [ids.tolist() for ids in side.take(rows)] == [side[row].tolist() for row in rows]
    assert side.take(rows[:0]) == []


def test_what_is_taken_is_a_copy(side: Side) -> None:
    [ids] = side.take(np.array([2]))
    ids[:] = 99
    assert 99 not in side.ids


def test_lengths_of_any_rows(side: Side) -> None:
    assert side.lengths.tolist() == LENGTHS
    assert side.lengths_of(np.arange(10)).tolist() == LENGTHS
    assert side.lengths_of(np.array([5, 2, 5])).tolist() == [9, 4, 9]


def test_stretches_are_all_lengths_in_order(side: Side) -> None:
    assert [length for part in side.stretches() for length in part.tolist()] == LENGTHS


def test_figures_of_all_rows(side: Side) -> None:
    assert (len(side), side.total, side.longest) == (10, sum(LENGTHS), 9)
    assert side.count(3) == sum(i % 7 == 3 for i in range(sum(LENGTHS)))
    empty = Side(np.zeros(0, np.int32), np.zeros(1, np.int64))
    assert (len(empty), empty.total, empty.longest, empty.count(3)) == (0, 0, 0, 0)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_pages_of_a_large_map_are_given_back(tmp_path: Path) -> None:
    path = tmp_path / "column.npy"
    np.save(path, np.arange(2**20))  # 8 MiB
    column = np.load(path, mmap_mode="r")
    assert column.sum() == 2**20 * (2**20 - 1) // 2
    assert resident(path) > 7 * 2**10
    release(column)
    assert resident(path) == 0
    rows = np.random.default_rng(0).permutation(2**20)[:500]
    assert pick(column, rows).tolist() == rows.tolist()
    assert resident(path) == 0


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_a_small_map_stays(tmp_path: Path) -> None:
    path = tmp_path / "column.npy"
    np.save(path, np.arange(2**15))
    column = np.load(path, mmap_mode="r")
    column.sum()
    before = resident(path)
    release(column)
    assert resident(path) == before > 0


def resident(path: Path) -> int:
    """Reads how many KiB of a mapped file count as this process's memory."""
    lines = iter(Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines())
    found = 0
    for line in lines:
        if line.endswith(str(path)):
            found += next(int(each.split()[1]) for each in lines if each.startswith("Rss:"))
    return found

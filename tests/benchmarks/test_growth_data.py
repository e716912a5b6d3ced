"""The benchmark of growth measures each size in a process of its own and leaves only its record."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

import growth_data
from seq2see.data.batches import Batches, BatchPlan
from seq2see.data.store import Store


def test_a_made_up_store_is_one_that_training_opens(tmp_path: Path) -> None:
    growth_data.write(tmp_path / "store", 500)
    store = Store.open(tmp_path / "store")
    assert len(store) == 500
    assert 7 < store.source.total / 500 < 10
    [batch] = [Batches(store, BatchPlan(10**6)).collate(rows) for rows in [store.lines[:3] - 1]]
    assert batch.lines.tolist() == [1, 2, 3]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_sizes_are_measured_and_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stores").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "stores"))
    monkeypatch.setattr(growth_data, "revision", lambda: {"commit": "abc", "dirty": False})
    path = tmp_path / "record.json"
    growth_data.main(["--pairs", "40", "--updates", "2", "--record", str(path)])
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["command"].startswith("python benchmarks/growth_data.py --pairs 40")
    assert (record["commit"], record["growth_mb"]) == ("abc", 0.0)
    [row] = record["sizes"]
    assert (row["pairs"], row["pools"]) == (40, 1)
    assert 50 < row["memory_before"]["peak_mb"] < row["memory"]["peak_mb"]
    assert row["seconds"]["updates"] > row["seconds"]["opening"] > 0
    assert not list((tmp_path / "stores").iterdir())

"""Measures what training takes of memory and time as the pairs grow.

    python benchmarks/growth_data.py [--pairs N [N ...]] [--updates N] [--record FILE]

For each size pairs of made-up ids, as long as words and their phones, are written as a store. A
process of its own then does what a resumed run does: it holds the index against its checksums,
opens the store, takes the figures over all pairs, and asks for the first batch in the middle of an
epoch; then it plans a pool, reads it to the end and makes updates across the border to the next.
Nothing of the files is in the system's cache when it begins, where the system can forget them. The
record goes to benchmarks/results/growth-data.json, with command and commit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from quality import RESULTS, ROOT, cores, measured, revision
from seq2see.bench.subjects import WORDS, made_up, subject
from seq2see.bench.training import RATE, updates
from seq2see.bundle.reading import sums
from seq2see.data.batches import Batches, BatchPlan, Cursor
from seq2see.data.store import Store
from seq2see.files import sync
from seq2see.recipe.folder import INDEX

SIZES = (30_000, 300_000, 3_000_000, 10_000_000)
NETWORK = "tiny"
_STATUS = {
    "peak_mb": "VmHWM",
    "held_mb": "VmRSS",
    "anonymous_mb": "RssAnon",
    "file_mb": "RssFile",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures each size in a process of its own; the stores are deleted afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=SIZES, help="the sizes")
    parser.add_argument("--updates", type=int, default=20, help="of the network, for each size")
    parser.add_argument("--record", type=Path, default=RESULTS / "growth-data.json")
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.folder:
        print(json.dumps(train(given.folder, given.updates)))
        return
    shown = sys.argv[1:] if arguments is None else arguments
    code = revision()  # before the measurement, during which files may change
    rows = [measure(pairs, given.updates) for pairs in given.pairs]
    peaks = [row["memory"]["peak_mb"] for row in rows]
    facts = {
        "command": shlex.join(["python", "benchmarks/growth_data.py", *shown]),
        **code,
        "machine": f"{platform.machine()}, {cores()} cores, no GPU",
        "network": NETWORK,
        "updates": given.updates,
        "growth_mb": round(max(peaks) - min(peaks), 1),
        "sizes": rows,
    }
    given.record.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def measure(pairs: int, updates: int) -> dict[str, Any]:
    """Writes a store, measures a process that trains on it, and deletes it."""
    with tempfile.TemporaryDirectory() as folder:
        megabytes = write(Path(folder) / "store", pairs)
        command = [sys.executable, __file__, "--in", folder, "--updates", str(updates)]
        found = {"pairs": pairs, "store_mb": megabytes, **json.loads(measured(command, ROOT)[0])}
    print(json.dumps(found), flush=True)
    return found


def write(folder: Path, pairs: int) -> float:
    """Writes a store of made-up pairs, without any tokenizer; returns its size in MB."""
    corpus = replace(WORDS, survey=replace(WORDS.survey, pairs=pairs))
    store = made_up(corpus, subject(NETWORK).sizes)
    folder.mkdir()
    for name, side in (("source", store.source), ("target", store.target)):
        side.ids.tofile(folder / f"{name}.ids")
        np.save(folder / f"{name}.offsets.npy", side.offsets)
    np.save(folder / "lines.npy", store.lines)
    for path in folder.iterdir():
        sync(path)
        _forget(path)
    return round(sum(path.stat().st_size for path in folder.iterdir()) / 2**20, 1)


def _forget(path: Path) -> None:
    """Drops a file, which is on the disk, from the system's cache."""
    if hasattr(os, "posix_fadvise"):
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


@dataclass
class Seconds:
    """How long each part took."""

    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Times what is done meanwhile."""
        begin = time.perf_counter()
        yield
        self.spent[part] = round(time.perf_counter() - begin, 3)


def train(folder: Path, count: int) -> dict[str, Any]:
    """Does what a resumed run does, and tells what it took.

    Args:
        folder: holds the store.
        count: updates that are made, half of them in another pool than the first.
    """
    one, seconds = subject(NETWORK), Seconds()
    network = one.network("float32")
    update, before = updates(network, one.recipe.train), memory()
    with seconds.of("checksums"):
        sums(folder, INDEX)
    with seconds.of("opening"):
        store = Store.open(folder / "store")
        batches = Batches(store, BatchPlan(one.recipe.train.batch_tokens))
    with seconds.of("figures"):
        figures = {"ratio": round(store.ratio(0.999), 3), "longest": store.source.longest}
    middle = Cursor(epoch=1, index=3, pool=batches.pools // 2)
    with seconds.of("first_batch"):
        next(batches.after(middle))
    with seconds.of("planning_a_pool"):
        groups = batches.pool(2, 0)
    with seconds.of("reading_a_pool"):
        for rows in groups:
            batches.collate(rows, 2)
    border = Cursor(2, max(0, len(groups) - count // 2))
    with seconds.of("updates"):
        for batch, _ in islice(batches.after(border), count):
            update(batch, RATE)
    return {
        "pools": batches.pools,
        "batches_of_a_pool": len(groups),
        **figures,
        "memory_before": before,
        "memory": memory(),
        "seconds": seconds.spent,
        "threads": torch.get_num_threads(),
    }


def memory() -> dict[str, float]:
    """Reads what this process holds and held at most, in MB of 2**20 bytes; Linux alone tells."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    found = {name: re.search(rf"{key}:\s+(\d+) kB", text) for name, key in _STATUS.items()}
    return {name: round(int(match[1]) / 2**10, 1) for name, match in found.items() if match}


if __name__ == "__main__":
    main()

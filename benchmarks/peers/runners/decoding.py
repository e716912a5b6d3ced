"""Decoding windows: all test sentences at once, or one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from peers.runners.ids import END, Ids, ragged
from peers.runners.serve import Job, Ready

Decode = Callable[[Sequence[Ids]], list[list[int]]]
Weights = dict[str, npt.NDArray[np.float32]]
_WARMUP = 8
"""Sentences decoded before the first window."""


def decoding(job: Job, decode: Decode, *packages: str) -> Ready:
    """Offers windows of the job's task.

    Args:
        job: the job.
        decode: returns the best output of each source, in order, as ids without the end mark.
        packages: whose versions the record names.
    """
    sources = ragged(Path(job["material"]) / "test.npz", "source")
    decode(sources[:_WARMUP])

    def many(_: int) -> dict[str, Any]:
        outputs = decode(sources)
        return {"amount": len(outputs), "outputs": outputs}

    def single(_: int) -> dict[str, Any]:
        taken = []
        for source in sources:
            begin = time.perf_counter()
            decode([source])
            taken.append(1000 * (time.perf_counter() - begin))
        return {"amount": len(taken), "milliseconds": taken}

    return Ready(single if job["task"] == "latency" else many, packages)


def until_end(ids: Iterable[int]) -> list[int]:
    """Returns the ids before the end mark."""
    kept = []
    for i in ids:
        if i == END:
            break
        kept.append(int(i))
    return kept


def weights(job: Job) -> Weights:
    """Reads the trained weights under the names that seq2see gives them."""
    with np.load(Path(job["material"]) / "weights.npz") as file:
        return {name: file[name] for name in file.files}


def sinusoids(positions: int, width: int) -> npt.NDArray[np.float32]:
    """Returns the codes of positions, sines and cosines in turn: `[position, width]`."""
    rates = np.exp(-np.log(10000.0) * np.arange(0, width, 2) / width)
    angles = np.arange(positions)[:, None] * rates
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(positions, width).astype("f")

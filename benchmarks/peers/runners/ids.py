"""Token ids as the contest writes them: the marks, and rows of different lengths."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
PAD, UNKNOWN, START, END = range(4)


def ragged(path: Path, name: str) -> list[Ids]:
    """Reads the rows of the array `name`, cut at `name_offsets`."""
    with np.load(path) as file:
        flat, offsets = file[name].astype(np.int64), file[f"{name}_offsets"]
    return [flat[a:b] for a, b in pairwise(offsets)]

"""The token ids that all toolkits get, as tensors side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from peers.runners.ids import PAD, START, Ids, ragged


@dataclass(frozen=True)
class Batch:
    """Pairs side by side, right-padded with `PAD`.

    Args:
        source: ids with the end mark, `[row, source]`.
        target: what the decoder reads, start mark first, `[row, target]`.
        wanted: what it has to predict, end mark last, `[row, target]`.
        tokens: ids of `wanted` that are no padding.
    """

    source: Tensor
    target: Tensor
    wanted: Tensor
    tokens: int

    @property
    def real(self) -> Tensor:
        """True at tokens of the source."""
        return self.source != PAD


def pad(rows: list[Ids]) -> Tensor:
    """Lays rows side by side: `[row, token]`."""
    out = np.full((len(rows), max(map(len, rows))), PAD, np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return torch.from_numpy(out)


class Corpus:
    """The training pairs and the order of their batches, the same for all toolkits.

    Args:
        path: the file that the contest wrote.
    """

    def __init__(self, path: Path) -> None:
        self.source, self.target = ragged(path, "source"), ragged(path, "target")
        self.groups = ragged(path, "rows")

    def batch(self, number: int) -> Batch:
        """Collates a batch; after the last one comes the first again."""
        rows = self.groups[number % len(self.groups)]
        wanted = pad([self.target[i] for i in rows])
        start = torch.full((len(rows), 1), START)
        source = pad([self.source[i] for i in rows])
        target = torch.cat([start, wanted[:, :-1]], dim=1)
        return Batch(source, target, wanted, int((wanted != PAD).sum()))

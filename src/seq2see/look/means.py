"""Means over all queries of a data set, taken batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass
class Means:
    """Adds up values of each head by name.

    Args:
        sums: by name, `[head]`.
        counts: by name, the queries added.
    """

    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(
        self, name: str, values: Float[Tensor, "row head query"], where: Bool[Tensor, "row query"]
    ) -> None:
        """Adds one value a head and query, where `where` is True."""
        total = values.masked_fill(~where[:, None], 0.0).sum((0, 2), dtype=torch.float64).cpu()
        self.sums[name] = self.sums.get(name, 0) + total
        self.counts[name] = self.counts.get(name, 0) + int(where.sum())

    def mean(self, name: str, head: int = 0) -> float:
        """Returns a head's mean; NaN where no query was added."""
        count = self.counts[name]
        return float(self.sums[name][head]) / count if count else float("nan")

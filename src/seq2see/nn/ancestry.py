"""The hypotheses of a source share one cache, in which each looks at its own ancestors alone.

A beam that chooses other hypotheses then moves a few numbers a row, not all keys and values.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seq2see.nn.masks import causal

ANCESTRY = "ancestry"
"""Name of the tensor in a state that tells where each row's positions stand in the cache."""


def side_by_side(
    x: Float[Tensor, "row head position d"], width: int
) -> Float[Tensor, "source head positions d"]:
    """Lays the positions of a source's hypotheses one behind the other.

    Args:
        x: queries, keys or values.
        width: how many rows in succession belong to one source.
    """
    if width == 1:
        return x
    return x.unflatten(0, (-1, width)).transpose(1, 2).flatten(2, 3)


def grown(
    ancestry: Int[Tensor, "row step"], entries: int, count: int, width: int
) -> Int[Tensor, "row step_and_count"]:
    """Notes where the next positions of each row come to stand.

    Args:
        ancestry: where those before stand.
        entries: how many positions the cache of a source holds so far.
        count: new positions a row.
        width: how many rows in succession belong to one source.
    """
    rows = torch.arange(len(ancestry), device=ancestry.device) % width
    new = entries + count * rows[:, None] + torch.arange(count, device=ancestry.device)
    return torch.cat([ancestry, new], dim=1)


def own_past(
    ancestry: Int[Tensor, "row step"], entries: int, count: int, width: int
) -> Bool[Tensor, "source 1 queries entries"]:
    """Lets each of the last `count` positions of a row look at those of its row, up to itself.

    Args:
        ancestry: where all positions of each row stand.
        entries: how many positions the cache of a source holds, the last ones included.
        count: positions a row that look.
        width: how many rows in succession belong to one source.
    """
    rows, steps = ancestry.shape
    mask = torch.zeros((rows, count, entries), dtype=torch.bool, device=ancestry.device)
    seen = causal(count, steps, ancestry.device)[0].expand(rows, -1, -1)
    mask.scatter_(2, ancestry[:, None].expand(-1, count, -1), seen)
    return mask.view(rows // width, 1, width * count, entries)


def of_each_row(
    cache: Float[Tensor, "source head entries d"], ancestry: Int[Tensor, "row step"]
) -> Float[Tensor, "row head step d"]:
    """Copies each row's own keys or values out of its source's cache."""
    width = len(ancestry) // max(1, len(cache))
    index = ancestry[:, None, :, None].expand(-1, cache.shape[1], -1, cache.shape[3])
    return cache.repeat_interleave(width, dim=0).gather(2, index)

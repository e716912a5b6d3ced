"""Where a query may look: True for yes. Shapes broadcast to `[row, head, query, key]`."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def padding(lengths: Int[Tensor, " row"], width: int) -> Bool[Tensor, "row width"]:
    """Marks the real tokens of right-padded rows: `position < length`."""
    return torch.arange(width, device=lengths.device) < lengths[:, None]


def over_keys(real: Bool[Tensor, "row key"]) -> Bool[Tensor, "row 1 1 key"]:
    """Lets every query of a row look at the row's real tokens."""
    return real[:, None, None, :]


def causal(queries: int, keys: int, device: torch.device) -> Bool[Tensor, "1 1 query key"]:
    """Lets query i look at keys up to its own position; the last query stands at the last key."""
    position = torch.arange(keys - queries, keys, device=device)
    return (torch.arange(keys, device=device) <= position[:, None])[None, None]


def additive(mask: Bool[Tensor, "*shape"], dtype: torch.dtype) -> Float[Tensor, "*shape"]:
    """Turns a mask into a term for the scores: 0 where allowed, hugely negative elsewhere.

    Half of the smallest finite number, not minus infinity: a row that may look nowhere then has a
    finite softmax and finite gradients, and adding a score cannot overflow.
    """
    blocked = torch.finfo(dtype).min / 2
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, blocked)

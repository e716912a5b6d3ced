"""What is to be decoded: one request a source, and groups of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from seq2see.data.batches import group_by_length, pad_right
from seq2see.nn.masks import padding

FREE = -1
"""Stands in `Group.prefix` where no token is forced."""


@dataclass(frozen=True)
class Request:
    """A source to be decoded.

    Args:
        source: token ids, end mark last.
        copies: how many copy marks stand for something in this source.
        prefix: token ids the target has to begin with.
        limit: tokens of a target at most, prefix and end mark counted.
        line: the number from which the line's random numbers derive, with `draw`.
        draw: which of the line's samples this is.
    """

    source: Sequence[int]
    limit: int
    copies: int = 0
    prefix: Sequence[int] = ()
    line: int = 0
    draw: int = 0


@dataclass(frozen=True)
class Group:
    """Requests side by side.

    Args:
        source: token ids, right-padded.
        real: False at padding.
        limit: see `Request`.
        copies: see `Request`.
        prefix: token ids, right-padded with `FREE`.
    """

    source: Int[Tensor, "row source"]
    real: Bool[Tensor, "row source"]
    limit: Int[Tensor, " row"]
    copies: Int[Tensor, " row"]
    prefix: Int[Tensor, "row prefix"]


def lay(requests: Sequence[Request], device: torch.device) -> Group:
    """Lays requests side by side on `device`."""
    source, real = pad([request.source for request in requests], device)
    prefix, forced = pad([request.prefix for request in requests], device)
    return Group(
        source=source,
        real=real,
        limit=torch.tensor([request.limit for request in requests], device=device),
        copies=torch.tensor([request.copies for request in requests], device=device),
        prefix=prefix.masked_fill(~forced, FREE),
    )


def pad(
    rows: Sequence[Sequence[int]], device: torch.device
) -> tuple[Int[Tensor, "row position"], Bool[Tensor, "row position"]]:
    """Right-pads rows of ids on `device`; returns them, and False at their padding."""
    ids = pad_right([np.array(row, np.int32) for row in rows]).to(device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return ids, padding(lengths, ids.shape[1])


def by_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Groups rows of similar length; a group's rows times its longest stay within `budget`.

    A row longer than the budget is a group of its own.
    """
    sizes = np.array(lengths, np.int64)
    groups = group_by_length(sizes, sizes, budget, np.random.default_rng(0))
    return [group.tolist() for group in groups]

"""How heads, and the hypotheses of a source, are laid out for a product by head."""

from __future__ import annotations

from collections.abc import Iterable

from jaxtyping import Float
from torch import Tensor

from seq2see.nn.tap import Tap, any_watched


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Reshapes `[row, position, head * d]` to `[row, head, position, d]`."""
    return x.view(*x.shape[:2], heads, x.shape[2] // max(1, heads)).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """Reshapes `[row, head, position, d]` to `[row, position, head * d]`."""
    return x.transpose(1, 2).flatten(-2)


def by_source(
    x: Float[Tensor, "row query d"], kept: tuple[Tensor, ...], taps: Iterable[Tap]
) -> tuple[Float[Tensor, "source queries d"], tuple[Tensor, ...]]:
    """Lays the hypotheses of a source side by side: to its keys they are just more queries.

    Where a tap is watched, what is kept of the sources is repeated instead, because whoever watches
    is promised a row a hypothesis.

    Args:
        x: what looks; as many rows in succession to each source.
        kept: what is looked at, one row a source.
        taps: those that would see rows side by side.

    Returns:
        The queries by source, and what they look at.
    """
    width = len(x) // max(1, len(kept[0]))
    if width > 1 and any_watched(taps):
        return x, tuple(each.repeat_interleave(width, dim=0) for each in kept)
    return x.reshape(len(kept[0]), width * x.shape[1], x.shape[2]), kept

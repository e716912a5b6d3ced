"""A block's work without what only a watcher needs.

A step of a search is short, so that every call in it counts. Here no tap is called, no mask is made
anew in every layer, and maps of eight bits share one rounding. What comes out is what the blocks
themselves make; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from seq2see.nn.attention import MultiHeadAttention, unwatched_attention
from seq2see.nn.blocks import Block, Residual
from seq2see.nn.dropout import Dropout
from seq2see.nn.feedforward import FeedForward
from seq2see.nn.hooks import every_hook_of
from seq2see.nn.int8 import Int8Linear, Rounded
from seq2see.nn.layout import join_heads, split_heads
from seq2see.nn.norms import Norm
from seq2see.nn.positions import rotate
from seq2see.nn.tap import Tap

_COMMON = {Block, MultiHeadAttention, Residual, FeedForward, Tap, Dropout, nn.Linear, Int8Linear,
           Norm, nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.Identity}  # fmt: skip
"""What a block is made of; a subclass may do something else."""

Cache = tuple[Tensor, Tensor]
"""Keys and values, each `[source, head, entry, d]`."""


class Lean:
    """The blocks of a stack, where nothing keeps them from being run without their taps.

    Args:
        stack: the encoder or decoder that they belong to.
        blocks: its blocks.
    """

    def __init__(self, stack: nn.Module, blocks: Iterable[Block]) -> None:
        self.blocks = tuple(blocks)
        modules = list(stack.modules())
        self.fits = all(map(_is_common, self.blocks)) and not any(m.training for m in modules)
        self.hooks = [hooks for module in modules for hooks in every_hook_of(module)]

    @property
    def applies(self) -> bool:
        """Whether every block is of the common kind, and nobody watches any part of it."""
        watched = any(self.hooks) or _has_any_global_hook()
        return self.fits and not watched and not torch.compiler.is_compiling()


def _is_common(block: Block) -> bool:
    """Tells whether a block is made of what the functions below know, and of nothing else."""
    parts = list(block.modules())
    looks = [layer for layer in parts if isinstance(layer, MultiHeadAttention)]
    maps = [m for a in looks for m in (a.query, a.key, a.value, a.output)]
    if block.feedforward is not None:
        maps += [block.feedforward.widen, block.feedforward.narrow]
    return (
        block.positions != "alibi"
        and all(type(module) in _COMMON for module in parts)
        and all(a.programme is None and a.sizes.left is None for a in looks)
        and all(a.sizes.kv_heads == a.sizes.heads for a in looks)
        and all(type(m) in (nn.Linear, Int8Linear) for m in maps)
    )


def own(
    block: Block,
    x: Float[Tensor, "source query d_model"],
    term: Float[Tensor, "source 1 #query entry"] | None,
    past: Cache | None = None,
    start: int = 0,
) -> tuple[Float[Tensor, "source query d_model"], Cache]:
    """Self-attention in its residual.

    Args:
        block: a block.
        x: what looks; the hypotheses of a source side by side.
        term: added to the scores: 0 where one may look, hugely negative elsewhere; None where one
            may look everywhere.
        past: keys and values of the positions before; None at the start.
        start: the position that all of `x` stand at, or the first of them without a past.

    Returns:
        The residual's output, and keys and values with the new ones behind those of the past.
    """
    layer: MultiHeadAttention = block.get_submodule("self")  # type: ignore[assignment]
    read = block.around_self.read(x)
    maps = (layer.query, layer.key, layer.value)
    q, k, v = (split_heads(each, layer.sizes.heads) for each in mapped(read, maps))
    if block.positions == "rotary":
        q, k = (_rotated(each, start, together=past is not None) for each in (q, k))
    if past is not None:
        k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
    return block.around_self.add(x, look(layer, q, k, v, term)), (k, v)


def across(
    block: Block,
    x: Float[Tensor, "source query d_model"],
    memory: Cache,
    term: Float[Tensor, "source 1 1 entry"],
) -> Float[Tensor, "source query d_model"]:
    """Attention over the source in its residual; see `own`."""
    layer = block.cross
    assert layer is not None
    [q] = mapped(block.around_cross.read(x), (layer.query,))
    q = split_heads(q, layer.sizes.heads)
    return block.around_cross.add(x, look(layer, q, *memory, term))


def think(
    block: Block, x: Float[Tensor, "source query d_model"]
) -> Float[Tensor, "source query d_model"]:
    """The feed-forward layer in its residual, if there is one."""
    layer = block.feedforward
    if layer is None:
        return x
    read = block.around_feedforward.read(x)
    hidden = layer.bend(read, layer.widen(read), inplace=not torch.is_grad_enabled())
    return block.around_feedforward.add(x, layer.narrow(hidden))


def look(
    layer: MultiHeadAttention,
    q: Float[Tensor, "source head query d_key"],
    k: Float[Tensor, "source head entry d_key"],
    v: Float[Tensor, "source head entry d_value"],
    term: Float[Tensor, "source 1 #query entry"] | None,
) -> Float[Tensor, "source query d_model"]:
    """Reads the values through the heads and maps the result back to d_model."""
    return layer.output(join_heads(unwatched_attention(q * layer.scale, k, v, term)))


def mapped(x: Float[Tensor, "*shape d_in"], maps: Sequence[nn.Module]) -> list[Tensor]:
    """Maps the same vectors several times; maps of eight bits share one rounding of them."""
    if len(maps) > 1 and all(isinstance(each, Int8Linear) for each in maps):
        rounded = Rounded.of(x)
        return [each.product(rounded) for each in maps]  # type: ignore[operator]
    return [each(x) for each in maps]


def _rotated(x: Tensor, start: int, *, together: bool) -> Tensor:
    """Turns queries or keys; hypotheses side by side all stand at the same position."""
    if not together:
        return rotate(x, start)
    return rotate(x.flatten(0, 1)[:, :, None], start).view(x.shape)

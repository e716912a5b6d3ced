"""One layer of a Transformer: attention, feed-forward, and the residual around each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seq2see.nn.ancestry import side_by_side
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.dropout import Dropout
from seq2see.nn.feedforward import FeedForward
from seq2see.nn.norms import Norm, NormKind
from seq2see.nn.places import Places
from seq2see.nn.positions import alibi, rotate
from seq2see.nn.settings import TransformerSettings
from seq2see.nn.tap import Tap

KeyValue = tuple[Tensor, Tensor]
"""Keys and values of one attention, each `[row, kv_head, key, d]`."""


class Past(NamedTuple):
    """What a decoder's self-attention keeps of the positions it has read.

    Args:
        k: keys; a row for each row of the input, or one for several of them in succession.
        v: values, alike.
        length: positions read a row.
    """

    k: Float[Tensor, "row kv_head key d_key"]
    v: Float[Tensor, "row kv_head key d_value"]
    length: int


class Residual(nn.Module):
    r"""Adds a sub-layer's output to its input, with the norm before or after.

    $$\mathrm{before:}\ x + f(\mathrm{norm}(x)) \qquad \mathrm{after:}\ \mathrm{norm}(x + f(x))$$

    Source: after: Vaswani et al. 2017, section 3.1; before: Xiong et al. 2020, figure 1.

    Tap: `written`, what the sub-layer adds.
    """

    def __init__(self, settings: TransformerSettings, norm: NormKind) -> None:
        super().__init__()
        self.norm = Norm(norm, settings.d_model)
        self.before = settings.norm_place == "before"
        self.residual = settings.residual
        self.dropout = Dropout(settings.dropout)
        self.written = Tap()

    def forward(self, x: Tensor, f: Callable[[Tensor], Tensor], real: Tensor | None) -> Tensor:
        """Runs sub-layer `f` on `x`; `real` tells the norm which positions hold tokens."""
        return self.add(x, self.written(self.dropout(f(self.read(x, real)))), real)

    def read(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """Returns what the sub-layer reads."""
        return self.norm(x, real) if self.before else x

    def add(self, x: Tensor, written: Tensor, real: Tensor | None = None) -> Tensor:
        """Joins what the sub-layer wrote with what came in."""
        y = x + written if self.residual else written
        return y if self.before else self.norm(y, real)


class Block(nn.Module):
    """Self-attention, cross-attention in a decoder, and feed-forward, each in its residual.

    Tap: `out`, the block's output.
    """

    def __init__(self, settings: TransformerSettings, *, decoder: bool, layer: int = 0) -> None:
        super().__init__()
        name = f"{'decoder' if decoder else 'encoder'}.{layer}"
        sizes = settings.head_sizes
        norm = settings.norm_in_decoder if decoder else settings.norm
        self.positions = settings.positions
        self.add_module("self", MultiHeadAttention(sizes, settings.roles_at(f"{name}.self")))
        self.around_self = Residual(settings, norm)
        self.cross: MultiHeadAttention | None = None
        if decoder:
            self.cross = MultiHeadAttention(sizes, settings.roles_at(f"{name}.cross"))
            self.around_cross = Residual(settings, norm)
        self.feedforward: FeedForward | None = None
        if settings.feedforward != "none":
            self.feedforward = FeedForward(
                settings.feedforward, settings.d_model, settings.d_ff, settings.feedforward_dropout
            )
            self.around_feedforward = Residual(settings, norm)
        self.out = Tap()

    def encode(self, x: Tensor, mask: Tensor, real: Tensor, places: Places | None = None) -> Tensor:
        """Lets every position look at all real positions of its row."""
        x = self.around_self(x, lambda y: self._look(y, mask, None, places)[0], real)
        return self.out(self._think(x, real))

    def decode(
        self,
        x: Tensor,
        mask: Tensor | None,
        memory: tuple[KeyValue, Tensor],
        past: Past | None,
        places: tuple[Places, Places] | tuple[None, None] = (None, None),
    ) -> tuple[Tensor, Past]:
        """Lets every position look at its past and at the source.

        Args:
            x: `[row, position, d_model]`, the positions that follow `past`.
            mask: where each position may look among past and new positions; None: without a past,
                up to itself.
            memory: the source's keys and values for this block, and where one may look there.
            past: what is kept of the positions before; None at the start.
            places: of self-attention and of attention over the source, where heads have roles.

        Returns:
            The block's output, and what is kept of past and new positions together.
        """
        present: list[Past] = []
        own, across = places

        def look(y: Tensor) -> Tensor:
            out, kept = self._look(y, mask, past, own)
            present.append(kept)
            return out

        x = self.around_self(x, look, None)
        cross = self.cross
        assert cross is not None
        (k, v), source_mask = memory
        x = self.around_cross(x, lambda y: cross.read(y, k, v, source_mask, across), None)
        return self.out(self._think(x, None)), present[0]

    def _look(
        self, x: Tensor, mask: Tensor | None, past: Past | None, places: Places | None
    ) -> tuple[Tensor, Past]:
        layer: MultiHeadAttention = self.get_submodule("self")  # type: ignore[assignment]
        start, width = (0, 1) if past is None else (past.length, len(x) // max(1, len(past.k)))
        q, (k, v) = layer.queries(x, start), layer.keys_values(x, start)
        if self.positions == "rotary":
            q, k = rotate(q, start), rotate(k, start)
        if past is not None:
            q, k, v = (side_by_side(each, width) for each in (q, k, v))
            k, v = torch.cat([past.k, k], dim=-2), torch.cat([past.v, v], dim=-2)
        bias = None
        if self.positions == "alibi":
            left = layer.sizes.left
            heads = layer.sizes.heads if left is None else left.among
            bias = alibi(heads, q.shape[-2], k.shape[-2], x.device).to(x.dtype)
            bias = bias if left is None else left.own(bias)
        out = layer(q, k, v, mask, *layer.terms(places, mask, x, bias))
        out = out if width == 1 else out.view_as(x)
        return out, Past(k, v, start + x.shape[1])

    def _think(self, x: Tensor, real: Tensor | None) -> Tensor:
        if self.feedforward is None:
            return x
        return self.around_feedforward(x, self.feedforward, real)

"""THE equation, and the layers that use it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seq2see.nn.dropout import Dropout
from seq2see.nn.heads import HeadSizes, Programme, maps
from seq2see.nn.layout import by_source, join_heads, split_heads
from seq2see.nn.masks import additive, causal
from seq2see.nn.places import Places
from seq2see.nn.plan import HeadRole
from seq2see.nn.tap import Tap, any_watched


def attention_weights(
    scores: Float[Tensor, "row head query key"],
    mask: Bool[Tensor, "#row #head #query #key"],
) -> Float[Tensor, "row head query key"]:
    r"""Turns scores into weights that are positive and sum to 1 over the keys a query may see.

    $$A_{ij} = \exp(s_{ij}) / \sum_{j'} \exp(s_{ij'})$$

    A query that may look nowhere gets zeros.
    """
    weights = torch.softmax(scores + additive(mask, scores.dtype), dim=-1)
    blind = ~mask.any(-1, keepdim=True)
    # Blind rows are rare, and clearing them would be one more pass over the largest tensor.
    if torch.compiler.is_compiling() or bool(blind.any()):
        weights = weights.masked_fill(blind, 0.0)
    return weights


def attention(
    q: Float[Tensor, "row head query d_key"],
    k: Float[Tensor, "row head key d_key"],
    v: Float[Tensor, "row head key d_value"],
    mask: Bool[Tensor, "#row #head #query #key"],
) -> Float[Tensor, "row head query d_value"]:
    r"""Mixes values by how well each query matches each key.

    $$\mathrm{softmax}(QK^\top / \sqrt{d_k})\,V$$

    Source: Vaswani et al. 2017, eq. 1. The layers below take the same steps one by one, so
    that each can be seen; a test holds them against this function.
    """
    return attention_weights(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), mask) @ v


def unwatched_attention(
    q: Float[Tensor, "row head query d_key"],
    k: Float[Tensor, "row head key d_key"],
    v: Float[Tensor, "row head key d_value"],
    term: Float[Tensor, "row 1 #query key"] | None,
) -> Float[Tensor, "row head query d_value"]:
    """Takes the steps of `attention` in as few operations as there are, none of which can be seen.

    Args:
        q: queries, divided by sqrt(d_k) already.
        k: keys.
        v: values.
        term: added to the scores: 0 where a query may look, hugely negative elsewhere; every query
            may look somewhere. None where all may look everywhere.
    """
    rows, heads = q.shape[:2]
    q, k, v = (each.flatten(0, 1) for each in (q, k, v))
    scores = torch.bmm(q, k.transpose(1, 2))  # row_and_head query key
    if term is not None:
        scores.view(rows, heads, *scores.shape[1:]).add_(term)
    return torch.bmm(torch.softmax(scores, dim=-1), v).unflatten(0, (rows, heads))


LONG = 512
"""Keys from which torch's fused attention beats two batched products on a CPU; below, its backward
pass costs more than all matrix products of the layer together."""


class MultiHeadAttention(nn.Module):
    r"""Looks from several viewpoints at once.

    $$\mathrm{head}_i = \mathrm{attention}(XW^Q_i, MW^K_i, MW^V_i), \qquad
      Y = [\mathrm{head}_1; \dots; \mathrm{head}_h]\,W_O$$

    One map may serve as $W^Q = W^K$ (`tied_query_key`), and $M W^V$ may be M itself, cut into heads
    (without `value_projection`).
    Heads can be given roles; a fixed one has no query, key and score. Source: Vaswani et al. 2017,
    section 3.2.2; shared key-value heads: Ainslie et al. 2023; roles: see `Programme`.

    Taps: `q`, `k`, `scores` (without the heads that are fixed), `v`, `pattern` `[row, head, query,
    key]`, `context` (what each head read, `[row, head, query, d_value]`).
    """

    def __init__(self, sizes: HeadSizes, roles: Sequence[HeadRole] = ()) -> None:
        super().__init__()
        self.sizes = sizes
        self.scale = 1 / math.sqrt(sizes.d_key) if sizes.scaled else 1.0
        roles = [each for each in roles if each.programmes]
        self.programme = Programme(sizes.heads, roles) if roles else None
        self.query: nn.Linear
        self.key: nn.Linear
        self.value: nn.Linear
        self.output: nn.Linear
        made = maps(sizes, self.query_heads, self.key_heads)
        self.query, self.key, self.value, self.output = made
        self.dropout = Dropout(sizes.dropout)
        self.q, self.k, self.v = Tap(), Tap(), Tap()
        self.scores, self.pattern, self.context = Tap(), Tap(), Tap()

    @property
    def query_heads(self) -> int:
        """How many heads have a query: all but those that are fixed."""
        return self.sizes.heads - (0 if self.programme is None else len(self.programme.fixed))

    @property
    def key_heads(self) -> int:
        """How many heads of keys there are."""
        return self.sizes.kv_heads - (self.sizes.heads - self.query_heads)

    def queries(
        self, x: Float[Tensor, "row query d_model"], start: int = 0
    ) -> Float[Tensor, "row learned query d_key"]:
        """Takes the query view of `x`, the first of which stands at position `start`, by head."""
        q = split_heads(self.query(x), self.query_heads)
        if self.programme is not None and self.programme.written:
            q = self.programme.from_positions(q, self.query, start)
        return self.q(q)

    def keys_values(
        self, memory: Float[Tensor, "row key d_model"], start: int = 0
    ) -> tuple[Float[Tensor, "row key_head key d_key"], Float[Tensor, "row kv_head key d_value"]]:
        """Takes the key view and the value view of `memory`, by head: as many keys as values."""
        k = split_heads(self.key(memory), self.key_heads)
        if self.programme is not None and self.programme.written:
            k = self.programme.from_positions(k, self.key, start)
        return self.k(k), self.v(split_heads(self.value(memory), self.sizes.kv_heads))

    def terms(
        self,
        places: Places | None,
        mask: Bool[Tensor, "#row 1 #query #key"] | None,
        like: Float[Tensor, ...],
        bias: Float[Tensor, "#row head query key"] | None = None,
    ) -> tuple[Float[Tensor, ...] | None, Float[Tensor, ...] | None]:
        """Returns the `bias` and the `fixed` patterns that `forward` takes.

        Args:
            places: where queries and keys stand; needed where a head has a role.
            mask: True where a query may look; needed there too.
            like: a tensor of the type that the scores will have.
            bias: what is added to the scores of all heads anyhow.
        """
        if self.programme is None:
            return bias, None
        assert places is not None and mask is not None
        bias = self.programme.bias(places, bias, like.dtype)
        return bias, self.programme.patterns(places, mask)

    def forward(
        self,
        q: Float[Tensor, "row learned query d_key"],
        k: Float[Tensor, "row key_head key d_key"],
        v: Float[Tensor, "row kv_head key d_value"],
        mask: Bool[Tensor, "#row #head #query #key"] | None,
        bias: Float[Tensor, "#row learned query key"] | None = None,
        fixed: Float[Tensor, "#row fixed query key"] | None = None,
    ) -> Float[Tensor, "row query d_model"]:
        """Reads the values through the heads and maps the result back to d_model.

        Args:
            q: from `queries`.
            k: from `keys_values`.
            v: from `keys_values`.
            mask: True where a query may look; None lets each look at the keys up to its own
                position, and spares a long text a table of query by key.
            bias: a term added to the scores, for example ALiBi's penalty for distance.
            fixed: the patterns of the heads whose role is fixed.
        """
        left, shared = self.sizes.left, self.sizes.heads // max(1, self.sizes.kv_heads)
        if left is not None:
            k, v = left.serve(k), left.serve(v)
        elif shared > 1:
            k, v = k.repeat_interleave(shared, dim=1), v.repeat_interleave(shared, dim=1)
        # An export would pin its lengths to one side of this comparison.
        long = not torch.compiler.is_compiling() and k.shape[-2] >= LONG
        if long and fixed is None and not self._explicit():
            context = self._fused(q, k, v, mask, bias)
        else:
            mask = causal(q.shape[-2], k.shape[-2], q.device) if mask is None else mask
            context = torch.matmul(self.dropout(self._pattern(q, k, mask, bias, fixed)), v)
        return self.output(join_heads(self.context(context)))

    def read(
        self,
        x: Float[Tensor, "row query d_model"],
        k: Float[Tensor, "source key_head key d_key"],
        v: Float[Tensor, "source kv_head key d_value"],
        mask: Bool[Tensor, "source 1 1 key"],
        places: Places | None = None,
    ) -> Float[Tensor, "row query d_model"]:
        """Looks from `x` at keys and values that rows share, as the hypotheses of a source do.

        Args:
            x: what looks; as many rows in succession to each source.
            k: from `keys_values`, one row a source.
            v: from `keys_values`, one row a source.
            mask: True where the queries of a source may look.
            places: where `x` and the keys stand; needed where a head has a role.
        """
        taps = (self.q, self.scores, self.pattern, self.context)
        width = len(x) // max(1, len(k))
        queries, (k, v, mask) = by_source(x, (k, v, mask), taps)
        if places is not None and width > 1:
            together = len(queries) < len(x)
            places = places.side_by_side(width) if together else places.repeated(width)
        terms = self.terms(places, mask, x)
        return self(self.queries(queries), k, v, mask, *terms).view_as(x)

    def write_roles(self) -> None:
        """Writes the roles that begin in the maps to query and key, once these are drawn."""
        if self.programme is not None and self.programme.written:
            self.programme.write(self.query, self.key, self.sizes.d_key, self.scale)

    def _explicit(self) -> bool:
        dropping = self.training and self.dropout.threshold > 0
        return dropping or any_watched((self.scores, self.pattern))

    def _pattern(
        self, q: Tensor, k: Tensor, mask: Tensor, bias: Tensor | None, fixed: Tensor | None
    ) -> Tensor:
        # The scale goes to the queries, the smallest of the tensors it could go to.
        scores = torch.matmul(q * self.scale, k.transpose(-2, -1))  # row learned query key
        scores = self.scores(scores if bias is None else scores + bias)
        pattern = attention_weights(scores, mask)
        if fixed is not None and self.programme is not None:
            pattern = self.programme.joined(pattern, fixed)
        return self.pattern(pattern)

    def _fused(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, bias: Tensor | None
    ) -> Tensor:
        if mask is None and bias is None:
            return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=self.scale)
        mask = causal(q.shape[-2], k.shape[-2], q.device) if mask is None else mask
        term = additive(mask, q.dtype) if bias is None else additive(mask, q.dtype) + bias
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=term, scale=self.scale)
        return context.masked_fill(~mask.any(-1, keepdim=True), 0.0)

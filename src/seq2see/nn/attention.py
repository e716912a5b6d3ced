"""THE equation, and the layers that use it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seq2see.nn.dropout import Dropout
from seq2see.nn.kept import Left
from seq2see.nn.masks import additive
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


@dataclass(frozen=True)
class HeadSizes:
    """The sizes and switches of one multi-head attention.

    Args:
        d_model: features of the vectors that come in and go out.
        heads: parallel attentions.
        kv_heads: heads of keys and values; each serves `heads / kv_heads` query heads.
        d_key: features of a query or key, per head.
        d_value: features of a value, per head.
        scaled: whether scores are divided by sqrt(d_key).
        projections: whether Q, K, V and the output have their own linear maps. Without them, the
            vectors themselves are compared and averaged (raw self-attention).
        dropout: share of the attention weights dropped while training.
        left: which heads stand, where some were pruned; `heads` and `kv_heads` count those.
    """

    d_model: int
    heads: int
    kv_heads: int
    d_key: int
    d_value: int
    scaled: bool = True
    projections: bool = True
    dropout: float = 0.0
    left: Left | None = None


LONG = 512
"""Keys from which torch's fused attention beats two batched products on a CPU; below, its backward
pass costs more than all matrix products of the layer together."""


class MultiHeadAttention(nn.Module):
    r"""Looks from several viewpoints at once.

    $$\mathrm{head}_i = \mathrm{attention}(XW^Q_i, MW^K_i, MW^V_i), \qquad
      Y = [\mathrm{head}_1; \dots; \mathrm{head}_h]\,W_O$$

    Source: Vaswani et al. 2017, section 3.2.2; shared key-value heads: Ainslie et al. 2023.

    Taps: `q`, `k`, `v`, `scores`, `pattern` `[row, head, query, key]`, `context` (what each head
    read, `[row, head, query, d_value]`).
    """

    def __init__(self, sizes: HeadSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.scale = 1 / math.sqrt(sizes.d_key) if sizes.scaled else 1.0
        if sizes.projections:
            self.query = nn.Linear(sizes.d_model, sizes.heads * sizes.d_key)
            self.key = nn.Linear(sizes.d_model, sizes.kv_heads * sizes.d_key)
            self.value = nn.Linear(sizes.d_model, sizes.kv_heads * sizes.d_value)
            self.output = nn.Linear(sizes.heads * sizes.d_value, sizes.d_model)
        else:
            self.query = self.key = self.value = self.output = nn.Identity()  # type: ignore[assignment]
        self.dropout = Dropout(sizes.dropout)
        self.q, self.k, self.v = Tap(), Tap(), Tap()
        self.scores, self.pattern, self.context = Tap(), Tap(), Tap()

    def queries(
        self, x: Float[Tensor, "row query d_model"]
    ) -> Float[Tensor, "row head query d_key"]:
        """Takes the query view of `x`, by head."""
        return self.q(split_heads(self.query(x), self.sizes.heads))

    def keys_values(
        self, memory: Float[Tensor, "row key d_model"]
    ) -> tuple[Float[Tensor, "row kv_head key d_key"], Float[Tensor, "row kv_head key d_value"]]:
        """Takes the key view and the value view of `memory`, by head: as many keys as values."""
        k = self.k(split_heads(self.key(memory), self.sizes.kv_heads))
        v = self.v(split_heads(self.value(memory), self.sizes.kv_heads))
        return k, v

    def forward(
        self,
        q: Float[Tensor, "row head query d_key"],
        k: Float[Tensor, "row kv_head key d_key"],
        v: Float[Tensor, "row kv_head key d_value"],
        mask: Bool[Tensor, "#row #head #query #key"],
        bias: Float[Tensor, "#row head query key"] | None = None,
    ) -> Float[Tensor, "row query d_model"]:
        """Reads the values through the heads and maps the result back to d_model.

        Args:
            q: from `queries`.
            k: from `keys_values`.
            v: from `keys_values`.
            mask: True where a query may look.
            bias: a term added to the scores, for example ALiBi's penalty for distance.
        """
        left, shared = self.sizes.left, self.sizes.heads // max(1, self.sizes.kv_heads)
        if left is not None:
            k, v = left.serve(k), left.serve(v)
        elif shared > 1:
            k, v = k.repeat_interleave(shared, dim=1), v.repeat_interleave(shared, dim=1)
        # An export would pin its lengths to one side of this comparison.
        long = not torch.compiler.is_compiling() and k.shape[-2] >= LONG
        fused = long and not self._explicit()
        context = (self._fused if fused else self._stepwise)(q, k, v, mask, bias)
        return self.output(join_heads(self.context(context)))

    def read(
        self,
        x: Float[Tensor, "row query d_model"],
        k: Float[Tensor, "source kv_head key d_key"],
        v: Float[Tensor, "source kv_head key d_value"],
        mask: Bool[Tensor, "source 1 1 key"],
    ) -> Float[Tensor, "row query d_model"]:
        """Looks from `x` at keys and values that rows share, as the hypotheses of a source do.

        Args:
            x: what looks; as many rows in succession to each source.
            k: from `keys_values`, one row a source.
            v: from `keys_values`, one row a source.
            mask: True where the queries of a source may look.
        """
        taps = (self.q, self.scores, self.pattern, self.context)
        queries, (k, v, mask) = by_source(x, (k, v, mask), taps)
        return self(self.queries(queries), k, v, mask).view_as(x)

    def _explicit(self) -> bool:
        dropping = self.training and self.dropout.threshold > 0
        return dropping or any_watched((self.scores, self.pattern))

    def _stepwise(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, bias: Tensor | None
    ) -> Tensor:
        # The scale goes to the queries, the smallest of the tensors it could go to.
        scores = torch.matmul(q * self.scale, k.transpose(-2, -1))  # row head query key
        scores = self.scores(scores if bias is None else scores + bias)
        pattern = self.pattern(attention_weights(scores, mask))
        return torch.matmul(self.dropout(pattern), v)

    def _fused(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, bias: Tensor | None) -> Tensor:
        term = additive(mask, q.dtype) if bias is None else additive(mask, q.dtype) + bias
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=term, scale=self.scale)
        return context.masked_fill(~mask.any(-1, keepdim=True), 0.0)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Reshapes `[row, position, head * d]` to `[row, head, position, d]`."""
    # With all heads pruned there is nothing to divide, and -1 would be no definite size.
    return x.unflatten(-1, (heads, -1 if heads else 0)).transpose(1, 2)


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


ScoreKind = Literal["dot", "general", "additive"]


class StateAttention(nn.Module):
    r"""Lets a recurrent decoder's state look at all encoder states.

    $$\mathrm{dot:}\ s_{ij} = q_i^\top k_j \qquad \mathrm{general:}\ s_{ij} = q_i^\top W k_j \qquad
      \mathrm{additive:}\ s_{ij} = v^\top \tanh(W q_i + U k_j)$$

    Source: dot and general: Luong et al. 2015, eq. 8; additive: Bahdanau et al. 2015, appendix
        A.1.2.
    `dot` compares vectors of one size, so it needs d_query = d_memory.

    Taps: `q` and `k`, what is compared, `[row, position, d_query]`; `scores`, `pattern`
    `[row, 1, query, key]` (one head), `context`.
    """

    def __init__(self, kind: ScoreKind, d_query: int, d_memory: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "general":
            self.key = nn.Linear(d_memory, d_query, bias=False)
        elif kind == "additive":
            self.query = nn.Linear(d_query, d_query, bias=False)
            self.key = nn.Linear(d_memory, d_query)
            self.energy = nn.Linear(d_query, 1, bias=False)
        self.q, self.k = Tap(), Tap()
        self.scores, self.pattern, self.context = Tap(), Tap(), Tap()

    def keys(self, memory: Float[Tensor, "row key d_memory"]) -> Float[Tensor, "row key d_query"]:
        """Prepares the encoder states once for all queries."""
        return self.k(memory if self.kind == "dot" else self.key(memory))

    def forward(
        self,
        q: Float[Tensor, "row query d_query"],
        k: Float[Tensor, "source key d_query"],
        memory: Float[Tensor, "source key d_memory"],
        real: Bool[Tensor, "source key"],
    ) -> Float[Tensor, "row query d_memory"]:
        """Returns the mean of the encoder states, weighted by how well each matches the query.

        Args:
            q: what looks; as many rows in succession to each source.
            k: from `keys`, one row a source.
            memory: the encoder states, one row a source.
            real: which of them are tokens.
        """
        shape = q.shape[:2]
        taps = (self.q, self.scores, self.pattern, self.context)
        q, (k, memory, real) = by_source(q, (k, memory, real), taps)
        q = self.q(self.query(q) if self.kind == "additive" else q)
        if self.kind == "additive":
            hidden = torch.tanh(q[:, :, None] + k[:, None])  # row query key d_query
            scores = self.energy(hidden).squeeze(-1)
        else:
            scores = q @ k.transpose(-2, -1)
        scores = self.scores(scores[:, None])  # row 1 query key
        pattern = self.pattern(attention_weights(scores, real[:, None, None]))
        return self.context(pattern.squeeze(1) @ memory).view(*shape, -1)

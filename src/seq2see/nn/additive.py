"""Additive scores, a piece at a time, so that no step holds a vector for every query and key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

_PIECE_NUMBERS = 500_000
"""Numbers of a piece: 2 MB of float32, which stay in a core's cache from the sum to the product."""

Piece = tuple[slice, slice]
"""Which rows, and which of their queries."""


def additive_scores(
    q: Float[Tensor, "row query d"], k: Float[Tensor, "row key d"], v: Float[Tensor, " d"]
) -> Float[Tensor, "row query key"]:
    r"""Scores every query against every key of its row by a small network.

    $$s_{ij} = v^\top \tanh(q_i + k_j)$$

    The sums are computed again for the gradient rather than kept: they are `d` times as many as the
    scores, and memory is slower than tanh. A gradient of the gradient is not to be had. Source:
    Bahdanau et al. 2015, appendix A.1.2.

    Args:
        q: the mapped queries.
        k: the mapped keys.
        v: what weighs the features.
    """
    scores: Tensor = _AdditiveScores.apply(q, k, v)  # type: ignore[no-untyped-call]
    return scores


class _AdditiveScores(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        ctx.save_for_backward(q, k, v)
        scores = q.new_empty(*q.shape[:2], k.shape[1])
        for rows, queries in _pieces(q, k):
            # By a matrix, as below: a counter of FLOPs sees those products alone.
            scores[rows, queries] = (_hidden(q[rows, queries], k[rows]) @ v[:, None]).squeeze(-1)
        return scores

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = ctx.saved_tensors
        wide = torch.promote_types(q.dtype, torch.float32)
        to_q, to_k = torch.empty_like(q), torch.zeros_like(k, dtype=wide)
        to_v = torch.zeros_like(v, dtype=wide)
        for rows, queries in _pieces(q, k):
            hidden, g = _hidden(q[rows, queries], k[rows]), grad[rows, queries]
            to_v += g.flatten() @ hidden.flatten(0, 2)
            to_sum = torch.ops.aten.tanh_backward(g[..., None] @ v[None], hidden)
            to_q[rows, queries] = to_sum.sum(2)
            to_k[rows] += to_sum.sum(1)
        return to_q, to_k.to(k.dtype), to_v.to(v.dtype)


def _hidden(q: Tensor, k: Tensor) -> Float[Tensor, "row query key d"]:
    return (q[:, :, None] + k[:, None]).tanh_()


def _pieces(q: Tensor, k: Tensor) -> Iterator[Piece]:
    each = max(1, k[:1].numel())  # numbers of one query
    queries = max(1, min(q.shape[1], _PIECE_NUMBERS // each))
    rows = max(1, _PIECE_NUMBERS // (each * queries))
    for row in range(0, len(q), rows):
        for query in range(0, q.shape[1], queries):
            yield slice(row, row + rows), slice(query, query + queries)

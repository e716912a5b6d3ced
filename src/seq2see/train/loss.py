"""The loss, fused with the output projection, so that no step ever holds all its logits."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

_CHUNK_NUMBERS = 4_000_000
"""Logits held at a time: 16 MB of float32, which stays near a core's cache."""

_CHUNK_ROWS = 256
"""Tokens at a time at least, however large the vocabulary: the gradient of E is read and written
once a chunk, and with fewer rows the products would wait for it."""


def smoothed_loss(
    hidden: Float[Tensor, "token d_out"],
    weight: Float[Tensor, "vocabulary d_out"],
    wanted: Int[Tensor, " token"],
    smoothing: float,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    r"""Sums the label-smoothed cross-entropy of every token, in nats.

    $$\ell = -\sum_t \sum_v q_{tv} \log p_{tv}, \qquad
      q_{tv} = (1 - \epsilon)\,[v = w_t] + \epsilon / V, \qquad p_t = \mathrm{softmax}(E h_t)$$

    The gradient, $p - q$ through the projection, is computed in the same pass, a chunk of tokens at
    a time. Source: Szegedy et al. 2016, section 7.

    Args:
        hidden: the decoder's outputs at real tokens.
        weight: the output matrix E.
        wanted: the token each output has to predict.
        smoothing: ε; 0 is plain cross-entropy.

    Returns:
        The loss, through which gradients flow, and the plain negative log-likelihood beside it,
        both summed over tokens.
    """
    return _SmoothedLoss.apply(hidden, weight, wanted, smoothing)  # type: ignore[no-untyped-call]


class _SmoothedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, wanted: Tensor, smoothing: float
    ) -> tuple[Tensor, Tensor]:
        vocabulary = weight.shape[0]
        wide = torch.promote_types(hidden.dtype, torch.float32)
        to_hidden = torch.empty_like(hidden)
        to_weight = torch.zeros_like(weight, dtype=wide)
        loss, likelihood = hidden.new_zeros((), dtype=wide), hidden.new_zeros((), dtype=wide)
        rows = max(_CHUNK_ROWS, _CHUNK_NUMBERS // vocabulary)
        for begin in range(0, len(hidden), rows):
            h, w = hidden[begin : begin + rows], wanted[begin : begin + rows, None]
            logits = (h @ weight.T).to(wide)
            peak = logits.amax(1, keepdim=True)
            right = logits.gather(1, w).sum()
            everywhere = logits.mean(1).sum() if smoothing else right
            p = logits.sub_(peak).exp_()
            total = p.sum(1, keepdim=True)
            normalizer = (total.log() + peak).sum()
            likelihood += normalizer - right
            loss += normalizer - (1 - smoothing) * right - smoothing * everywhere
            p.div_(total)
            if smoothing:
                p.sub_(smoothing / vocabulary)
            p.scatter_add_(1, w, p.new_full(w.shape, smoothing - 1))
            gradient = p.to(hidden.dtype)
            to_hidden[begin : begin + rows] = gradient @ weight
            to_weight += gradient.T @ h
        ctx.save_for_backward(to_hidden, to_weight)
        ctx.mark_non_differentiable(likelihood)
        return loss, likelihood

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor, Tensor, None, None]:
        to_hidden, to_weight = ctx.saved_tensors
        return to_hidden * grad.to(to_hidden.dtype), to_weight * grad, None, None

"""Dropout that draws eight mask decisions from one 64-bit random number."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEVELS = 256
"""A mask decision compares one random byte with a threshold, so rates come in steps of 1/256."""


def keep_mask(like: Tensor, threshold: int) -> Tensor:
    """Draws a mask with the shape of `like` that is True with probability `1 - threshold / 256`.

    torch's Bernoulli sampler spends a full random number on every element, which on a CPU takes
    about a tenth of a training step; a byte each is enough for a dropout rate.
    """
    count = like.numel()
    words = torch.empty((count + 7) // 8, dtype=torch.int64, device=like.device)
    words.random_(-(2**63), None)
    return (words.view(torch.uint8)[:count] >= threshold).view(like.shape)


class Dropout(nn.Module):
    r"""Sets a share `rate` of the values to zero while training and scales up the rest.

    $$y = x \odot m / (1 - p), \qquad m \sim \mathrm{Bernoulli}(1 - p)$$

    The rate is rounded to the nearest 1/256, and the scale is that of the rounded rate, so that the
    expectation is exact. Source: Srivastava et al. 2014, section 4.

    Args:
        rate: the probability that a value is dropped, at least 0 and below 1.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.threshold = min(round(rate * _LEVELS), _LEVELS - 1)

    def forward(self, value: Tensor) -> Tensor:
        """Returns `value` in evaluation mode or at rate 0, else a thinned, rescaled copy."""
        if not self.training or self.threshold == 0:
            return value
        scale = _LEVELS / (_LEVELS - self.threshold)
        return value * keep_mask(value, self.threshold).to(value.dtype).mul_(scale)

    def extra_repr(self) -> str:
        """Shows the rate in the printed network."""
        return f"rate={self.rate}"

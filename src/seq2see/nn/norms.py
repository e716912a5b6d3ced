"""Normalisation: what is averaged over, and the learned affine map after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

NormKind = Literal["layer", "rms", "batch", "instance", "group", "none"]

POOLS_OVER_TIME: frozenset[str] = frozenset({"batch", "instance"})
"""Kinds whose statistics mix positions: in a decoder they would leak the future into the past."""

GROUPS = 4


class Norm(nn.Module):
    r"""Shifts and scales activations to mean 0 and variance 1, then applies a learned affine map.

    $$y = \gamma \odot (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta$$

    The kinds differ in what the mean μ and the variance σ² are taken over:

    - `layer`: the features of one token. Source: Ba et al. 2016.
    - `rms`: like layer, without μ and β. Source: Zhang and Sennrich 2019.
    - `group`: the features of one token, in four groups. Source: Wu and He 2018.
    - `instance`: one feature over the real positions of one row. Source: Ulyanov et al. 2016.
    - `batch`: one feature over the real tokens of the batch; running averages take their place in
      evaluation mode. Source: Ioffe and Szegedy 2015.
    - `none`: x itself.
    """

    def __init__(self, kind: NormKind, d_model: int) -> None:
        super().__init__()
        self.kind = kind
        make: dict[NormKind, Callable[[], nn.Module]] = {
            "layer": lambda: nn.LayerNorm(d_model),
            "rms": lambda: nn.RMSNorm(d_model, eps=1e-6),
            "group": lambda: nn.GroupNorm(GROUPS, d_model),
            "instance": lambda: MaskedInstanceNorm(d_model),
            "batch": lambda: nn.BatchNorm1d(d_model),
            "none": nn.Identity,
        }
        self.norm = make[kind]()

    def forward(
        self,
        x: Float[Tensor, "row position d_model"],
        real: Bool[Tensor, "row position"] | None = None,
    ) -> Float[Tensor, "row position d_model"]:
        """Normalises `x`; padding (`real` is False) never enters a statistic.

        Args:
            x: activations.
            real: which positions hold tokens; None means all.
        """
        if self.kind == "instance":
            return self.norm(x, real)
        if self.kind == "group":
            return self.norm(x.flatten(0, 1)).view_as(x)
        if self.kind != "batch":
            return self.norm(x)
        if real is None:
            return self.norm(x.flatten(0, 1)).view_as(x)
        y = torch.zeros_like(x)
        y[real] = self.norm(x[real])
        return y


class MaskedInstanceNorm(nn.Module):
    """Normalises each feature over the real positions of its own row."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(
        self,
        x: Float[Tensor, "row position d_model"],
        real: Bool[Tensor, "row position"] | None = None,
    ) -> Float[Tensor, "row position d_model"]:
        """Returns the normalised rows, scaled and shifted by the learned affine map."""
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        share = wide.new_ones(x.shape[:2]) if real is None else real.to(wide.dtype)
        share = (share / share.sum(1, keepdim=True).clamp(min=1.0))[..., None]  # row position 1
        mean = (wide * share).sum(1, keepdim=True)
        variance = ((wide - mean).square() * share).sum(1, keepdim=True)
        y = (wide - mean) * torch.rsqrt(variance + self.eps)
        return (y * self.weight + self.bias).to(x.dtype)

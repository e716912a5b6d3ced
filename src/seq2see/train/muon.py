"""Muon: momentum whose matrix is made orthogonal before it is taken as a step."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

_A, _B, _C = 3.4445, -4.7750, 2.0315
"""Coefficients that raise small singular values fastest; they end near 1, not at 1."""

_ROUNDS = 5
_RMS = 0.2
"""The usual size of an entry of AdamW's step, so that both rules share one learning rate."""


def orthogonal(x: Float[Tensor, "matrix row column"]) -> Float[Tensor, "matrix row column"]:
    r"""Moves the singular values of each matrix near 1, and leaves its singular vectors.

    Five rounds of $X \leftarrow aX + (bG + cG^2)X$ with $G = XX^\top$, from
    $X / \lVert X \rVert_F$.

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
    """
    wide = x if x.shape[-2] <= x.shape[-1] else x.mT
    wide = wide / torch.linalg.vector_norm(wide, dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(_ROUNDS):
        gram = torch.bmm(wide, wide.mT)
        gram = torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C)
        wide = torch.baddbmm(wide, gram, wide, beta=_A)
    return wide if x.shape[-2] <= x.shape[-1] else wide.mT


class Muon(torch.optim.Optimizer):
    r"""Updates matrices by the orthogonal part of their momentum, all of one shape at once.

    $$M \leftarrow \mu M + (1 - \mu) \nabla W, \qquad
      W \leftarrow (1 - \eta\lambda)\,W
        - 0.2\,\eta\,\sqrt{\max(m, n)}\;\mathrm{orthogonal}((1 - \mu) \nabla W + \mu M)$$

    Every direction of a matrix then moves alike, also those that AdamW, led by the few large ones,
    would leave behind. torch's own class takes the matrices one by one and always calculates in
    bfloat16, which is slow where the hardware has none.

    Source: Jordan et al. 2024; the factor 0.2: Liu et al. 2025, "Muon is scalable for LLM
    training", section 2.2.

    Args:
        params: the matrices.
        weight_decay: λ, decoupled.
        momentum: μ.
        dtype: arithmetic of the orthogonalisation; bfloat16 does where it is fast.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(params, {"lr": 0.0, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Makes one step of length `lr`; a matrix without a gradient stays."""
        assert closure is None
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    alike[matrix.shape].append(matrix)
            for shape, matrices in alike.items():
                scale = _RMS * math.sqrt(max(shape))
                directions = self._directions(matrices, group["momentum"])
                torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(matrices, directions, alpha=-group["lr"] * scale)

    def _directions(self, matrices: list[Tensor], momentum: float) -> list[Tensor]:
        grads = [matrix.grad for matrix in matrices if matrix.grad is not None]
        for matrix in matrices:
            if not self.state[matrix]:
                self.state[matrix]["momentum"] = torch.zeros_like(matrix)
        kept = [self.state[matrix]["momentum"] for matrix in matrices]
        torch._foreach_lerp_(kept, grads, 1 - momentum)
        ahead = torch._foreach_lerp(grads, kept, momentum)
        return list(orthogonal(torch.stack(ahead).to(self.dtype)).to(ahead[0].dtype).unbind())

"""What happens to each token alone, between two looks at the others."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from seq2see.nn.dropout import Dropout
from seq2see.nn.tap import Tap

FeedForwardKind = Literal["relu", "gelu", "swiglu", "linear", "none"]


class FeedForward(nn.Module):
    r"""Widens each vector, bends it, and maps it back.

    $$\mathrm{relu, gelu, linear:}\ W_2\,f(W_1 x + b_1) + b_2 \qquad
      \mathrm{swiglu:}\ W_2\,(\mathrm{silu}(W_g x + b_g) \odot (W_1 x + b_1)) + b_2$$

    `linear` leaves f out, to see what the bend is for. Source: Vaswani et al. 2017, section 3.3;
    swiglu: Shazeer 2020, eq. 6.

    Taps: `hidden` (before f) and `neurons` (after f), both `[row, position, d_ff]`.
    """

    def __init__(self, kind: FeedForwardKind, d_model: int, d_ff: int, dropout: float) -> None:
        super().__init__()
        self.kind = kind
        self.widen = nn.Linear(d_model, d_ff)
        self.gate = nn.Linear(d_model, d_ff) if kind == "swiglu" else None
        self.narrow = nn.Linear(d_ff, d_model)
        self.dropout = Dropout(dropout)
        self.hidden, self.neurons = Tap(), Tap()

    def forward(
        self, x: Float[Tensor, "row position d_model"]
    ) -> Float[Tensor, "row position d_model"]:
        """Maps every position by the same two layers."""
        return self.narrow(self.dropout(self.neurons(self.bend(x, self.hidden(self.widen(x))))))

    def bend(self, x: Tensor, hidden: Tensor, *, inplace: bool = False) -> Tensor:
        """Bends what `widen` made of `x`, and gates it where there is a gate.

        Args:
            x: what the layer reads.
            hidden: what `widen` made of it.
            inplace: whether `hidden` may be written over.
        """
        if self.gate is not None:
            return F.silu(self.gate(x)) * hidden
        if self.kind == "relu":
            return F.relu(hidden, inplace=inplace)
        return F.gelu(hidden) if self.kind == "gelu" else hidden

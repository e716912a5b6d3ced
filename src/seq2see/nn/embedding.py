"""From token ids to vectors."""

from __future__ import annotations

import math

from jaxtyping import Float, Int
from torch import Tensor, nn

from seq2see.nn.dropout import Dropout
from seq2see.nn.positions import NoPosition
from seq2see.nn.tap import Tap


class Embedding(nn.Module):
    r"""Looks each token up, scales it, and adds where it stands.

    $$x_p = \sqrt{d}\,E_{t_p} + P_p$$

    The factor keeps an embedding, drawn with deviation $d^{-1/2}$ so that it can also serve as
    output matrix, as large as a position code. Source: Vaswani et al. 2017, section 3.4.

    Taps: `tokens` (scaled embeddings) and `out` (what the first layer reads).
    """

    def __init__(self, table: nn.Embedding, positions: nn.Module | None, dropout: float) -> None:
        super().__init__()
        self.table = table
        self.positions = NoPosition() if positions is None else positions
        self.scale = math.sqrt(table.embedding_dim)
        self.dropout = Dropout(dropout)
        self.tokens, self.out = Tap(), Tap()

    def forward(
        self, ids: Int[Tensor, "row position"], start: int = 0
    ) -> Float[Tensor, "row position d_model"]:
        """Embeds `ids`, the first of which stands at position `start`."""
        x = self.tokens(self.table(ids) * self.scale)
        return self.out(self.dropout(self.positions(x, start)))


def new_table(size: int, d_model: int) -> nn.Embedding:
    """Draws an embedding table with deviation d_model^-1/2."""
    table = nn.Embedding(size, d_model)
    nn.init.normal_(table.weight, std=d_model**-0.5)
    return table

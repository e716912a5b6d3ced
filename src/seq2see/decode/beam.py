"""Beam search: follow the most probable hypotheses, several at a time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seq2see.decode.search import Choices, Live


@dataclass(frozen=True)
class Beam:
    """Goes on with the hypotheses of the highest probability; width 1 is greedy search.

    Twice the width is looked at, so that `width` hypotheses go on even if as many others end.

    Source: Graves 2012, section 2.2; Sutskever et al. 2014, section 3.2.

    Args:
        width: hypotheses of a row that are followed at a time.
    """

    width: int

    def choose(
        self,
        logits: Float[Tensor, "row width vocabulary"],
        normaliser: Float[Tensor, "row width"],
        live: Live,
    ) -> Choices:
        """Finds the `2 * width` most probable ways to go on."""
        each = min(2 * self.width, logits.shape[2])
        value, token = largest(logits, each)
        score = value - normaliser[:, :, None]  # row width each
        total = (live.total[:, :, None] + score).flatten(1)
        best = total.topk(min(2 * self.width, total.shape[1]), dim=1)
        return Choices(
            parent=best.indices // each,
            token=token.flatten(1).gather(1, best.indices),
            score=score.flatten(1).gather(1, best.indices),
            total=best.values,
        )


def largest(
    x: Float[Tensor, "*shape n"], k: int
) -> tuple[Float[Tensor, "*shape k"], Int[Tensor, "*shape k"]]:
    """Finds the k largest numbers of each row and where they stand."""
    values, indices = torch.topk(x, k, dim=-1)
    return values, indices

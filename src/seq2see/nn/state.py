"""What passes between encoder, decoder and search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Memory:
    """What the encoder leaves of a source.

    Args:
        states: one vector a source position, `[row, source, d_memory]`.
        real: which positions hold tokens.
        final: the last state of each encoder layer, `[row, layer, d_memory]`; recurrent encoders
            only.
    """

    states: Float[Tensor, "row source d_memory"]
    real: Bool[Tensor, "row source"]
    final: Float[Tensor, "row layer d_memory"] | None = None


class State(Protocol):
    """What a decoder remembers of the tokens so far; search never looks into it."""

    def select(self, rows: Int[Tensor, " kept"]) -> State:
        """Takes the given rows, in that order; a row may be taken several times."""
        ...


@dataclass(frozen=True)
class TensorState:
    """A decoder's state as named tensors whose first dimension is the row.

    Args:
        length: how many tokens have been read.
        tensors: hidden vectors of a recurrent decoder, or keys and values of a Transformer's.
    """

    length: int
    tensors: dict[str, Tensor]

    def select(self, rows: Int[Tensor, " kept"]) -> TensorState:
        """Takes the given rows, in that order; a row may be taken several times."""
        kept = {name: tensor.index_select(0, rows) for name, tensor in self.tensors.items()}
        return TensorState(self.length, kept)

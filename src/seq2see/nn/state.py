"""What passes between encoder, decoder and search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
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
        tokens: the ids of the source, which roles of a decoder's heads may ask for.
    """

    states: Float[Tensor, "row source d_memory"]
    real: Bool[Tensor, "row source"]
    final: Float[Tensor, "row layer d_memory"] | None = None
    tokens: Int[Tensor, "row source"] | None = None


@runtime_checkable
class State(Protocol):
    """What a decoder remembers of the tokens so far; search never looks into it."""

    def select(self, rows: Int[Tensor, " kept"], width: int = 1) -> State:
        """Takes the given rows, in that order; a row may be taken several times.

        Args:
            rows: which ones.
            width: how many rows in succession belong to one source and so share what is kept of it.
        """
        ...


@dataclass(frozen=True)
class TensorState:
    """A decoder's state as named tensors.

    Args:
        length: how many tokens have been read.
        source: what is kept of the sources; the first dimension is the source.
        tensors: hidden vectors of a recurrent decoder, or keys and values of a Transformer's. The
            first dimension is the row.
        width: rows that belong to each source; they stand in succession.
    """

    length: int
    source: dict[str, Tensor]
    tensors: dict[str, Tensor]
    width: int = 1

    def select(self, rows: Int[Tensor, " kept"], width: int = 1) -> TensorState:
        """Takes the given rows, in that order; a row may be taken several times.

        Args:
            rows: which ones.
            width: how many of them in succession belong to one source.
        """
        sources = rows[::width] // self.width
        return TensorState(
            self.length, _take(self.source, sources), _take(self.tensors, rows), width
        )


def _take(tensors: dict[str, Tensor], rows: Int[Tensor, " kept"]) -> dict[str, Tensor]:
    """Copies the given rows, unless they are all there are."""
    count = len(next(iter(tensors.values()), rows))
    if torch.equal(rows, torch.arange(count, device=rows.device)):
        return tensors
    return {name: tensor.index_select(0, rows) for name, tensor in tensors.items()}

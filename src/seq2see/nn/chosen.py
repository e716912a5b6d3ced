"""Some of the outputs of a linear map."""

from __future__ import annotations

import copy
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn

from seq2see.nn.int8 import Int8Linear


class Vectors(NamedTuple):
    """The vectors that the outputs of a map are products with.

    Args:
        weight: one an output.
        scale: what each is multiplied with, where they are integers.
    """

    weight: Tensor
    scale: Tensor | None = None

    @classmethod
    def of(cls, layer: nn.Module) -> Vectors:
        """Finds them in an `nn.Linear` or `Int8Linear`, whose numbers they share."""
        if isinstance(layer, Int8Linear):
            return cls(layer.weight.T, layer.scale)
        assert isinstance(layer, nn.Linear)
        return cls(layer.weight)

    def at(self, ids: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape d_in"]:
        """Looks up those of the given outputs."""
        found = nn.functional.embedding(ids, self.weight)
        return found if self.scale is None else found * self.scale[ids][..., None]


def chosen(layer: nn.Module, ids: Int[Tensor, " chosen"]) -> nn.Module:
    """Returns a map to the given outputs alone.

    Args:
        layer: an `nn.Linear` or `Int8Linear` without bias; it stays as it is.
        ids: which of its outputs, in order.
    """
    if isinstance(layer, Int8Linear):
        smaller = copy.copy(layer)
        smaller._buffers = dict(layer._buffers)
        # Column by column, as the product reads them.
        smaller.weight = layer.weight[:, ids].contiguous()
        smaller.scale, smaller.out_features = layer.scale[ids], len(ids)
        return smaller
    assert isinstance(layer, nn.Linear) and layer.bias is None
    linear = nn.Linear(layer.in_features, len(ids), bias=False, device="meta")
    linear.weight = nn.Parameter(layer.weight.detach()[ids], requires_grad=False)
    return linear.train(layer.training)

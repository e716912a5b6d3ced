"""Linear layers with eight-bit weights, for processors that multiply integers fast."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

_LARGEST = 127
"""Both signs reach as far, so that no offset has to be taken off a product."""

_LEAST = 1e-30
"""A vector of smaller numbers counts as zeros: the reciprocal of its scale would be infinite."""

_NARROW = 16
"""Outputs below which a layer is left as it is: too few to fill a product."""


class Rounded(NamedTuple):
    """Vectors as integers.

    Args:
        whole: the integers, from -127 to 127.
        scale: what each vector's integers are multiplied with.
        like: the vectors, whose shape and type a product takes over.
    """

    whole: Int[Tensor, "vector feature"]
    scale: Float[Tensor, "vector 1"]
    like: Float[Tensor, "*shape feature"]

    @classmethod
    def of(cls, x: Float[Tensor, "*shape feature"]) -> Rounded:
        """Rounds each vector by a scale of its own."""
        rows = x.detach().flatten(0, -2).float()  # rounding has no gradient
        work = rows.abs()
        scale = _scale(work)
        torch.mul(rows, scale.reciprocal(), out=work)  # in memory that is warm already
        # A value that is no number would become some integer: the scale carries it on.
        return cls(work.round_().to(torch.int8), scale, x)


class Int8Linear(nn.Module):
    r"""Multiplies by a matrix of integers, and scales the sums back.

    $$y = (\hat{x}\,\hat{W}^\top) \cdot s\,r^\top + b, \qquad
      \hat{x} = \mathrm{round}(x / s),\ s = \max_i |x_i| / 127, \qquad
      \hat{W} = \mathrm{round}(W / r),\ r_o = \max_i |W_{oi}| / 127$$

    Every vector has a scale of its own and so has every output, which keeps what comes out for one
    vector apart from all others; the sums of integers are exact. Not for training. Source:
    Jacob et al. 2018, section 2; a scale a vector: Dettmers et al. 2022 (vector-wise quantization).

    Args:
        linear: the layer whose place it takes.
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        full = linear.weight.detach().float()
        scale = _scale(full.abs())
        # Column by column, as the product reads them.
        self.register_buffer("weight", (full / scale).round().to(torch.int8).T.contiguous())
        self.register_buffer("scale", scale[:, 0])
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().float())

    def forward(self, x: Float[Tensor, "*shape d_in"]) -> Float[Tensor, "*shape d_out"]:
        """Maps each vector; sums and scales are float32, the result has the type of `x`."""
        return self.product(Rounded.of(x))

    def product(self, x: Rounded) -> Float[Tensor, "*shape d_out"]:
        """Maps vectors that are rounded already, as several maps of the same vectors may share."""
        y = torch._int_mm(x.whole, self.weight).float().mul_(x.scale)
        if self.bias is None:
            y.mul_(self.scale)
        else:
            torch.addcmul(self.bias, y, self.scale, out=y)
        return y.to(x.like.dtype).view(*x.like.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        """Shows the sizes in the printed network."""
        return f"in_features={self.in_features}, out_features={self.out_features}"


def quantise(network: nn.Module) -> None:
    """Puts an `Int8Linear` in the place of every linear layer, in place.

    A layer that stands in several places stays one. Embeddings, norms, products of queries with
    keys and of patterns with values, and the products inside a recurrence keep their type.
    """
    made: dict[nn.Linear, Int8Linear] = {}
    # A layer may stand under several names, as a map that serves query and key does.
    for name, layer in list(network.named_modules(remove_duplicate=False)):
        home, _, own = name.rpartition(".")
        if own and isinstance(layer, nn.Linear) and layer.out_features >= _NARROW:
            made[layer] = made.get(layer) or Int8Linear(layer).train(layer.training)
            setattr(network.get_submodule(home), own, made[layer])


def _scale(size: Float[Tensor, "row feature"]) -> Float[Tensor, "row 1"]:
    return size.amax(-1, keepdim=True).clamp_(min=_LEAST).div_(_LARGEST)

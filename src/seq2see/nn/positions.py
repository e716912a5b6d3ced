"""Where a token stands: sinusoids, learned vectors, rotations, distance penalties."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from seq2see.nn.tap import Tap


def sinusoids(
    positions: Int[Tensor, " position"], d_model: int
) -> Float[Tensor, "position d_model"]:
    r"""Gives every position its own constant vector of sines and cosines.

    $$P_{p,2i} = \sin(p / 10000^{2i/d}), \qquad P_{p,2i+1} = \cos(p / 10000^{2i/d})$$

    The periods run from 2π to 10000·2π. Source: Vaswani et al. 2017, section 3.5.
    """
    even = torch.arange(0, d_model, 2, device=positions.device, dtype=torch.float32)
    rates = torch.exp(-math.log(10000.0) * even / d_model)
    angles = positions[:, None].float() * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)[:, :d_model]


KEPT = 512
"""Positions whose sinusoids are kept: a search would work out the next one at every step."""


def consecutive(
    start: int, count: int, d_model: int, device: torch.device
) -> Float[Tensor, "position d_model"]:
    """Returns the `sinusoids` of `count` positions from `start` on, for reading only."""
    # An export would pin its lengths to one side of this comparison.
    if not torch.compiler.is_compiling() and start + count <= KEPT:
        return _kept(d_model, device)[start : start + count]
    return sinusoids(torch.arange(start, start + count, device=device), d_model)


@lru_cache(maxsize=16)
def _kept(d_model: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # a search makes them, and training may read them later
        return sinusoids(torch.arange(KEPT, device=device), d_model)


class Sinusoidal(nn.Module):
    r"""Adds `sinusoids` to the embeddings. No parameter; any length.

    $$C_{p,j} = P_{p,j} \text{ for } j < 2n, \qquad C_{p,j} = 0 \text{ for } j \ge 2n$$

    with n of the d_model / 2 frequencies, the fastest ones: a frequency keeps the place and the
    rate that it has among all of them, so that fewer of them are the same code with less in it.

    Tap: `code`, the vectors added, `[1, position, d_model]`.

    Args:
        frequencies: n; 0 for all.
    """

    def __init__(self, frequencies: int = 0) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.code = Tap()

    def codes(
        self, positions: Int[Tensor, " position"], d_model: int
    ) -> Float[Tensor, "position d_model"]:
        """Returns the vectors that are added at `positions`."""
        return self._used(sinusoids(positions, d_model))

    def forward(
        self, x: Float[Tensor, "row position d_model"], start: int
    ) -> Float[Tensor, "row position d_model"]:
        """Adds the code of positions `start`, `start + 1`, … to `x`."""
        found = consecutive(start, x.shape[1], x.shape[2], x.device)
        code = self._used(found)[None].to(x.dtype)
        # A hook may write into what it is handed.
        return x + self.code(code.clone() if self.code.watched else code)

    def _used(self, code: Tensor) -> Tensor:
        if not self.frequencies:
            return code
        used = code[:, : 2 * self.frequencies]
        return F.pad(used, (0, code.shape[1] - used.shape[1]))


class Learned(nn.Module):
    """Adds one trained vector a position.

    Positions past the table share its last vector, because a longer input is still decoded.

    Tap: `code`, the vectors added, `[1, position, d_model]`.
    """

    def __init__(self, d_model: int, length: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(length, d_model))
        nn.init.normal_(self.table, std=d_model**-0.5)
        self.code = Tap()

    def forward(
        self, x: Float[Tensor, "row position d_model"], start: int
    ) -> Float[Tensor, "row position d_model"]:
        """Adds the vectors of positions `start`, `start + 1`, … to `x`."""
        positions = torch.arange(start, start + x.shape[1], device=x.device)
        return x + self.code(self.table[positions.clamp(max=len(self.table) - 1)][None])


class NoPosition(nn.Module):
    """Adds nothing: the embeddings do not tell where a token stands."""

    def forward(self, x: Tensor, start: int) -> Tensor:  # noqa: ARG002
        """Returns `x`."""
        return x


def rotate(
    x: Float[Tensor, "row head position d_key"], start: int
) -> Float[Tensor, "row head position d_key"]:
    r"""Turns each pair of features by an angle that grows with the position.

    $$(x_{2i}, x_{2i+1}) \mapsto R(p\,10000^{-2i/d})\,(x_{2i}, x_{2i+1})$$

    The inner product of a turned query and a turned key depends on their distance alone.
    Source: Su et al. 2021, eq. 34. `d_key` must be even.
    """
    table = consecutive(start, x.shape[-2], x.shape[-1], x.device).to(x.dtype)
    sin, cos = table[:, 0::2], table[:, 1::2]
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def alibi(
    heads: int, queries: int, keys: int, device: torch.device
) -> Float[Tensor, "1 head query key"]:
    r"""Lowers a score in proportion to the distance between query and key.

    $$b_{hij} = -2^{-8h/H}\,|i - j|, \qquad h = 1 \dots H$$

    Source: Press et al. 2022, section 3; the symmetric form serves encoders as well.
    """
    slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1, device=device) / heads)
    i = torch.arange(keys - queries, keys, device=device)[:, None]
    distance = (i - torch.arange(keys, device=device)).abs()
    return (-slopes[:, None, None] * distance)[None]

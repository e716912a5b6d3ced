"""What a role is: a function of two sides, queries and keys, that weighs each pair of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seq2see.errors import ConfigError

_AHEAD = 64
"""Positions on which a role is tried to see whether a causal mask leaves anything of it."""


@dataclass(frozen=True)
class Side:
    """The queries or the keys as a role sees them, shaped to broadcast against the other side.

    Args:
        pos: positions from 0; `[1, query, 1]` for queries, `[1, 1, key]` for keys.
        length: how many tokens each row has, end mark included, `[row, 1, 1]`. A decoder does not
            know how long its target will be: there it is the source's length times the corpus's
            ratio of target to source lengths, in training as in decoding.
        token: token ids, `[row, query, 1]` or `[row, 1, key]`. A decoder's queries and keys carry
            the token read at their position, not the one they predict. (Queries of a search have a
            row a hypothesis until they are laid out by source.)
    """

    pos: Int[Tensor, "1 query key"]
    length: Float[Tensor, "row 1 1"]
    token: Int[Tensor, "hypothesis query key"] | None = None

    @classmethod
    def queries(
        cls,
        pos: Int[Tensor, " query"],
        length: Float[Tensor, " row"],
        token: Int[Tensor, "hypothesis query"] | None = None,
    ) -> Side:
        """Shapes the queries' side."""
        shaped = None if token is None else token[:, :, None]
        return cls(pos[None, :, None], length[:, None, None], shaped)

    @classmethod
    def keys(
        cls,
        pos: Int[Tensor, " key"],
        length: Float[Tensor, " row"],
        token: Int[Tensor, "row key"] | None = None,
    ) -> Side:
        """Shapes the keys' side."""
        shaped = None if token is None else token[:, None, :]
        return cls(pos[None, None, :], length[:, None, None], shaped)


Weigh = Callable[[Side, Side], Tensor]
"""Gives each pair of a query and a key a weight, 0 or more; broadcasts to `[row, query, key]`."""


@dataclass(frozen=True)
class Role:
    """A named function of queries and keys.

    Args:
        name: how a recipe writes it, such as `window(2)`.
        weigh: the weights it gives.
        tokens: whether it compares tokens, so that `Side.token` is filled in.
        ends: whether it needs to know where a text ends, so that it is refused where that is not
            known.
        offset: how many positions after the query it looks, where it looks at one place and around
            it alike; None where it does something else.
        drop: with an offset, how much less it weighs one position beside the place it looks at.
    """

    name: str
    weigh: Weigh
    tokens: bool = False
    ends: bool = False
    offset: float | None = None
    drop: float = 1.0

    def __call__(self, q: Side, k: Side) -> Float[Tensor, "#row query key"]:
        """Returns the weights as numbers, not yet masked and not normalised.

        They stand once for all rows where neither tokens nor lengths make a difference.

        Raises:
            ConfigError: the weights do not broadcast to queries and keys, or one is below 0 or not
                finite.
        """
        given = self.weigh(q, k)
        if isinstance(given, bool):  # what Python makes of `k == 3`, which compares no positions
            raise ConfigError(
                f"found {given} for all queries and keys",
                expected="weights for each query and key",
                where=f"role {self.name}",
                mend="Compare k.pos, k.token or k.length, not k itself",
            )
        weights = torch.as_tensor(given, device=q.pos.device).to(torch.float32)
        shape = torch.broadcast_shapes(q.pos.shape, k.pos.shape, q.length.shape)
        try:
            fits = torch.broadcast_shapes(weights.shape, shape) == shape
        except RuntimeError:
            fits = False
        if not fits:
            raise ConfigError(
                f"weights of shape {list(weights.shape)}",
                expected=f"what broadcasts to [row, query, key], here {list(shape)}",
                where=f"role {self.name}",
            )
        # An export cannot look at values, and has tried the role before.
        if not torch.compiler.is_compiling():
            check_weights(weights, f"role {self.name}")
        rows = weights.shape[0] if weights.ndim == 3 else 1
        return weights.broadcast_to(rows, *shape[1:])

    def __str__(self) -> str:
        return self.name

    @property
    def leaps_ahead(self) -> bool:
        """Whether all it looks at lies in the future, so that a causal mask leaves nothing."""
        if self.tokens:
            return False
        pos = torch.arange(_AHEAD)
        length = torch.tensor([float(_AHEAD)])
        weights = self(Side.queries(pos, length), Side.keys(pos, length))[0]
        return bool(weights.any()) and not bool(weights.tril().any())


def check_weights(weights: Float[Tensor, ...], where: str) -> None:
    """Checks that weights can be divided by their sums.

    Raises:
        ConfigError: one is below 0 or not finite.
    """
    if not bool((torch.isfinite(weights) & (weights >= 0)).all()):
        raise ConfigError(
            "weights that are below 0 or not finite",
            expected="weights from 0 on, which are divided by their sum",
            where=where,
        )


def normalised(
    weights: Float[Tensor, "*#shape key"], mask: Bool[Tensor, "*#shape key"]
) -> Float[Tensor, "*shape key"]:
    r"""Divides each query's weights by their sum over the keys that it may see.

    $$A_{ij} = m_{ij} R_{ij} / \sum_{j'} m_{ij'} R_{ij'}$$

    A query that has no weight left gets zeros.
    """
    seen = weights * mask
    total = seen.sum(-1, keepdim=True)
    return seen / total.where(total > 0, 1.0)

"""Who looks at what in an attention: queries, keys, and where each query may look."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from seq2see.data.tokenizers import END, PAD
from seq2see.decode.score import Given
from seq2see.nn.sides import Side


@dataclass(frozen=True, eq=False)
class Scene:
    """The queries and keys of an attention in one batch.

    Args:
        q: the queries.
        k: the keys.
        asking: False at padding of the queries.
        allowed: where each query may look.
    """

    q: Side
    k: Side
    asking: Bool[Tensor, "row query"]
    allowed: Bool[Tensor, "row query key"]

    @property
    def even(self) -> Tensor:
        """The pattern that looks alike at all keys a query may see, `[row, 1, query, key]`."""
        count = self.allowed.sum(-1, keepdim=True)
        return (self.allowed / count.clamp(min=1))[:, None]

    @property
    def ends(self) -> Bool[Tensor, "row 1 1 key"]:
        """Which keys are end marks."""
        assert self.k.token is not None
        return (self.k.token == END)[:, None]


def scene(at: str, given: Given) -> Scene:
    """Sets the scene of an attention.

    A decoder's tokens are those read: the start mark first, the end mark never.

    Args:
        at: the attention's name.
        given: sources and targets side by side.
    """
    source, target = (given.source, given.real), (given.read, given.wanted != PAD)
    queries, asking = source if at.startswith("encoder") else target
    keys, real = target if at.startswith("decoder") and not at.endswith(".cross") else source
    allowed = asking[:, :, None] & real[:, None]
    if keys is given.read:
        allowed = allowed.tril()
    q, k = (torch.arange(ids.shape[1], device=ids.device) for ids in (queries, keys))
    return Scene(
        Side.queries(q, asking.sum(1).float(), queries),
        Side.keys(k, real.sum(1).float(), keys),
        asking,
        allowed,
    )

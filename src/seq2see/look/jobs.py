"""The jobs a head may be found to do: where its queries would look if it did nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seq2see.nn import roles
from seq2see.nn.sides import Role, Side

NONE = "none"
"""What a head is called that does none of the jobs."""

LEAST = 0.4
"""The share of what lies between an even look and the job done perfectly, from which on a head is
said to do it. The 288 heads of 12 untrained Transformers (2 + 2 layers, 4 heads, d_model 64, on 300
words of up to 7 letters) reached 0.28 at most."""

CLOSE = 0.1
"""Two jobs whose gains differ by less are both done: the one that names fewer places says more."""

APPLIES = 0.1
"""The least share of queries that a job has to tell where to look, to be taken for a head's job."""

Weigh = Callable[[Side, Side, Tensor], Tensor]
"""Weighs pairs of a query and a key, told where queries may look; broadcasts to those."""


@dataclass(frozen=True)
class Job:
    """Something a head may do.

    Args:
        name: what it is called.
        weigh: the weights it gives; what a query may not look at counts as 0.
        spread: whether the weights say how much, so that a head has to match them one by one;
            otherwise they say where, and a head may share its look out among those places.
    """

    name: str
    weigh: Weigh
    spread: bool = False

    def places(
        self, q: Side, k: Side, allowed: Bool[Tensor, "row query key"]
    ) -> Float[Tensor, "row query key"]:
        """Returns the weights among the keys a query may see; rows sum to 1 where it is `spread`.

        A row without weight says that the job does not tell this query where to look.
        """
        weights = self.weigh(q, k, allowed).to(torch.float32) * allowed
        if not self.spread:
            return weights
        total = weights.sum(-1, keepdim=True)
        return weights / total.where(total > 0, 1.0)


def jobs(at: str, counts: Int[Tensor, " token"], *, joint: bool) -> list[Job]:
    """Lists the jobs that a head of an attention can be found to do.

    - `previous`, `next`, `self`: one position before, one after, the same; in a cross-attention
      positions of the source counted like those of the target. No `next` in a decoder's
      self-attention, which has not read it.
    - `first`, `last`: the first position, which in a decoder is the start mark; the end mark, which
      a decoder's self-attention never reads.
    - `local`: around the query's own position, as `gaussian(0, 1)`.
    - `diagonal`: in a cross-attention, the same share of the way, a tenth of the length or half a
      key off at most. A decoder's true length is known here.
    - `mirrored`: the same from the end of the source's text, as where a word is turned around.
    - `same token`: the other positions that hold the query's own token. In a cross-attention the
      query's token is the one read, not the one to be predicted.
    - `rare token`: of the tokens a query may see, those that are rarest in the data at hand.
      Source: Voita et al. 2019, section 5.3.

    Args:
        at: the attention's name.
        counts: how often each token of the keys' side occurs in the data.
        joint: whether both sides share a vocabulary; otherwise a cross-attention cannot be found to
            look at the same token.
    """
    cross = at.endswith(".cross")
    simple = [roles.previous(), roles.next(), roles.self(), roles.first(), roles.last()]
    if at.startswith("decoder") and not cross:
        simple = [roles.previous(), roles.self(), roles.first()]
    found = [_told(role) for role in simple]
    found.append(_told(roles.gaussian(0.0, 1.0), "local", spread=True))
    if cross:
        found += [Job("diagonal", _near_diagonal), Job("mirrored", _mirrored)]
    if joint or not cross:
        found.append(Job("same token", _same_token if cross else _same_token_elsewhere))
    return [*found, Job("rare token", _rarest(counts))]


def _told(role: Role, name: str = "", *, spread: bool = False) -> Job:
    return Job(name or role.name, lambda q, k, _: role(q, k), spread)


def _near_diagonal(q: Side, k: Side, _: Tensor) -> Tensor:
    away = (q.pos / q.length - k.pos / k.length).abs()
    return away <= (0.5 / k.length).clamp(min=0.1)


def _mirrored(q: Side, k: Side, _: Tensor) -> Tensor:
    rows, columns = ((side.length - 1).clamp(min=1) for side in (q, k))  # end marks left out
    away = (q.pos / rows - (1 - (k.pos + 1) / columns)).abs()
    return (away <= (0.5 / columns).clamp(min=0.1)) & (k.pos < columns)


def _same_token(q: Side, k: Side, _: Tensor) -> Tensor:
    return roles.same_token()(q, k)


def _same_token_elsewhere(q: Side, k: Side, _: Tensor) -> Tensor:
    return roles.same_token()(q, k) * (q.pos != k.pos)


def _rarest(counts: Int[Tensor, " token"]) -> Weigh:
    def weigh(_: Side, k: Side, allowed: Tensor) -> Tensor:
        assert k.token is not None
        often = counts[k.token].float().masked_fill(~allowed, torch.inf)  # row query key
        return often == often.min(-1, keepdim=True).values

    return weigh

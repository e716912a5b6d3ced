"""Another attention pattern in the place of a head's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look import place
from seq2see.look.names import Site, find_attention, only
from seq2see.nn.hooks import Hooks
from seq2see.nn.places import Places
from seq2see.nn.sides import Role, Weigh, check_weights, normalised


@dataclass(frozen=True, eq=False)
class Replacement:
    """Which head's pattern is replaced by what; see `replace`."""

    at: str
    head: int | None
    pattern: Float[Tensor, "query key"] | Role

    def hooks(self, translator: Translator) -> Hooks:
        """Makes the hooks that do it."""
        network = only(translator.network)
        site, attention = find_attention(network, self.at)
        heads = range(site.heads) if self.head is None else site.chosen([self.head])
        act = partial(_replaced, site=site, heads=list(heads), pattern=self.pattern)
        before = (
            *place.following_reading(network).before,
            *place.following_mask(attention).before,
        )
        return Hooks(after=((site.tap, act),), before=before)


def replace(at: str, head: int | None = None, *, pattern: Tensor | Weigh) -> Replacement:
    r"""Describes a pattern that takes the place of a head's own, for `Model.edit`.

    $$A_{ij} = m_{ij} R_{ij} / \sum_{j'} m_{ij'} R_{ij'}$$

    with R the pattern given and m = 1 where query i may look. A query whose row has no weight left
    reads nothing: its row is 0.

    Positions count from 0 on each side, whether the decoder reads a whole target or one token after
    the other: query t of a decoder predicts target token t, and key t of its self-attention is the
    token read at t, so key 0 is the start mark.

    Args:
        at: an attention, as `encoder.0.self` or `decoder.cross`.
        head: which of its heads, from 0; None takes all.
        pattern: weights, 0 or more: `[query, key]`, at least as large as the texts it is used on
            (and the outputs that a search follows); or a role, as `seq2see.role` makes and
            `seq2see.nn.roles` holds; or a function of two `Side`s, the queries' and the keys', as
            `lambda q, k: k.pos == q.pos - 1`. How long a target will be is told by the network's
            `length_ratio`, or by the source's own length where it has none.

    Raises:
        ConfigError: the tensor has another number of dimensions, or weights below 0.
    """
    if isinstance(pattern, Tensor):
        if pattern.ndim != 2 or not pattern.numel():
            raise ConfigError(
                f"a pattern of shape {list(pattern.shape)}",
                expected="[query, key], not empty",
                where=f"replace {at}",
            )
        check_weights(pattern, f"replace {at}")
    elif not isinstance(pattern, Role):
        pattern = Role("of replace", pattern, tokens=True)
    return Replacement(at, head, pattern)


def _replaced(
    value: Float[Tensor, "row head query key"],
    site: Site,
    heads: list[int],
    pattern: Tensor | Role,
) -> Float[Tensor, "row head query key"]:
    places = place.places(site.name.removesuffix(".pattern"))
    if isinstance(pattern, Tensor):
        weights = _cut(pattern.to(value), places, site.name)[None]
    else:
        weights = pattern(places.q, places.k).to(value)
    seen = place.mask()
    # One row of the mask serves as many rows in succession: the hypotheses of a source.
    seen = seen.repeat_interleave(len(value) // len(seen), dim=0)
    new = normalised(weights[:, None], seen)
    chosen = torch.zeros(value.shape[1], dtype=torch.bool, device=value.device)
    chosen[heads] = True
    return torch.where(chosen[:, None, None], new, value)


def _cut(
    pattern: Float[Tensor, "rows columns"], places: Places, where: str
) -> Float[Tensor, "query key"]:
    """Takes the part of a pattern at the given positions."""
    rows, columns = pattern.shape
    q, k = places.q.pos[0], places.k.pos[0]
    queries, keys = int(q.max()) + 1, int(k.max()) + 1
    if queries > rows or keys > columns:
        raise ConfigError(
            f"a pattern for {rows} queries and {columns} keys",
            expected=f"at least {queries} and {keys}",
            where=where,
            mend="Give a larger pattern, or a function of the positions",
        )
    return pattern[q, k]

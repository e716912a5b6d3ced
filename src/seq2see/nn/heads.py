"""The heads of an attention: their sizes, and what roles make of some of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seq2see.errors import ConfigError
from seq2see.nn.kept import Left
from seq2see.nn.places import Places
from seq2see.nn.plan import HeadRole
from seq2see.nn.positions import sinusoids
from seq2see.nn.sides import Role, normalised


@dataclass(frozen=True)
class HeadSizes:
    """The sizes and switches of one multi-head attention.

    Args:
        d_model: features of the vectors that come in and go out.
        heads: parallel attentions.
        kv_heads: heads of keys and values; each serves `heads / kv_heads` query heads.
        d_key: features of a query or key, per head.
        d_value: features of a value, per head.
        scaled: whether scores are divided by sqrt(d_key).
        projections: whether Q, K, V and the output have their own linear maps. Without them, the
            vectors themselves are compared and averaged (raw self-attention).
        tied_query_key: whether one map serves query and key.
        value_projection: whether values have a map. Without it, each head's values are its own
            `d_value` of the vectors' features; the output keeps its map.
        dropout: share of the attention weights dropped while training.
        left: which heads stand, where some were pruned; `heads` and `kv_heads` count those.
    """

    d_model: int
    heads: int
    kv_heads: int
    d_key: int
    d_value: int
    scaled: bool = True
    projections: bool = True
    tied_query_key: bool = False
    value_projection: bool = True
    dropout: float = 0.0
    left: Left | None = None

    @property
    def maps_values(self) -> bool:
        """Whether there is a map to values."""
        return self.projections and self.value_projection


def check_maps(sizes: HeadSizes) -> None:
    """Checks that the maps of an attention do not contradict each other.

    Raises:
        ConfigError: a map is tied or left out and there are none, keys that are shared between
            heads are tied to queries that are not, or the vectors are no values of such a size.
    """
    tied, bare = sizes.tied_query_key, not sizes.value_projection
    if not sizes.projections and (tied or bare):
        name = "tied_query_key" if tied else "value_projection"
        raise ConfigError(
            "without projections there are no maps, so that none can be tied or left out",
            where=f"model.{name}",
            mend=f"Leave model.{name} out, or set model.projections=true",
        )
    if tied and sizes.kv_heads != sizes.heads:
        raise ConfigError(
            f"one map cannot make {sizes.heads} queries and {sizes.kv_heads} keys",
            where="model.tied_query_key",
            mend="Leave model.kv_heads out",
        )
    if bare and sizes.kv_heads * sizes.d_value != sizes.d_model:
        raise ConfigError(
            f"without a map, d_model {sizes.d_model} features cannot be {sizes.kv_heads} values of"
            f" {sizes.d_value}",
            where="model.value_projection",
            mend="Leave model.kv_heads and model.d_value out, or make their product model.d_model",
        )


class Programme(nn.Module):
    r"""What the roles of some heads of one attention do to it.

    $$\mathrm{fixed:}\ A_{ij} = m_{ij} R_{ij} / \sum_{j'} m_{ij'} R_{ij'} \qquad
      \mathrm{bias:}\ s_{ij} = q_i^\top k_j / \sqrt{d_k} + g\,R_{ij} \qquad
      \mathrm{init:}\ q_i = W_Q\,p_i,\ k_j = W_K\,p_j$$

    with R the role's matrix, m = 1 where query i may look, g a gain that is trained, and p the
    sinusoids of a position. Source: fixed: Raganato et al. 2020, You et al. 2020.

    Args:
        heads: heads of the attention.
        roles: those that are fixed, biased or written into query and key.
    """

    def __init__(self, heads: int, roles: Sequence[HeadRole]) -> None:
        super().__init__()
        ordered = sorted(roles, key=lambda each: each.head)
        self.fixed, self.biased, self.written = (
            {each.head: each.function for each in ordered if each.how == how}
            for how in ("fixed", "bias", "init")
        )
        self.heads = heads
        self.steepness = {each.head: each.gain for each in ordered if each.how == "init"}
        gains = [each.gain for each in ordered if each.how == "bias"]
        self.gains = nn.Parameter(torch.tensor(gains, dtype=torch.float32)) if gains else None
        self.tokens = any(each.function.tokens for each in ordered)

    @property
    def learned(self) -> tuple[int, ...]:
        """The heads that have a query and a key."""
        return tuple(head for head in range(self.heads) if head not in self.fixed)

    def bias(
        self,
        places: Places,
        base: Float[Tensor, "#row head query key"] | None,
        dtype: torch.dtype,
    ) -> Float[Tensor, "#row learned query key"] | None:
        """Returns what is added to the scores of the learned heads.

        Args:
            places: where queries and keys stand.
            base: what is added to the scores of all heads anyhow.
            dtype: of the scores.
        """
        learned = torch.tensor(self.learned, device=places.q.pos.device)
        if base is not None:
            base = base.index_select(1, learned)
        if self.gains is None:
            return base
        weighed = _stacked(self.biased.values(), places).to(dtype)  # row biased query key
        added = self.gains.to(dtype)[:, None, None] * weighed
        # Which row of `added` each learned head takes; the last one is zeros.
        place = {head: i for i, head in enumerate(self.biased)}
        rows = [place.get(head, len(place)) for head in self.learned]
        nothing = added.new_zeros(len(added), 1, *added.shape[2:])
        own = torch.cat([added, nothing], 1)[:, rows]
        return own if base is None else own + base

    def patterns(
        self, places: Places, mask: Bool[Tensor, "#row 1 #query #key"]
    ) -> Float[Tensor, "row fixed query key"] | None:
        """Returns the patterns of the fixed heads, under a mask."""
        return normalised(_stacked(self.fixed.values(), places), mask) if self.fixed else None

    def joined(
        self,
        learned: Float[Tensor, "#row learned query key"],
        fixed: Float[Tensor, "#row fixed query key"],
    ) -> Float[Tensor, "row head query key"]:
        """Puts the patterns of all heads in the order of the heads."""
        rows = max(len(learned), len(fixed))
        each = [one.to(learned.dtype).expand(rows, -1, -1, -1) for one in (learned, fixed)]
        both = torch.cat(each, dim=1)
        order = {head: i for i, head in enumerate([*self.learned, *self.fixed])}
        return both[:, [order[head] for head in range(self.heads)]]

    def from_positions(
        self, x: Float[Tensor, "row learned position d_key"], linear: nn.Linear, start: int
    ) -> Float[Tensor, "row learned position d_key"]:
        """Lets the heads that `write` wrote see the positions in the place of what stands there.

        Args:
            x: queries or keys.
            linear: the map that makes them.
            start: the first one's position.
        """
        positions = torch.arange(start, start + x.shape[2], device=x.device)
        code = sinusoids(positions, linear.in_features).to(x.dtype)
        heads, every = list(x.unbind(1)), linear(code)
        for head in self.written:
            made = every[..., self.rows(head, x.shape[-1])]
            place = self.learned.index(head)
            heads[place] = made.expand_as(heads[place])
        return torch.stack(heads, dim=1)

    @torch.no_grad()
    def write(self, query: nn.Linear, key: nn.Linear, d_key: int, scale: float) -> None:
        r"""Writes the roles of `init` into the maps to query and key.

        $$W_Q = a\,\mathrm{Rot}(\delta)\,S, \qquad W_K = a\,S$$

        S picks the fastest sinusoids, and Rot turns each pair of them by what the offset δ turns
        it, so that the score is highest δ positions after the query:
        $s_{ij} = a^2 \sum_f \cos(w_f (j - i - \delta)) \cdot \mathrm{scale}$. The factor a makes
        the first step away from there cost `gain` times what it costs in the role's matrix, as it
        would with a bias.

        Args:
            query: the map to all queries.
            key: the map to all keys.
            d_key: features of a query or key.
            scale: what scores are multiplied with.
        """
        for head, role in self.written.items():
            pairs = min(d_key, query.in_features) // 2
            rows = self.rows(head, d_key)
            for linear in (query, key):
                linear.weight[rows] = 0.0
                linear.bias[rows] = 0.0
            assert role.offset is not None
            turn = sinusoids(torch.tensor([1]), query.in_features)[0, : 2 * pairs]
            step = torch.atan2(turn[0::2], turn[1::2])  # w_f, radians a position
            drop = (1 - step.cos()).sum() * scale
            a = math.sqrt(self.steepness[head] * role.drop / float(drop))
            sin, cos = a * (step * role.offset).sin(), a * (step * role.offset).cos()
            for f in range(pairs):
                s, c = rows.start + 2 * f, rows.start + 2 * f + 1
                key.weight[s, 2 * f] = key.weight[c, 2 * f + 1] = a
                query.weight[s, 2 * f], query.weight[s, 2 * f + 1] = cos[f], sin[f]
                query.weight[c, 2 * f], query.weight[c, 2 * f + 1] = -sin[f], cos[f]

    def rows(self, head: int, d_key: int) -> slice:
        """Returns which features of all queries, or keys, are those of a learned head."""
        place = self.learned.index(head)
        return slice(place * d_key, (place + 1) * d_key)


def _stacked(roles: Iterable[Role], places: Places) -> Float[Tensor, "#row role query key"]:
    each = torch.broadcast_tensors(*(role(places.q, places.k) for role in roles))
    return torch.stack(each, dim=1)


class NoHeads(nn.Module):
    """Stands for the map to queries or keys where no head has any."""

    def forward(self, x: Float[Tensor, "row position d_model"]) -> Float[Tensor, "row position 0"]:
        """Returns no features."""
        return x[..., :0]


def maps(sizes: HeadSizes, query_heads: int, key_heads: int) -> tuple[Any, Any, Any, Any]:
    """Makes the maps to query, key, value and output, as far as an attention has them.

    What stands in for a map that is not there is an identity, or `NoHeads` where no head is left.

    Args:
        sizes: of the attention.
        query_heads: heads that have a query.
        key_heads: heads that have a key; as many as `query_heads` where one map serves both.
    """
    nothing: Any = nn.Identity()
    if not sizes.projections:
        return nothing, nothing, nothing, nothing
    query = _linear(sizes.d_model, query_heads * sizes.d_key)
    key = query if sizes.tied_query_key else _linear(sizes.d_model, key_heads * sizes.d_key)
    value = nothing
    if sizes.value_projection:
        value = nn.Linear(sizes.d_model, sizes.kv_heads * sizes.d_value)
    return query, key, value, nn.Linear(sizes.heads * sizes.d_value, sizes.d_model)


def _linear(d_in: int, d_out: int) -> Any:
    return nn.Linear(d_in, d_out) if d_out else NoHeads()

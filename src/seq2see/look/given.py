"""How well heads do the roles that they were given, held against the roles' own weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jaxtyping import Bool, Float
from torch import Tensor

from seq2see.data.rows import Texts
from seq2see.decode.score import Given, side_by_side
from seq2see.decode.translate import Translator
from seq2see.look.capture import capture
from seq2see.look.forced import force
from seq2see.look.jobs import LEAST
from seq2see.look.means import Means
from seq2see.look.names import find_attention, only
from seq2see.look.removal import Head
from seq2see.look.scene import Scene, scene
from seq2see.nn.network import Network
from seq2see.nn.plan import HeadRole
from seq2see.nn.roles import LINKS
from seq2see.nn.settings import TransformerSettings
from seq2see.nn.sides import Role, normalised

_PLACES, _SHARES, _NARROW, _UNEVEN = "places", "shares", "narrow", "uneven"
_EVERYWHERE = 1 - 1e-6


@dataclass(frozen=True)
class Held:
    """A head held against its role.

    Args:
        match: the mean over the queries that the role tells where to look: the weight on those
            places; for a role that says how much, 1 - half the L1 distance to what it says.
        even: the same of a head that looks alike at all it may see.
        narrow: the same of a head that looks at a single key, whichever, on average.
    """

    match: float
    even: float
    narrow: float

    @property
    def gain(self) -> float:
        """Where `match` lies between no role, 0, and the role done perfectly, 1.

        No role is an even look; of a role that asks for an even look, a look at a single key.
        """
        floor = self.narrow if self.even > _EVERYWHERE else self.even
        return 1.0 if floor > _EVERYWHERE else (self.match - floor) / (1 - floor)

    @property
    def kept(self) -> bool:
        """Whether the head is said to do its role; see `seq2see.look.jobs.LEAST`."""
        return self.gain >= LEAST


def held(translator: Translator, texts: Texts, roles: Sequence[HeadRole]) -> dict[Head, Held]:
    """Holds heads against the roles that they were given, while a model is forced along targets.

    The weights are those of the role's own function, as the network reads it: in a decoder, with
    the length that it expects of the target. What a query may not look at counts as 0, and queries
    of which the role says nothing are left out.

    Args:
        translator: the model.
        texts: pairs; where a target is missing, the model's own output takes its place.
        roles: of its heads; `links`, which are no function of positions, are left out.

    Returns:
        By attention and head.

    Raises:
        ConfigError: the network has no such attention or head, or the model is an ensemble.
        DataError: there is no source.
    """
    network = only(translator.network)
    known = [each for each in roles if each.role != LINKS]
    ats = list(dict.fromkeys(each.at for each in known))
    watched = {at: find_attention(network, at)[0] for at in ats}
    found = {(each.at, each.head): Means() for each in known}
    forced = force(translator, texts)
    budget = translator.options.batch_tokens
    for given in side_by_side(network, forced.sources, forced.targets, budget) if ats else ():
        captured, _ = capture(network, given, watched.values())
        for each in known:
            [pattern] = captured[watched[each.at].name]
            [head] = watched[each.at].chosen([each.head])
            now = as_read(network, each.at, given)
            _add(found[each.at, each.head], now, pattern[:, head], each.function)
    return {head: _held(means) for head, means in found.items()}


def as_read(network: Network, at: str, given: Given) -> Scene:
    """Sets the scene of an attention with the lengths that the network gives to its roles."""
    now = scene(at, given)
    settings = network.settings
    if not at.startswith("decoder") or not isinstance(settings, TransformerSettings):
        return now
    lengths = given.real.sum(1).float()[:, None, None] * (settings.length_ratio or 1.0)
    q = replace(now.q, length=lengths)
    return replace(now, q=q, k=now.k if at.endswith(".cross") else replace(now.k, length=lengths))


def _add(means: Means, now: Scene, pattern: Float[Tensor, "row query key"], role: Role) -> None:
    weights = role(now.q, now.k) * now.allowed
    places, told = weights > 0, now.asking & (weights.sum(-1) > 0)
    shares, even = normalised(weights, now.allowed), now.even[:, 0]
    for name, look in (("match", pattern.float()), ("even", even)):
        means.add(f"{name} {_PLACES}", (look * places).sum(-1)[:, None], told)
        means.add(f"{name} {_SHARES}", _overlap(look, shares)[:, None], told)
    # Any one of n keys, on average over them, meets an nth of what the role says.
    means.add(_NARROW, (1 / now.allowed.sum(-1).clamp(min=1))[:, None], told)
    means.add(_UNEVEN, _uneven(weights, places)[:, None], told)


def _overlap(look: Tensor, shares: Tensor) -> Float[Tensor, "row query"]:
    return 1 - 0.5 * (look - shares).abs().sum(-1)


def _uneven(
    weights: Float[Tensor, "row query key"], places: Bool[Tensor, "row query key"]
) -> Float[Tensor, "row query"]:
    """Marks the queries that the role tells how much, and not only where."""
    most = weights.amax(-1, keepdim=True)
    return ((weights != most) & places).any(-1).float()


def _held(means: Means) -> Held:
    if not means.counts.get(_UNEVEN):
        return Held(*[float("nan")] * 3)
    # Where a role asks for all keys alike, the weight on them says nothing: it is always 1.
    everywhere = means.mean(f"even {_PLACES}") > _EVERYWHERE
    kind = _SHARES if everywhere or means.mean(_UNEVEN) > 0 else _PLACES
    return Held(means.mean(f"match {kind}"), means.mean(f"even {kind}"), means.mean(_NARROW))

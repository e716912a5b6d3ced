"""Which values of a network can be looked at, by which names, and what their axes are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn

from seq2see.config import nearest
from seq2see.decode.ensemble import Ensemble
from seq2see.errors import ConfigError
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.network import Network
from seq2see.nn.recurrent import Recurrence
from seq2see.nn.state_attention import StateAttention
from seq2see.nn.tap import Tap

Attention = MultiHeadAttention | StateAttention

BETWEEN = ("scores", "pattern")
"""Taps whose value relates queries to keys."""

RESULTS = ("context", "written", "states", "out")
"""Taps through which a module hands on what it found: naming the module means this tap."""


@dataclass(frozen=True)
class Site:
    """A tap of a network, and what its name tells of its value.

    Args:
        name: the tap's name, which is the value's.
        tap: the tap.
        owner: the module it is a part of.
    """

    name: str
    tap: Tap
    owner: nn.Module

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    @property
    def axes(self) -> tuple[str, ...]:
        """What each dimension counts.

        `pair`, then `head` where the value is kept by head, then `source` or `target` (positions
        of that side; for scores and patterns first the queries', then the keys'), then `feature`
        or, for logits, `vocabulary`.
        """
        if self.last in BETWEEN:
            return ("pair", "head", self.side, self._key_side)
        side = self._key_side if self.last in ("k", "v") else self.side
        feature = "vocabulary" if isinstance(self.owner, Network) else "feature"
        head = ("head",) if isinstance(self.owner, MultiHeadAttention) else ()
        return ("pair", *head, side, feature)

    @property
    def side(self) -> str:
        """The side that queries, and everything but an attention's keys and values, belong to."""
        return "source" if self.name.partition(".")[0] in ("source", "encoder") else "target"

    @property
    def place(self) -> str:
        """The side whose positions the value's last axis but one counts."""
        return self.axes[-2]

    @property
    def _key_side(self) -> str:
        return "source" if ".cross." in self.name else self.side

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the heads that the value is kept by, in its order; none where it is not.

        A head keeps its number everywhere. One whose role is fixed has no query, key and score, so
        that `q`, `k` and `scores` go without it; `v`, `pattern` and `context` have every head.
        """
        if isinstance(self.owner, StateAttention):
            return (0,)
        if not isinstance(self.owner, MultiHeadAttention):
            return ()
        programme = self.owner.programme
        if programme is not None and self.last in ("q", "k", "scores") and programme.fixed:
            return programme.learned
        sizes = self.owner.sizes
        return tuple(range(sizes.kv_heads if self.last in ("k", "v") else sizes.heads))

    @property
    def heads(self) -> int:
        """How many heads the value is kept by; 0 where it is not."""
        return len(self.numbers)

    @property
    def stepwise(self) -> bool:
        """Whether the tap passes one step at a time, `[pair, feature]`, inside a recurrence."""
        return isinstance(self.owner, Recurrence) and self.last != "states"

    @property
    def backwards(self) -> bool:
        """Whether the value runs in the reading order of a backward cell, last token first."""
        return ".backwards." in self.name

    def chosen(self, heads: Iterable[int]) -> list[int]:
        """Returns where heads of these numbers stand in the value, if it has them all.

        Raises:
            ConfigError: it has not; the message gives the heads there are.
        """
        numbers, found = self.numbers, list(heads)
        for head in found:
            if head not in numbers:
                raise ConfigError(
                    f"found head {head}",
                    expected=_listed(numbers) if numbers else "a value that is kept by head",
                    where=self.name,
                    mend="" if numbers else "Leave the heads out, or name an attention",
                )
        return [numbers.index(head) for head in found]


def _listed(numbers: tuple[int, ...]) -> str:
    if numbers == tuple(range(len(numbers))):
        return f"heads from 0 to {len(numbers) - 1}"
    return f"a head that has a query and a key, which are {', '.join(map(str, numbers))}"


def only(network: Network | Ensemble) -> Network:
    """Returns the network, if it is one.

    Raises:
        ConfigError: it is an ensemble; look into its members one by one.
    """
    if isinstance(network, Ensemble):
        raise ConfigError(
            f"an ensemble of {len(network.networks())} networks",
            expected="a single model to look into",
            mend="Load its members one by one, and look into each",
        )
    return network


def sites(network: Network) -> dict[str, Site]:
    """Lists every value of a network that can be seen, by name."""
    modules = dict(network.named_modules())
    return {
        name: Site(name, module, modules[name.rpartition(".")[0]])
        for name, module in modules.items()
        if isinstance(module, Tap)
    }


def find(network: Network, at: str) -> Site:
    """Finds the value that `at` means: a tap, or a module, which means the tap of its result.

    An attention means its `context`, a recurrence its `states`, a block its `out`; a feed-forward
    layer means what it adds to its input, `around_feedforward.written`.

    Raises:
        ConfigError: there is no such value; the message gives the nearest name.
    """
    known = _by_every_name(sites(network))
    if at not in known:
        raise ConfigError("nothing of that name to look at", where=at, mend=nearest(at, known))
    return known[at]


def find_attention(network: Network, at: str) -> tuple[Site, Attention]:
    """Finds the pattern of the attention that `at` names, and the attention itself.

    Raises:
        ConfigError: there is no such attention; the message gives the nearest name.
    """
    patterns = {
        name.rpartition(".")[0]: site
        for name, site in sites(network).items()
        if site.last == "pattern"
    }
    name = at.removesuffix(".pattern")
    if name not in patterns:
        mend = nearest(name, patterns) if patterns else "This network has no attention"
        raise ConfigError("no attention of that name", where=at, mend=mend)
    owner = patterns[name].owner
    assert isinstance(owner, MultiHeadAttention | StateAttention)
    return patterns[name], owner


def matching(network: Network, pattern: str) -> list[Site]:
    """Finds every tap whose name matches, in the network's order.

    Args:
        network: whose taps.
        pattern: a name in which `*` stands for any text, dots included, `?` for one character.

    Raises:
        ConfigError: no name matches; the message gives the nearest one.
    """
    known = sites(network)
    found = [site for name, site in known.items() if fnmatchcase(name, pattern)]
    if not found:
        mend = nearest(pattern, known)
        raise ConfigError("matches the name of no value", where=pattern, mend=mend)
    return found


def _by_every_name(known: dict[str, Site]) -> dict[str, Site]:
    """Adds to each tap's name that of the module whose result it is."""
    more = dict(known)
    for last in reversed(RESULTS):  # the first of them that a module has stands for it
        for name, site in known.items():
            if site.last == last:
                more[name.rpartition(".")[0]] = site
    for name, site in known.items():
        if name.endswith("around_feedforward.written"):
            more[name.replace("around_feedforward.written", "feedforward")] = site
    return more

"""What can be done to a head on the live page, and the edits that do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from seq2see.config import nearest
from seq2see.errors import ConfigError
from seq2see.look.ablate import ablate, reference
from seq2see.look.edit import Edit
from seq2see.look.names import sites
from seq2see.look.replace import replace
from seq2see.nn.network import Network
from seq2see.nn.roles import named
from seq2see.report.subject import Subject

ZERO, MEAN = "zero", "mean"
ROLES = {
    "encoder": ("uniform", "previous", "next", "self", "first", "last"),
    "decoder": ("uniform", "previous", "self", "first"),
    "cross": ("uniform", "diagonal", "previous", "self", "next", "first", "last"),
}
"""Patterns that can take the place of a head's own, by where it looks. A decoder that looks at
itself has read neither what comes next nor its last token."""


@dataclass(frozen=True)
class Change:
    """One head that works differently.

    Args:
        at: its attention, as `decoder.1.cross`.
        head: its number, from 0.
        to: `zero` or `mean`, in the place of what it reads; or a role, in the place of its pattern.
    """

    at: str
    head: int
    to: str


@dataclass(frozen=True)
class Place:
    """An attention whose heads can be changed.

    Args:
        heads: how many it has.
        ways: what each of them can be changed to.
    """

    heads: int
    ways: tuple[str, ...]


def places(network: Network, *, means: bool = True) -> dict[str, Place]:
    """Lists the attentions whose heads can be changed, by name, in the network's order.

    Args:
        network: the network.
        means: whether there is data to take a mean of.
    """
    taken = (ZERO, MEAN) if means else (ZERO,)
    found = {}
    for site in sites(network).values():
        if site.last == "pattern" and site.heads:  # an attention may have lost all of its heads
            at = site.name.removesuffix(".pattern")
            kind = "cross" if at.endswith("cross") else at.partition(".")[0]
            found[at] = Place(site.heads, (*taken, *ROLES[kind]))
    return found


class Changer:
    """Makes edits of changes; each mean is taken once, of the network as it was trained.

    Args:
        subject: the model, and the data whose means are taken: `Subject.averaged`.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.places = places(subject.network, means=bool(subject.averaged))
        self._means: dict[str, Tensor] = {}

    def edits(self, changes: Sequence[Change]) -> list[Edit]:
        """Makes the edits that carry out changes, to be handed to `Model.edit`.

        Not to be called while edits hold: they would be part of the means.

        Raises:
            ConfigError: an attention, a head or a way does not exist, or a head is changed twice.
        """
        check(changes, self.places)
        edits: list[Edit] = []
        for (at, to), heads in together(changes).items():
            if to == ZERO:
                edits.append(ablate(at, heads))
            elif to == MEAN:
                edits.append(ablate(at, heads, MEAN, self._mean(at)))
            else:
                edits += [replace(at, head, pattern=named(to)) for head in heads]
        return edits

    def _mean(self, at: str) -> Tensor:
        if at not in self._means:
            every = reference(self.subject.translator, at, self.subject.averaged)
            self._means[at] = every.mean(0)
        return self._means[at]


def check(changes: Sequence[Change], known: Mapping[str, Place]) -> None:
    """Makes sure that changes can be made.

    Raises:
        ConfigError: an attention, a head or a way does not exist, or a head is changed twice.
    """
    seen: set[tuple[str, int]] = set()
    for i, change in enumerate(changes):
        where = f"edits[{i}]"
        if change.at not in known:
            mend = nearest(change.at, known) if known else "This network has no heads to edit"
            raise ConfigError(f"found {change.at!r}", where=f"{where}.at", mend=mend)
        place = known[change.at]
        if not 0 <= change.head < place.heads:
            expected = f"heads from 0 to {place.heads - 1}"
            raise ConfigError(f"found {change.head}", expected=expected, where=f"{where}.head")
        if change.to not in place.ways:
            mend = nearest(change.to, place.ways)
            raise ConfigError(f"found {change.to!r}", where=f"{where}.to", mend=mend)
        if (change.at, change.head) in seen:
            raise ConfigError(
                f"{change.at} head {change.head} is changed twice",
                where=where,
                mend="Name each head once",
            )
        seen.add((change.at, change.head))


def together(changes: Sequence[Change]) -> dict[tuple[str, str], list[int]]:
    """Gathers the heads of an attention that are changed alike, by attention and way."""
    found: dict[tuple[str, str], list[int]] = {}
    for change in changes:
        found.setdefault((change.at, change.to), []).append(change.head)
    return {key: sorted(heads) for key, heads in found.items()}


def as_python(changes: Sequence[Change], source: str, features: Sequence[str] = ()) -> str:
    """Writes what the page does in Python, with `model` and `pairs` given."""
    lines: list[str] = []
    for (at, to), heads in together(changes).items():
        if to in (ZERO, MEAN):
            data = ", data=pairs" if to == MEAN else ""
            lines.append(f'    s2s.ablate("{at}", heads={heads}, by="{to}"{data}),')
        else:
            role = f'pattern=named("{to}")'
            lines += [f'    s2s.replace("{at}", {head}, {role}),' for head in heads]
    asked = f"Pair({source!r}, '', {tuple(features)!r})" if features else repr(source)
    call = f"model.translate([{asked}])"
    head = ["import seq2see as s2s"]
    if any(change.to not in (ZERO, MEAN) for change in changes):
        head.append("from seq2see.nn.roles import named")
    if features:
        head.append("from seq2see.data.pairs import Pair")
    if not changes:
        return "\n".join([*head[1:], call])
    return "\n".join([*head, "", "with model.edit(", *lines, "):", f"    {call}"])

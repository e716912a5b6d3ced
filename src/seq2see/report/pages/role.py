"""Roles that heads were given, and what they do after training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seq2see.look.given import Held, held
from seq2see.look.jobs import LEAST
from seq2see.look.table import HeadRow
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.plan import HeadRole
from seq2see.nn.settings import TransformerSettings
from seq2see.report.numbers import counted, fixed
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Figure, Page, table

TITLE = "Roles"


@dataclass(frozen=True)
class Head:
    """A head that was given a role.

    Args:
        role: what it was given.
        row: what it does on the data.
        held: it against its role; None where that is the data's links, no function of positions.
    """

    role: HeadRole
    row: HeadRow
    held: Held | None

    @property
    def fixed(self) -> bool:
        """Whether it cannot leave its role."""
        return self.role.how == "fixed"

    @property
    def missed(self) -> bool:
        """Whether the targets surely become less probable without it."""
        change = self.row.change
        return change is not None and change.sure and change.value < 0

    @property
    def told(self) -> str:
        """Whether it is in its role, in a word or two."""
        if self.fixed:
            return "always"
        return "not measured" if self.held is None else "yes" if self.held.kept else "no"


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    settings = subject.network.settings
    if not isinstance(settings, TransformerSettings):
        return Absent(TITLE, "A recurrent network has no heads that could be given a role.")
    if not settings.roles:
        return Absent(
            TITLE, "No head was given a role; those that heads have taken are on the wall."
        )
    if not subject.averaged:
        return Absent(TITLE, "No pair has text on both sides.")
    found = held(subject.translator, subject.averaged, settings.roles)
    given = [
        Head(role, subject.heads[role.at, role.head], found.get((role.at, role.head)))
        for role in settings.roles
    ]
    return Page(
        "roles",
        TITLE,
        "Did the heads stick to the roles that they were given?",
        _answer(given),
        "A fixed head cannot leave its role, so that only its ablation tells whether it is of use;"
        " and a head may do a role's work under another name, as near a diagonal.",
        (_figure(subject, given),),
    )


def _answer(given: Sequence[Head]) -> str:
    total, bound = len(given), sum(head.fixed for head in given)
    free = [head for head in given if head.held is not None and not head.fixed]
    unknown, missed = total - bound - len(free), sum(head.missed for head in given)
    were = "was" if total == 1 else "were"
    parts = []
    if bound:
        all_of = "it" if total == 1 else "all" if bound == total else str(bound)
        parts.append(
            f"{all_of} {_are(bound)} fixed, and in {'its role' if bound == 1 else 'their roles'}"
            " by construction"
        )
    if free:
        parts.append(_stayed(sum(head.held.kept for head in free if head.held), len(free), bound))
    if unknown:
        parts.append(f"{unknown} {_are(unknown)} guided by the data's links, and not measured here")
    parts.append(f"{missed} of {total} would surely be missed")
    return f"{counted(total, 'head')} {were} given a role: {'; '.join(parts)}."


def _stayed(kept: int, free: int, bound: int) -> str:
    """Says how many of the heads that could leave their roles have not."""
    if free == 1:
        one = "the other, which could leave its own, is" if bound else "it could leave it, and is"
        return f"{one}{'' if kept else ' not'} found in it after training"
    found = f"{_are(kept)} found in theirs after training"
    if bound:
        return f"of the {free} others, which could leave theirs, {kept} {found}"
    return f"all could leave theirs, and {kept} of {free} {found}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _gain(subject: Subject, role: HeadRole) -> str:
    """Writes what the gain of a biased head has become."""
    layer = subject.network.get_submodule(role.at)
    assert isinstance(layer, MultiHeadAttention)
    programme = layer.programme
    if role.how != "bias" or programme is None or programme.gains is None:
        return ""
    return fixed(float(programme.gains.detach()[list(programme.biased).index(role.head)]))


def _figure(subject: Subject, given: Sequence[Head]) -> Figure:
    rows = [
        (
            head.role.at,
            str(head.role.head),
            head.role.role,
            head.role.how,
            head.told,
            fixed(head.held.match) if head.held else "",
            fixed(head.held.even) if head.held else "",
            head.row.role,
            _gain(subject, head.role),
            fixed(head.row.change.value, 3) if head.row.change else "",
        )
        for head in given
    ]
    heads = (
        "at", "head", "role", "how", "in it", "match", "if even", "looks as", "gain",
        "change when ablated",
    )  # fmt: skip
    return Figure(
        "given",
        "Roles given and kept",
        f"{counted(len(rows), 'head')} with its role, and how well it does it.",
        table=table(heads, rows, (heads[1], *heads[5:7], *heads[8:])),
        caption="Match: the weight on the places that the role's own function names, or, where it"
        " says how much, what the head's weights have in common with its; if even: that of a head"
        f" that looks everywhere alike. In it: whether the match lies {LEAST:g} or more of the way"
        " from there to 1; a fixed head always is. Looks as: the job that is found in its pattern,"
        " as on the wall. Gain: what training has made of it. Change: of a target token's ln p, in"
        " nats.",
        open=True,
    )

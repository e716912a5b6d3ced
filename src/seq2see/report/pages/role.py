"""Roles that heads were given, and what they do after training."""

from __future__ import annotations

from seq2see.look.table import HeadRow, Match
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.plan import HeadRole
from seq2see.nn.settings import TransformerSettings
from seq2see.report.numbers import counted, fixed
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Figure, Page, table

TITLE = "Roles"


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    settings = subject.network.settings
    if not isinstance(settings, TransformerSettings) or not settings.roles:
        return Absent(
            TITLE, "No head was given a role; those that heads have taken are on the wall."
        )
    given = [(role, subject.heads[role.at, role.head]) for role in settings.roles]
    return Page(
        "roles",
        TITLE,
        "Did the heads stick to the roles that they were given?",
        _answer(given),
        "A fixed head cannot leave its role, so that only its ablation tells whether it is of use;"
        " and a head may do a role's work under another name, as near a diagonal.",
        (_figure(subject, given),),
    )


def _match(role: HeadRole, row: HeadRow) -> Match | None:
    """Returns how well a head does its given role, where it is one that is looked for."""
    return next((each for each in row.matches if each.job == role.role), None)


def _answer(given: list[tuple[HeadRole, HeadRow]]) -> str:
    kept = sum(row.role == role.role for role, row in given)
    useful = sum(
        row.change is not None and row.change.sure and row.change.value < 0 for _, row in given
    )
    return (
        f"{kept} of the {counted(len(given), 'head')} that were given a role are found in it after"
        f" training, and {useful} of them would surely be missed."
    )


def _gain(subject: Subject, role: HeadRole) -> str:
    """Writes what the gain of a biased head has become."""
    layer = subject.network.get_submodule(role.at)
    assert isinstance(layer, MultiHeadAttention)
    programme = layer.programme
    if role.how != "bias" or programme is None or programme.gains is None:
        return ""
    return fixed(float(programme.gains.detach()[list(programme.biased).index(role.head)]))


def _figure(subject: Subject, given: list[tuple[HeadRole, HeadRow]]) -> Figure:
    rows = []
    for role, row in given:
        match, change = _match(role, row), row.change
        rows.append(
            (
                role.at,
                str(role.head),
                role.role,
                role.how,
                row.role,
                fixed(match.match) if match else "",
                fixed(match.even) if match else "",
                _gain(subject, role),
                fixed(change.value, 3) if change else "",
            )
        )
    heads = (
        "at", "head", "role", "how", "found", "match", "if even", "gain", "change when ablated",
    )  # fmt: skip
    return Figure(
        "given",
        "Roles given and found",
        f"{counted(len(rows), 'head')} with its role, and the role that is found in its pattern.",
        table=table(heads, rows, (heads[1], *heads[5:])),
        caption="Match: the weight on the places that the role names; if even: that of a head that"
        " looks everywhere alike. Gain: what training has made of it. Change: of a target token's"
        " ln p, in nats.",
        open=True,
    )

"""Every head at once: what it looks at on the average of the data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from seq2see.look.jobs import NONE
from seq2see.look.table import HeadRow, HeadTable
from seq2see.report.averages import Average, averages
from seq2see.report.numbers import counted, fixed, significant, span
from seq2see.report.packing import packed
from seq2see.report.pages.alignment import attentions
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Drawing, Figure, Page, Table, table

TITLE = "Head wall"


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    if not subject.averaged:
        return Absent(TITLE, "No pair has text on both sides.")
    found = averages(subject)
    if not found:
        return Absent(TITLE, "The network has no attention.")
    if not any(len(one.largest) for one in found.values()):
        return Absent(TITLE, "All heads were pruned.")
    return Page(
        "wall",
        TITLE,
        "What does each head do, on the average of the data?",
        _answer(subject.heads),
        "A role describes where a head looks, not what for; an average hides what it does for"
        " single words, and a head with a clear picture may still matter little to the output.",
        (_figure(subject, found),),
    )


def patterns(subject: Subject) -> dict[str, Any]:
    """Returns the patterns of the pairs that are opened, which several drawings read."""
    names = attentions(subject)
    return {
        "attentions": {at: sides(at) for at in names},
        "patterns": [
            {at: packed(seen[f"{at}.pattern"][0].numpy()) for at in names}
            for seen in subject.traces
        ],
    }


def sides(at: str) -> dict[str, str]:
    """Says what an attention's rows and columns are called by."""
    if at.startswith("encoder"):
        return {"rows": "source", "columns": "source"}
    return (
        {"rows": "target", "columns": "source"}
        if ".cross" in at
        else {
            "rows": "read",
            "columns": "read",
        }
    )


def _answer(table: HeadTable) -> str:
    least = min(table, key=_worth)
    kinds = Counter(row.role for row in table if row.role != NONE)
    shown = ", ".join(f"{count} {role}" for role, count in kinds.most_common())
    change = least.change
    assert change is not None
    less = f"a target token is {fixed(-change.value)} nats less probable"
    if len(table) == 1:
        role = f"the role {shown.partition(' ')[2]}" if kinds else "no role"
        return f"The one head has taken {role}; without it {less}."
    taken = sum(kinds.values())
    found = f"{taken} of {len(table)} heads {'has' if taken == 1 else 'have'} taken a role"
    found += f" ({shown})" if shown else ""
    return f"{found}; the output hangs most on {least.at} head {least.head}, without which {less}."


def _worth(row: HeadRow) -> float:
    return row.change.value if row.change else 0.0


def _figure(subject: Subject, found: Mapping[str, Average]) -> Figure:
    rows = subject.heads
    groups: dict[str, list[str]] = {}
    for at in found:
        groups.setdefault(group(at), []).append(at)
    data = {
        "groups": groups,
        "maps": {at: packed(a.maps.numpy()) for at, a in found.items()},
        "largest": {at: [round(float(w), 4) for w in a.largest] for at, a in found.items()},
        "notes": {at: [r.role for r in rows if r.at == at] for at in found},
        "offsets": {at: [_profile(r) for r in rows if r.at == at] for at in found},
        "entropies": {at: [r.relative_entropy for r in rows if r.at == at] for at in found},
        "changes": {at: [_worth(r) for r in rows if r.at == at] for at in found},
    }
    return Figure(
        "wall-maps",
        "Mean pattern of every head",
        f"{counted(len(rows), 'small map')}, a row a layer and a column a head: from top to bottom"
        " the queries from the first to the last of a text, from left to right the keys.",
        Drawing("wall", data),
        _table(rows, found),
        f"Mean over {counted(len(subject.averaged), 'pair')}, forced along the references;"
        " positions as shares of the length, so that texts of any length lie over each other. A"
        " diagonal keeps the order; an upright line looks at one place, wherever it is asked from."
        " The bars below: weight by offset from 8 before the query to 8 after it. Then the role, if"
        " it has one; H, its entropy, from 0, a look at one key, to 1, an even look; Δ, the change"
        " of a target token's ln p, in nats, when the mean takes the head's place. Choose a head to"
        " open its card.",
    )


def _profile(row: HeadRow) -> list[float]:
    return [0.0 if math.isnan(weight) else round(weight, 3) for weight in row.offsets]


def _table(rows: HeadTable, found: Mapping[str, Average]) -> Table:
    cells = []
    for row in rows:
        change = row.change
        assert change is not None
        cells.append(
            (
                row.at,
                str(row.head),
                row.role if row.role != NONE else f"none ({row.best.job})",
                fixed(row.best.match),
                fixed(row.best.even),
                fixed(float(found[row.at].largest[row.head])),
                fixed(row.relative_entropy),
                significant(row.importance, 2),
                f"{fixed(change.value, 3)} ({span(change.low, change.high, 3)})",
            )
        )
    heads = (
        "attention", "head", "role (best)", "match", "if even", "largest weight", "entropy",
        "importance", "change when ablated",
    )  # fmt: skip
    return table(heads, cells, (heads[1], *heads[3:]))


def group(at: str) -> str:
    """Says what the attentions of one kind are called in common."""
    side, _, rest = at.partition(".")
    if ".cross" in at:
        return "Decoder, looking at the source"
    return f"{side.capitalize()}, looking at itself" if rest else side

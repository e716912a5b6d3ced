"""Every head at once: what it looks at on the average of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seq2see.report.averages import Average, averages
from seq2see.report.numbers import counted, fixed, percent
from seq2see.report.packing import packed
from seq2see.report.pages.alignment import attentions
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Drawing, Figure, Page, table

TITLE = "Head wall"


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    found = averages(subject)
    if not found:
        return Absent(TITLE, "The network has no attention.")
    return Page(
        "wall",
        TITLE,
        "What does each head look at, on the average of the data?",
        _answer(found),
        "An average hides what a head does for single words; and a head with a clear picture may"
        " still matter little to the output.",
        (_figure(subject, found),),
    )


def patterns(subject: Subject) -> dict[str, Any]:
    """Returns the patterns of the pairs that are opened, which several drawings read."""
    names = attentions(subject)
    return {
        "attentions": {at: _sides(at) for at in names},
        "patterns": [
            {at: packed(seen[f"{at}.pattern"][0].numpy()) for at in names}
            for seen in subject.traces
        ],
    }


def _sides(at: str) -> dict[str, str]:
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


def _answer(found: Mapping[str, Average]) -> str:
    heads = [
        (float(w), f"{at} head {i}") for at, a in found.items() for i, w in enumerate(a.largest)
    ]
    sharp, flat = max(heads), min(heads)
    if len(heads) == 1:
        return (
            f"The one head, {sharp[1]}, puts {percent(sharp[0])} of a row's attention on one key;"
            f" spread evenly it would be {percent(next(iter(found.values())).even)}."
        )
    return (
        f"Of {len(heads)} heads the sharpest, {sharp[1]}, puts {percent(sharp[0])} of a row's"
        f" attention on one key, the flattest, {flat[1]}, {percent(flat[0])}."
    )


def _figure(subject: Subject, found: Mapping[str, Average]) -> Figure:
    cells = [
        (at, str(head), fixed(float(a.largest[head])), fixed(a.even))
        for at, a in found.items()
        for head in range(len(a.largest))
    ]
    groups: dict[str, list[str]] = {}
    for at in found:
        groups.setdefault(_group(at), []).append(at)
    maps = {at: packed(a.maps.numpy()) for at, a in found.items()}
    largest = {at: [round(float(w), 4) for w in a.largest] for at, a in found.items()}
    heads = ("attention", "head", "largest weight", "if even")
    return Figure(
        "wall-maps",
        "Mean pattern of every head",
        f"{counted(len(cells), 'small map')}, a row a layer and a column a head: from top to bottom"
        " the queries from the first to the last of a text, from left to right the keys.",
        Drawing("wall", {"groups": groups, "maps": maps, "largest": largest}),
        table(heads, cells, heads[1:]),
        f"Mean over {counted(len(subject.averaged), 'pair')}, forced along the references;"
        " positions as shares of the length, so that texts of any length lie over each other. A"
        " diagonal keeps the order; an upright line looks at one place, wherever it is asked from."
        " Choose a head to open its card.",
    )


def _group(at: str) -> str:
    side, _, rest = at.partition(".")
    if ".cross" in at:
        return "Decoder, looking at the source"
    return f"{side.capitalize()}, looking at itself" if rest else side

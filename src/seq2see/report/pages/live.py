"""The page that asks the model itself, where a server stands behind the report."""

from __future__ import annotations

from typing import Any

from seq2see.look.alignment import MEASURES
from seq2see.nn.settings import TransformerSettings
from seq2see.report.changes import Place, places
from seq2see.report.live import default_measure, default_place
from seq2see.report.numbers import counted
from seq2see.report.pages.wall import group
from seq2see.report.subject import Subject
from seq2see.report.view import Drawing, Figure, Page

TITLE = "Live"
ADDRESS = "/answer"
"""Where the page asks."""


def page(subject: Subject) -> Page:
    """Makes the page; it belongs to no file, since its drawing asks a server."""
    known = places(subject.network, means=bool(subject.averaged))
    what = " and with heads changed" if known else ""
    return Page(
        "live",
        TITLE,
        f"What does it write for a source of your own{', and what without a head' * bool(known)}?",
        _answer(subject, known),
        "One source is no data set. An output that stays the same does not say that a head does"
        " nothing, since others may do its work as well; and one that changes does not say what the"
        " head is for."
        if known
        else "One source is no data set.",
        (
            Figure(
                "live",
                "Type a source",
                f"A field for a source, the output of the network as it was trained{what}, and the"
                " map of each.",
                Drawing("live", _data(subject, known)),
            ),
        ),
    )


def _answer(subject: Subject, known: dict[str, Place]) -> str:
    if isinstance(subject.network.settings, TransformerSettings):
        count = sum(place.heads for place in known.values())
        return (
            f"{counted(count, 'head')} can be taken out or given another pattern, one by one or"
            " together; the output follows at once."
        )
    none = "A recurrent network has no heads to edit"
    if not known:
        return f"{none}, and this one has no attention either: its output and its map stand below."
    return f"{none}; its attention over the source can be taken out or given another pattern."


def _data(subject: Subject, known: dict[str, Place]) -> dict[str, Any]:
    groups: dict[str, list[str]] = {}
    for at in known:
        groups.setdefault(group(at), []).append(at)
    return {
        "address": ADDRESS,
        "groups": groups,
        "heads": {at: place.heads for at, place in known.items()},
        "ways": {at: list(place.ways) for at, place in known.items()},
        "measures": list(MEASURES if known else MEASURES[2:]),
        "by": default_measure(known),
        "at": default_place(known),
        "featured": bool(subject.translator.tokenizers.source.layout.features),
        "features": [";".join(subject.asked.sources[i].features) for i in subject.numbers],
    }

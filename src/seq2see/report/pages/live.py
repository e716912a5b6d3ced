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

_CAPTION = (
    "ln p: the natural logarithm of the probability that a network gives to a whole output, its end"
    " included. The map belongs to the output above it: a row an output piece, a column a source"
    " piece, unless a decoder or an encoder that looks at itself is chosen; rows sum to 1. Norm,"
    " gradient and erasure measure as on the page of alignments."
)
_SAME = (
    " An output that stays the same does not say that what was taken out does nothing, since others"
    " may do its work as well; and one that changes does not say what it is for."
)
_EDITED = (
    " A small picture is the head's mean pattern, as on the head wall. Zero and mean take the place"
    " of what a head reads, a role that of its pattern; means are those of the network as it was"
    " trained, over the pairs that the report averages over."
)


def page(subject: Subject) -> Page:
    """Makes the page; it belongs to no file, since its drawing asks a server."""
    known = places(subject.network, means=bool(subject.averaged))
    return Page(
        "live",
        TITLE,
        f"What does it write for a source of your own{', and what after an edit' * bool(known)}?",
        _answer(subject, known),
        f"One source is no data set.{_SAME * bool(known)}",
        (
            Figure(
                "live",
                "Type a source",
                "A field for a source; the output of the network as it was trained"
                f"{', and with heads changed' * bool(known)}; its map.",
                Drawing("live", _data(subject, known)),
                caption=_CAPTION + _EDITED * bool(known),
            ),
        ),
    )


def _answer(subject: Subject, known: dict[str, Place]) -> str:
    count = _heads(known)
    if isinstance(subject.network.settings, TransformerSettings):
        if not count:
            return "This network has no head left to edit."
        return (
            f"{counted(count, 'head')} can be taken out or given another pattern, one by one or"
            " together; the output follows at once."
        )
    none = "A recurrent network has no heads to edit"
    if not count:
        return f"{none}, and this one has no attention either: its output and its map stand below."
    return f"{none}; its attention over the source can be taken out or given another pattern."


def _heads(known: dict[str, Place]) -> int:
    return sum(place.heads for place in known.values())


def _data(subject: Subject, known: dict[str, Place]) -> dict[str, Any]:
    groups: dict[str, list[str]] = {}
    for at in known:
        groups.setdefault(group(at), []).append(at)
    transformer = isinstance(subject.network.settings, TransformerSettings)
    return {
        "address": ADDRESS,
        "noun": "head" if transformer else "attention",
        "groups": groups,
        "heads": {at: place.heads for at, place in known.items()},
        "ways": {at: list(place.ways) for at, place in known.items()},
        "measures": list(MEASURES if known else MEASURES[2:]),
        "by": default_measure(known),
        "at": default_place(known),
        "featured": bool(subject.translator.tokenizers.source.layout.features),
        "features": [";".join(subject.asked.sources[i].features) for i in subject.numbers],
    }

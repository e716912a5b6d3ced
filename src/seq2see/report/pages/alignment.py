"""Where in the source the model looked for each piece of its output."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2see.report.numbers import counted, fixed, percent
from seq2see.report.subject import Subject, mean
from seq2see.report.view import Absent, Drawing, Figure, Link, Page, table

TITLE = "Alignment"


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    crosses = attentions(subject, ".cross")
    if not crosses:
        return Absent(
            TITLE,
            "The decoder has no attention: all it sees of the source is the fixed vector it starts"
            " from.",
        )
    return Page(
        "alignment",
        TITLE,
        "Where in the source did it look for each piece of the output?",
        _answer(subject, crosses[-1]),
        "A weight says where a head looked, not whether what it read there mattered; and the query"
        " of a row has not yet seen the token that the row predicts.",
        (_figure(subject, crosses), _table(subject, crosses[-1])),
    )


def attentions(subject: Subject, end: str = "") -> list[str]:
    """Names the attentions of the network, in its order; those whose names end as said."""
    names = (name for name in subject.traces[0].values if name.endswith(".pattern"))
    return [name for each in names if (name := each.removesuffix(".pattern")).endswith(end)]


def strongest(subject: Subject, at: str) -> list[tuple[float, float]]:
    """Averages heads; returns each pair's mean of its rows' largest weights, and 1 / source."""
    found = []
    for seen in subject.traces:
        pattern = seen[f"{at}.pattern"][0].mean(0).numpy()  # target source
        found.append((float(pattern.max(-1).mean()), 1 / pattern.shape[-1]))
    return found


def _answer(subject: Subject, at: str) -> str:
    each = np.array(strongest(subject, at))
    return (
        f"In {at}, mean over its heads, the source piece looked at most takes"
        f" {percent(mean(each[:, 0]))} of an output piece's attention; spread evenly it would be"
        f" {percent(mean(each[:, 1]))}."
    )


def _figure(subject: Subject, crosses: list[str]) -> Figure:
    views: list[dict[str, Any]] = []
    for at in reversed(crosses):  # the last layer first, which decides what is written
        heads = subject.traces[0][f"{at}.pattern"].shape[1]
        each: list[str | int] = ["mean", *range(heads)] if heads > 1 else ["mean"]
        views += [{"method": "weight", "at": at, "head": one} for one in each]
    return Figure(
        "grid",
        "Attention over the source",
        "A grid for each pair: a row an output piece, a column a source piece, darker where more of"
        " the row's attention went. The rows sum to 1.",
        Drawing("grid", {"rows": "target", "columns": "source", "views": views}),
        caption="Each row belongs to the prediction of its piece. Point at a cell for its number.",
    )


def _table(subject: Subject, at: str) -> Figure:
    rows = []
    for i, (seen, (top, even)) in enumerate(
        zip(subject.traces, strongest(subject, at), strict=True)
    ):
        pattern = seen[f"{at}.pattern"][0].mean(0).numpy()
        order = np.diff(pattern.argmax(-1)) >= 0
        rows.append(
            (
                Link(str(i + 1), "alignment", i),
                counted(len(seen.source[0]), "piece"),
                counted(len(seen.target[0]), "piece"),
                fixed(top),
                fixed(even),
                percent(mean(order)),
            )
        )
    heads = ("pair", "source", "output", "largest weight", "if even", "moves on")
    return Figure(
        "sharpness",
        f"How sharp {at} is",
        f"Numbers of {counted(len(rows), 'pair')}.",
        table=table(heads, rows, heads),
        caption="Largest weight: mean over the output's pieces, after the mean over heads. Moves"
        " on: share of steps after which the piece looked at most is the same one or a later one.",
    )

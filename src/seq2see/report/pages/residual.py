"""The residual stream: what each sub-layer adds, and what reaches it in training."""

from __future__ import annotations

import math

from seq2see.look.stream import Level, stream
from seq2see.nn.settings import TransformerSettings
from seq2see.report.charts import Axis, bars
from seq2see.report.numbers import counted, fixed, percent, significant
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Figure, Page, table

TITLE = "Residual stream"


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    if not isinstance(subject.network.settings, TransformerSettings) or not subject.averaged:
        return Absent(TITLE, "A recurrent network has no stream that layers add to.")
    levels = list(stream(subject.translator, subject.averaged))
    return Page(
        "stream",
        TITLE,
        "What does each sub-layer add, and do the tokens stay apart?",
        _answer(levels),
        "A large share is not a large use: a sub-layer can write much that nothing later reads.",
        (_written(levels), _similarity(levels), _gradients(levels)),
    )


def short(name: str) -> str:
    """Shortens a level's name: `encoder 0 self`."""
    return name.replace("around_", "").replace(".out", " embedding").replace(".", " ")


def _answer(levels: list[Level]) -> str:
    adding = [level for level in levels if level.share is not None]
    most = max(adding, key=lambda level: level.share or 0.0)
    ends = [level for level in levels if level.name.startswith("encoder")]
    first, last = levels[0], (ends or levels)[-1]
    return (
        f"{short(most.name).capitalize()} adds most, {percent(most.share or 0.0)} of the length of"
        f" what it adds to; in the encoder the cosine between two tokens of a text goes from"
        f" {fixed(first.similarity)} to {fixed(last.similarity)}."
    )


def _rows(levels: list[Level]) -> list[tuple[str, ...]]:
    return [
        (
            short(level.name),
            fixed(level.norm),
            fixed(math.nan if level.written is None else level.written),
            percent(math.nan if level.share is None else level.share),
            fixed(level.similarity),
            fixed(level.residue),
            significant(level.gradient),
        )
        for level in levels
    ]


def _written(levels: list[Level]) -> Figure:
    heads = ("after", "norm", "added", "share", "similarity", "res(X)", "gradient")
    shown = [
        {"level": short(level.name), "share": level.share}
        for level in levels
        if level.share is not None
    ]
    return Figure(
        "written",
        "What each sub-layer adds",
        f"Bars of {counted(len(shown), 'sub-layer')}, in the order of the network.",
        bars(shown, Axis("level", ""), Axis("share", "length added over length before", zero=True)),
        table(heads, _rows(levels), heads[1:]),
        "Norm: the mean length of a vector of the stream. res(X): what of it is not the same at all"
        " positions; 0 where all are alike. Gradient: of a pair's log-likelihood, by a vector.",
    )


def _similarity(levels: list[Level]) -> Figure:
    shown = [{"level": short(x.name), "cosine": x.similarity} for x in levels]
    cells = [(str(row["level"]), fixed(x.similarity)) for row, x in zip(shown, levels, strict=True)]
    return Figure(
        "similarity",
        "How alike the tokens of a text are",
        f"Bars of {counted(len(shown), 'level')}.",
        bars(shown, Axis("level", ""), Axis("cosine", "cosine between two positions", zero=True)),
        table(("after", "cosine"), cells, ("cosine",)),
        half=True,
    )


def _gradients(levels: list[Level]) -> Figure:
    shown = [{"level": short(x.name), "gradient": x.gradient} for x in levels]
    cells = [(short(x.name), significant(x.gradient)) for x in levels]
    return Figure(
        "gradients",
        "What reaches each level backwards",
        f"Bars of {counted(len(shown), 'level')}.",
        bars(shown, Axis("level", ""), Axis("gradient", "norm of the gradient", zero=True)),
        table(("after", "gradient"), cells, ("gradient",)),
        half=True,
    )

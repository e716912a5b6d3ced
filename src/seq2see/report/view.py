"""What a report says, apart from how it is drawn: records that become JSON as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["beam", "grid", "head", "live", "map", "wall"]
"""What `assets/page.js` draws itself, because it has labels in any script or answers a touch; and
`assets/live.js`, which asks the model."""


@dataclass(frozen=True)
class Link:
    """Text that leads to another page, opened at one of the pairs looked at.

    Args:
        text: what is read.
        page: name of the page.
        pair: number of the pair, from 0.
    """

    text: str
    page: str
    pair: int


@dataclass(frozen=True)
class Pieces:
    """Pieces of text side by side, each in its own direction.

    Args:
        each: a piece, and what is said of it behind it; empty for nothing.
    """

    each: tuple[tuple[str, str], ...]


Cell = str | Link | Pieces


@dataclass(frozen=True)
class Table:
    """Numbers beside a picture.

    Args:
        heads: the columns' names.
        rows: the cells; text from the data stands as it is.
        numbers: columns that are set flush right.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart that Vega draws.

    Args:
        spec: in Vega-Lite, without size and colours of the surroundings.
    """

    spec: Mapping[str, Any]


@dataclass(frozen=True)
class Drawing:
    """A picture that the report's own script draws.

    Args:
        kind: which one.
        data: what it needs; arrays as `packed` gives them.
    """

    kind: Kind
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """A picture with its numbers.

    Args:
        name: unique in the report.
        title: what is seen, as a short noun phrase.
        alt: the same for who does not see it, with what it shows.
        drawing: the picture; None where the table says it all.
        table: the numbers.
        caption: how to read it, and where the data comes from.
        open: whether the table is unfolded from the start.
        half: whether it may stand beside another such figure.
    """

    name: str
    title: str
    alt: str
    drawing: Chart | Drawing | None = None
    table: Table | None = None
    caption: str = ""
    open: bool = False
    half: bool = False


@dataclass(frozen=True)
class Page:
    """One question about a model.

    Args:
        name: unique in the report.
        title: a noun phrase.
        question: what is asked.
        answer: one sentence with the numbers of this run.
        caution: what the answer does not mean.
        figures: pictures with their numbers.
    """

    name: str
    title: str
    question: str
    answer: str
    caution: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Absent:
    """A page that this model or this data does not have.

    Args:
        title: the page's.
        why: the reason, as a sentence.
    """

    title: str
    why: str


@dataclass(frozen=True)
class Report:
    """All pages about one model.

    Args:
        title: the model's name.
        subtitle: what it is, in half a line.
        pages: in reading order.
        absent: pages that are left out.
        shared: data that several drawings read, by name.
    """

    title: str
    subtitle: str
    pages: tuple[Page, ...]
    absent: tuple[Absent, ...] = ()
    shared: Mapping[str, Any] = field(default_factory=dict)


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]], numbers: Sequence[str]) -> Table:
    """Makes a table of sequences of any kind."""
    return Table(tuple(heads), tuple(map(tuple, rows)), tuple(numbers))

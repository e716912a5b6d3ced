"""The gates of a recurrent network over a text: what is kept, written and shown at each step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from seq2see.nn.recurrent import GATES
from seq2see.nn.settings import RecurrentSettings
from seq2see.report.numbers import counted, fixed, percent
from seq2see.report.packing import packed
from seq2see.report.subject import Subject, mean
from seq2see.report.view import Absent, Drawing, Figure, Page, table

TITLE = "Gates"
OPEN = ("input", "forget", "output", "reset", "update")
"""Taps that are gates: between 0, shut, and 1, open."""


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    settings = subject.network.settings
    if not isinstance(settings, RecurrentSettings):
        return Absent(TITLE, "A Transformer has no gates; its heads are opened instead.")
    if settings.kind == "rnn":
        return Absent(TITLE, "A vanilla RNN has no gates: every step overwrites the whole state.")
    cells = _cells(subject)
    return Page(
        "gates",
        TITLE,
        "What does the network keep, write and show at each step?",
        _answer(subject, cells),
        "A mean over features hides that single features can keep a value for the whole text while"
        " others forget it at once.",
        (_figure(subject, cells), _table(subject, cells)),
    )


def _cells(subject: Subject) -> list[str]:
    names = (name for name in subject.traces[0].values if name.endswith(".candidate"))
    return [name.removesuffix(".candidate") for name in names]


def average(subject: Subject, cell: str, gate: str) -> float:
    """Averages a gate over features, steps and the pairs that are opened."""
    return mean(np.array([float(seen[f"{cell}.{gate}"].mean()) for seen in subject.traces]))


def kept(subject: Subject, cell: str) -> float:
    """Averages the share of the old state that a step keeps: a GRU's update or an LSTM's forget."""
    settings = subject.network.settings
    return average(subject, cell, "forget" if settings.kind == "lstm" else "update")


def _answer(subject: Subject, cells: list[str]) -> str:
    each = [(kept(subject, cell), cell) for cell in cells]
    share, cell = max(each)
    least = min(each)
    return (
        f"The longest memory has {cell}: a step keeps {percent(share)} of the state on average"
        f"{_half(share)}; the shortest has {least[1]} with {percent(least[0])}."
    )


def _half(share: float) -> str:
    if not 0 < share < 1:  # a gate that is wholly shut, or wholly open
        return ""
    return f", so that half of it is gone after {fixed(math.log(0.5) / math.log(share), 1)} steps"


def _shown(subject: Subject) -> tuple[str, ...]:
    settings = subject.network.settings
    assert isinstance(settings, RecurrentSettings)
    return tuple(name for name in GATES[settings.kind] if name in OPEN)


def _figure(subject: Subject, cells: list[str]) -> Figure:
    gates = _shown(subject)
    views: list[dict[str, Any]] = []
    for cell in cells:
        values = []
        for seen in subject.traces:
            rows = [seen[f"{cell}.{gate}"][0].mean(-1).numpy() for gate in gates]
            values.append(packed(np.stack(rows)))
        side = "source" if cell.startswith("encoder") else "read"
        views.append({"at": cell, "rows": list(gates), "columns": side, "values": values})
    return Figure(
        "gates-grid",
        "How far each gate is open",
        "A grid for each pair: a row a gate, a column a token, darker where the gate is more open.",
        Drawing("grid", {"rows": list(gates), "columns": "source", "views": views}),
        caption="Mean over the features of a cell, from 0, shut, to 1, open. A backward cell reads"
        " from right to left.",
    )


def _table(subject: Subject, cells: list[str]) -> Figure:
    gates = _shown(subject)
    rows = [(cell, *(fixed(average(subject, cell, gate)) for gate in gates)) for cell in cells]
    return Figure(
        "gates-mean",
        "Mean opening of every gate",
        f"Numbers of {counted(len(cells), 'cell')}.",
        table=table(("cell", *gates), rows, gates),
        caption="Mean over features, steps and the pairs opened here.",
    )

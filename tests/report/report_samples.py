"""Reports of a tiny Transformer and a tiny bi-directional LSTM, on texts that are hard to show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

from fixtures import TINY, easy, write_tsv
from seq2see.data.pairs import Pair
from seq2see.report.compose import compose
from seq2see.report.html import render
from seq2see.report.live import Live
from seq2see.report.pages import live
from seq2see.report.sample import Extent
from seq2see.report.serve import Server
from seq2see.report.subject import Subject, open_subject
from seq2see.report.view import Figure, Page, Report

SCRIPT = "<script>alert(1)</script>"
ODD = [
    Pair(SCRIPT, "</script><b>x</b>"),
    Pair("<!-- <img src=x onerror=alert(2)>", "a"),
    Pair("שלום", "שלום"),
    Pair("안녕", "한글"),
]
"""Markup, text from right to left, and a script of syllables."""

EXTENT = Extent(pairs=5, scored=200, averaged=20)
SMALL = ("train.steps=40", "train.validations=2", "train.precision=float32")
TRANSFORMER = (
    *TINY,
    "model.decoder_layers=2",
    "model.positions=sinusoidal",
    'model.roles=[{at="encoder.0.self",head=0,role="previous",how="fixed"},'
    '{at="decoder.1.self",head=1,role="self",how="bias"}]',
)
BILSTM = ("model.kind=bilstm+attention", "model.d_embedding=12", "model.d_hidden=12")


@dataclass(frozen=True)
class Made:
    """A report with what it was made from."""

    subject: Subject
    report: Report
    html: str
    file: Path


def made(folder: Path, *settings: str) -> Made:
    """Trains a model in a second, and reports on it."""
    from seq2see.api.training import train

    pairs = [*ODD, *easy()]
    data = write_tsv(folder / "pairs.tsv", pairs)
    out = folder / "a <b> model"
    model = train(data, *settings, *SMALL, out=out)
    asked = write_tsv(folder / "asked.tsv", [*ODD, *easy()[:120]])
    subject = open_subject(model, out, str(asked), "", EXTENT)
    # The hard texts are few: they are looked at whatever the draw would say.
    numbers = [i for i, one in enumerate(subject.asked.sources) if one.source in _texts()]
    subject.__dict__["numbers"] = (numbers + subject.numbers)[: EXTENT.pairs]
    report = compose(subject)
    file = folder / "report.html"
    file.write_text(render(report), encoding="utf-8")
    return Made(subject, report, file.read_text(encoding="utf-8"), file)


def _texts() -> set[str]:
    return {pair.source for pair in ODD}


def featured(folder: Path) -> Subject:
    """Trains a GRU without attention on words in capitals or not, as a feature says."""
    from seq2see.api.training import train

    pairs = [
        Pair(one.source, one.source.upper() if up else one.source, ("UP",) if up else ("LOW", "X"))
        for one in easy()
        for up in (True, False)
    ]
    data = write_tsv(folder / "pairs.tsv", pairs)
    sizes = ("model.kind=gru", "model.attention=none", "model.d_embedding=12", "model.d_hidden=24")
    columns = 'data.columns="source=1,target=2,features=3"'
    model = train(data, *sizes, *SMALL, columns, out=folder / "gru")
    return open_subject(model, folder / "gru", str(data), "", replace(EXTENT, scored=40))


@dataclass(frozen=True)
class Served:
    """A report with its live page, at an address."""

    subject: Subject
    live: Live
    server: Server
    html: str


@contextmanager
def served(subject: Subject, report: Report | None = None) -> Iterator[Served]:
    """Serves a live page, before the pages of a report if there is one."""
    page = live.page(subject)
    whole = report or Report("model", "", (), (), subject.shared())
    html = render(replace(whole, pages=(page, *whole.pages)))
    answering = Live(subject)
    with Server(0) as server:
        server.begin(html, answering.answer)
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        yield Served(subject, answering, server, html)
        server.shutdown()
        thread.join()


def drawn(*figures: Figure, **shared: Any) -> Report:
    """A report of one page that shows figures without a model, with what drawings share."""
    page = Page("page", "Page", "What is seen?", "1 page.", "None.", figures)
    return Report("model", "subtitle", (page,), (), shared)

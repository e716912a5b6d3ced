"""From a subject to a report: every page is asked in reading order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seq2see.report.pages import (
    ablation,
    alignment,
    card,
    decoding,
    distance,
    errors,
    gates,
    head,
    length,
    lens,
    neuron,
    position,
    residual,
    role,
    training,
    wall,
)
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Page, Report

PAGES: tuple[Callable[[Subject], Page | Absent], ...] = (
    card.page,
    training.page,
    length.page,
    distance.page,
    decoding.page,
    alignment.page,
    wall.page,
    head.page,
    gates.page,
    ablation.page,
    role.page,
    lens.page,
    neuron.page,
    residual.page,
    position.page,
    errors.page,
)
"""In reading order: what was trained, how good it is, how it writes, what is inside, what fails."""


def compose(subject: Subject, watcher: Callable[[str], None] = lambda _: None) -> Report:
    """Makes every page that applies to a model.

    Args:
        subject: the model and its data.
        watcher: is told which page is being made.
    """
    pages: list[Page] = []
    absent: list[Absent] = []
    for make in PAGES:
        watcher(make.__module__.rpartition(".")[2])
        made = make(subject)
        if isinstance(made, Page):
            pages.append(made)
        else:
            absent.append(made)
    data = Path(subject.model.recipe.data.train.split(",")[0]).name
    subtitle = f"{kind(subject)} · trained on {data} · looked at on {subject.data}"
    shared = {**subject.shared(), **wall.patterns(subject)}
    return Report(subject.folder.name, subtitle, tuple(pages), tuple(absent), shared)


def kind(subject: Subject) -> str:
    """Names the architecture in words."""
    settings = subject.network.settings
    if settings.kind == "transformer":
        return f"Transformer, {settings.encoder_layers} + {settings.decoder_layers} layers"
    ways = "Bi-directional " if settings.bidirectional else ""
    cell = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}[settings.kind]
    seen = "without attention" if settings.attention == "none" else "with attention"
    return f"{ways}{cell} {seen}"

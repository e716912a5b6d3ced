"""When the network knows: what each layer would say if it were the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seq2see.look.lens import EncoderLens, Lens, decoder_lens, lens
from seq2see.report.charts import Axis, lines
from seq2see.report.numbers import counted, fixed, percent
from seq2see.report.packing import packed
from seq2see.report.pieces import isolated, visible
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Drawing, Figure, Page, table

TITLE = "Layer lens"
SAID = 40
"""Characters of what a layer says that still fit before its row."""


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    if subject.network.settings.decoder_layers < 2 or not subject.averaged:
        return Absent(TITLE, "The decoder has one layer: there is nothing before it to be read.")
    opened = lens(subject.translator, _sources(subject), _outputs(subject))
    many = lens(subject.translator, subject.averaged)
    shares = first_right(many)
    several = subject.network.settings.encoder_layers > 1
    encoders = (decoder_lens(subject.translator, subject.averaged),) if several else ()
    return Page(
        "lens",
        TITLE,
        "In which layer does the network know what to write?",
        _answer(many, shares),
        "A layer is read with the output matrix of the last one, for which it was not trained: what"
        " cannot be read here may be known all the same, in other directions.",
        (_curve(many, shares), *(_encoder(one) for one in encoders), _grid(opened)),
    )


def _sources(subject: Subject) -> list[Any]:
    return [subject.asked.sources[i] for i in subject.numbers]


def _outputs(subject: Subject) -> list[str]:
    return [subject.outputs[i] for i in subject.numbers]


def first_right(found: Lens) -> list[float]:
    """Returns for each layer the share of target tokens that are most probable from it to the end.

    It is taken of the tokens that the last layer finds most probable.
    """
    every = [layer for i in range(len(found.target)) for layer in found.settled(i)]
    known = [layer for layer in every if layer is not None]
    layers = range(found.logits.shape[1])
    return [sum(layer <= last for layer in known) / max(1, len(known)) for last in layers]


def _answer(found: Lens, shares: list[float]) -> str:
    if not shares[-1]:
        tokens = counted(sum(map(len, found.target)), "target token")
        return f"Of {tokens} it finds none the most probable one, so that no layer settles any."
    half = next(layer for layer, share in enumerate(shares) if share >= 0.5)
    before = f" and {percent(shares[-2])} before the last" if len(shares) > 2 else ""
    return (
        f"Of the tokens that it gets right, {percent(shares[0])} are settled after layer 0 of the"
        f" decoder{before}; half of them from layer {half} on."
    )


def _means(found: Lens) -> list[float]:
    tokens = sum(map(len, found.target))
    return [float(each) / tokens for each in found.scores.sum((0, 2))]


def _curve(found: Lens, shares: list[float]) -> Figure:
    means = _means(found)
    rows = [{"layer": layer, "nats": value} for layer, value in enumerate(means)]
    cells = [
        (str(layer), fixed(value), percent(share))
        for layer, (value, share) in enumerate(zip(means, shares, strict=True))
    ]
    heads = ("layer", "ln p a token", "settled")
    return Figure(
        "lens-layers",
        "What each layer of the decoder would give the right token",
        f"A line over {len(rows)} layers from {fixed(means[0])} to {fixed(means[-1])} nats.",
        lines(rows, Axis("layer", "layer", "d"), Axis("nats", "ln p a target token"), points=True),
        table(heads, cells, heads),
        "Forced along the references. Settled: the share of the tokens the network gets right that"
        " are the most probable ones from this layer to the last.",
        half=True,
    )


def _encoder(found: EncoderLens) -> Figure:
    tokens = sum(map(len, found.target))
    means = [float(each) / tokens for each in found.likelihood.sum(0)]
    rows = [{"layer": layer, "nats": value} for layer, value in enumerate(means)]
    cells = [
        (str(layer), fixed(value), texts[0])
        for layer, (value, texts) in enumerate(zip(means, found.texts, strict=True))
    ]
    heads = ("layer", "ln p a token", "output for the first pair")
    return Figure(
        "lens-encoder",
        "What the decoder makes of each layer of the encoder",
        f"A line over {len(rows)} layers from {fixed(means[0])} to {fixed(means[-1])} nats.",
        lines(rows, Axis("layer", "layer", "d"), Axis("nats", "ln p a target token"), points=True),
        table(heads, cells, heads[:2]),
        "The decoder sees the source as this layer of the encoder leaves it (DecoderLens).",
        half=True,
    )


def _grid(found: Lens) -> Figure:
    layers = [f"layer {layer}" for layer in range(found.logits.shape[1])]
    each = found.scores.exp().numpy()
    values = [
        packed(np.asarray(one[:, : len(t)])) for one, t in zip(each, found.target, strict=True)
    ]
    sides = {
        "rows": [
            [f"{name}: {_said(best)}" for name, best in zip(layers, pair, strict=True)]
            for pair in found.best
        ],
        "columns": [list(target) for target in found.target],
    }
    return Figure(
        "lens-grid",
        "Layer by layer for each pair",
        "A grid for each pair: a row a layer with what it would write, a column a token of the"
        " output, darker where the layer finds it more probable.",
        Drawing(
            "grid",
            {"rows": "target", "columns": "target", "views": [{"values": values, "each": sides}]},
        ),
        caption=f"{counted(len(values), 'pair')}, forced along the model's own output.",
    )


def _said(pieces: Sequence[str]) -> str:
    """Joins pieces, each in its own direction; as many as fit."""
    kept: list[str] = []
    for piece in pieces:
        if len(" ".join(map(visible, [*kept, piece]))) > SAID:
            return " ".join([*map(isolated, kept), "…"])
        kept.append(piece)
    return " ".join(map(isolated, kept))

"""Where in the source the model looked for each piece of its output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import torch

from seq2see.look import attribution
from seq2see.look.agreement import kendall
from seq2see.look.alignment import MEASURES, Alignment, How, align
from seq2see.nn.settings import TransformerSettings
from seq2see.report.numbers import counted, fixed, percent
from seq2see.report.packing import Array, packed
from seq2see.report.subject import Subject, mean
from seq2see.report.view import Absent, Drawing, Figure, Link, Page, table

TITLE = "Alignment"
LAYERED = ("weight", "norm")
"""Measures of one attention; the others ask the whole network."""
WHOLE = "the whole network"
"""What is asked by the measures of no single attention."""


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    crosses = attentions(subject, ".cross")
    if not crosses:
        return Absent(TITLE, _blind(subject))
    at = usual(crosses)
    return Page(
        "alignment",
        TITLE,
        "Where in the source did it look for each piece of the output?",
        _answer(subject, at),
        "A weight says where a head looked, not whether what it read there mattered: hold it"
        " against erasure. And the query of a row has not yet seen the token that it predicts.",
        (_figure(subject, crosses), _agreement(subject, at), _table(subject, at)),
    )


def _blind(subject: Subject) -> str:
    if isinstance(subject.network.settings, TransformerSettings):
        return "All heads that looked at the source were pruned."
    return (
        "The decoder has no attention: all it sees of the source is the fixed vector it starts"
        " from."
    )


def usual(crosses: Sequence[str]) -> str:
    """Chooses the attention over the source that is shown first: the last but one, or the only one.

    It is the one that `seq2see.look.alignment.align` takes.

    Args:
        crosses: those that have heads left, in the network's order.
    """
    return crosses[attribution.usual(len(crosses))]


def attentions(subject: Subject, end: str = "") -> list[str]:
    """Names the attentions that have heads left, in the network's order, by how they end."""
    values = subject.traces[0].values
    names = (name for name in values if name.endswith(".pattern") and values[name].shape[1])
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
    for at in crosses:
        heads = subject.traces[0][f"{at}.pattern"].shape[1]
        each: list[str | int] = ["mean", *range(heads)] if heads > 1 else ["mean"]
        views += [{"method": "weight", "at": at, "head": one} for one in each]
    views += [_measured(subject, "norm", at) for at in crosses]
    views += [_measured(subject, by, "") for by in MEASURES[2:]]
    first = usual(crosses)
    data = {"rows": "target", "columns": "source", "views": views, "at": first}
    return Figure(
        "grid",
        "Attention over the source",
        "A grid for each pair: a row an output piece, a column a source piece, darker where more of"
        " the row's attention went. The rows sum to 1.",
        Drawing("grid", data),
        caption="Each row belongs to the prediction of its piece. Weight and norm open at"
        f" {first}{_others(crosses)}. Norm: the length of what its heads bring from a source piece."
        " Gradient and erasure ask the whole network. Gradient: source embedding times gradient."
        " Erasure: how much less probable the piece becomes without the source piece; what makes it"
        " more probable shows as 0. Rows of these three are divided by their sums.",
    )


def _others(crosses: Sequence[str]) -> str:
    return "; the other layers are under “At”" if len(crosses) > 1 else ""


def measured(subject: Subject, by: str, at: str) -> list[Alignment]:
    """Aligns the pairs that are opened by one of the measures of `seq2see.look.alignment`.

    Args:
        subject: the model.
        by: the measure.
        at: for weight and norm, the attention; for the others, which ask the whole network, empty.
    """
    sources = [replace(subject.asked.sources[i], target="") for i in subject.numbers]
    targets = [subject.outputs[i] for i in subject.numbers]
    return align(subject.translator, sources, targets, how(subject, by, at))


def how(subject: Subject, by: str, at: str) -> How:
    """Names an attention over the source, if `at` does, by its layer as `align` counts them."""
    names = attribution.over_source(subject.network)
    return How(by=by, layer=names.index(f"{at}.pattern") if at else None)


def _measured(subject: Subject, by: str, at: str) -> dict[str, Any]:
    found = measured(subject, by, at)
    values = [packed(shares(one)) for one in found]
    sides = {"rows": [one.target for one in found], "columns": [one.source for one in found]}
    return {"method": by, "at": at or WHOLE, "values": values, "each": sides}


def shares(one: Alignment) -> Array:
    """Divides each row of an alignment by its sum; what is below 0 counts as 0."""
    matrix = one.matrix.clamp(min=0)
    divided: Array = (matrix / matrix.sum(1, keepdim=True).clamp(min=1e-12)).numpy()
    return divided


def agreements(subject: Subject, at: str) -> dict[tuple[str, str], float]:
    """Averages Kendall's tau between every two measures over the rows of all pairs.

    Args:
        subject: the model.
        at: the attention whose weights and norms are taken.
    """
    every = {by: measured(subject, by, at if by in LAYERED else "") for by in MEASURES}
    found = {}
    for first, second in combinations(MEASURES, 2):
        pairs = zip(every[first], every[second], strict=True)
        taus = torch.cat([kendall(one.matrix, other.matrix) for one, other in pairs])
        found[first, second] = float(taus.nanmean())
    return found


def _agreement(subject: Subject, at: str) -> Figure:
    found = agreements(subject, at)
    rows = [(first, second, fixed(tau)) for (first, second), tau in found.items()]
    return Figure(
        "agreement",
        "How far the four measures agree",
        f"{counted(len(rows), 'number')} from −1 to 1.",
        table=table(("measure", "and", "Kendall's tau"), rows, ("Kendall's tau",)),
        caption=f"Weight and norm are those of {at}, all its heads together; gradient and erasure"
        " ask the whole network. 1: they put the source pieces of an output piece in the same"
        " order; 0: they have nothing to do with each other. Mean over the output pieces of the"
        " pairs opened.",
        open=True,
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

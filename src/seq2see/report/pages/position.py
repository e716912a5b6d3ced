"""How a token's vector tells where it stands."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.nn.positions import Learned, Sinusoidal
from seq2see.report.charts import Axis, lines
from seq2see.report.numbers import fixed, significant, whole
from seq2see.report.packing import packed
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Drawing, Figure, Page, table

TITLE = "Positions"
SHOWN = 64
"""Positions whose code is drawn."""
COMPARED = 2000
"""Positions among which a twin is looked for."""


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    found = code(subject, COMPARED)
    if found is None:
        return Absent(
            TITLE,
            "Nothing is added to the embeddings to tell positions; the order comes from the"
            " recurrence, from rotations or penalties inside the attention, or from nothing.",
        )
    return Page(
        "positions",
        TITLE,
        "Can the network tell every position from every other?",
        _answer(found),
        "That positions can be told apart does not mean that the network is any good past the"
        " longest text it was trained on.",
        (_map(found), _products(found), _twins(found)),
    )


def code(subject: Subject, count: int) -> Float[Tensor, "position d_model"] | None:
    """Returns what is added to the embeddings of the first positions; None where nothing is."""
    module = subject.network.source.positions
    if isinstance(module, Sinusoidal):
        return module.codes(torch.arange(count), subject.network.source.table.embedding_dim)
    if isinstance(module, Learned):
        return module.table.detach()[:count].float().cpu()
    return None


def twin(vectors: Float[Tensor, "position d_model"]) -> tuple[float, int, int]:
    """Finds the two positions whose vectors lie closest; returns their distance and both."""
    distance = torch.cdist(vectors.double(), vectors.double())
    distance.fill_diagonal_(torch.inf)
    at = int(distance.argmin())
    i, j = sorted(divmod(at, len(vectors)))
    return float(distance[i, j]), i, j


def _answer(found: Tensor) -> str:
    distance, i, j = twin(found)
    typical = float(torch.cdist(found, found).mean())
    return (
        f"Yes: of {whole(len(found))} positions the closest two, {whole(i)} and {whole(j)}, are"
        f" {fixed(distance)} apart, where two positions are {fixed(typical)} apart on average."
        if distance > 1e-3
        else f"No: the positions {whole(i)} and {whole(j)} have the same code, to"
        f" {significant(distance)}."
    )


def _map(found: Tensor) -> Figure:
    part = found[:SHOWN]
    top = float(part.abs().max())
    return Figure(
        "code",
        "The code of each position",
        f"A map of {len(part)} positions from top to bottom by {part.shape[1]} features from left"
        " to right, one colour for numbers below 0 and another for those above.",
        Drawing(
            "map",
            {
                "values": packed(part.numpy(), low=-top, high=top),
                "rows": "position",
                "columns": "feature",
            },
        ),
        table(
            ("position", "norm", "first four features"),
            [
                (str(p), fixed(float(v.norm())), "  ".join(fixed(float(x)) for x in v[:4]))
                for p, v in enumerate(part[:8])
            ],
            ("position", "norm"),
        ),
        f"From −{fixed(top)} to {fixed(top)}. The table has the first eight positions.",
    )


def _products(found: Tensor) -> Figure:
    centre = min(SHOWN, len(found)) // 2
    part = found[: 2 * centre + 1]
    rows = [{"offset": p - centre, "product": float(v @ part[centre])} for p, v in enumerate(part)]
    cells = [(str(row["offset"]).replace("-", "−"), fixed(row["product"])) for row in rows]
    return Figure(
        "products",
        "Dot product by offset",
        f"A line that is highest, {fixed(max(row['product'] for row in rows))}, at offset 0 and"
        " falls to both sides.",
        lines(
            rows, Axis("offset", "offset", "d"), Axis("product", f"product with position {centre}")
        ),
        table(("offset", "product"), cells, ("offset", "product")),
        "How alike a position is to its neighbours before any projection: what a head that looks by"
        " position starts from.",
    )


def _twins(found: Tensor) -> Figure:
    counts = [n for n in (64, 256, 1000, 2000) if n <= len(found)] or [len(found)]
    rows = []
    for count in counts:
        distance, i, j = twin(found[:count])
        rows.append((whole(count), fixed(distance, 3), f"{whole(i)} and {whole(j)}"))
    even = math.sqrt(2 * found.shape[1])
    return Figure(
        "twins",
        "Nearest twins",
        f"Numbers for {len(rows)} lengths.",
        table=table(("positions", "smallest distance", "between"), rows, ("positions",)),
        caption=f"For comparison: two vectors of independent features of size 1 lie about"
        f" {fixed(even)} apart.",
    )

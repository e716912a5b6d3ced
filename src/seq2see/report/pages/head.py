"""One head opened: how queries and keys make its weights, and what it hands on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from seq2see.look.trace import Trace
from seq2see.nn.attention import MultiHeadAttention, attention_weights
from seq2see.nn.masks import causal
from seq2see.nn.positions import rotate
from seq2see.nn.settings import TransformerSettings
from seq2see.report.numbers import counted, fixed, percent
from seq2see.report.packing import packed_signed
from seq2see.report.pages.alignment import attentions
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Drawing, Figure, Page, table

TITLE = "Head card"
BUDGET = 1_500_000
"""Bytes of queries and keys that a report carries at most."""
WRITTEN = 5
"""Tokens that are shown of what a head writes."""


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    if not isinstance(subject.network.settings, TransformerSettings):
        return Absent(TITLE, "A recurrent network has no heads; its gates are opened instead.")
    if not any(learned(subject, at) for at in attentions(subject)):
        return Absent(TITLE, "No head has a query and a key: all are fixed to a role, or pruned.")
    cards = _within(subject)
    if not cards:
        return Absent(TITLE, "The queries and keys of a single pair would fill megabytes.")
    return Page(
        "head",
        TITLE,
        "How do a query and the keys make the weights, and what does √dₖ do?",
        _answer(subject),
        "The network was trained with its own scale: one that had been trained with another would"
        " have learnt other queries and keys.",
        (_figure(subject, cards), _saturation(subject)),
    )


def _within(subject: Subject) -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = []
    size = 0
    for seen in subject.traces:
        card = {at: opened(subject, seen, at) for at in attentions(subject) if learned(subject, at)}
        size += sum(len(one[key]["data"]) for one in card.values() for key in ("q", "k"))
        if size > BUDGET:
            break
        cards.append(card)
    return cards


def learned(subject: Subject, at: str) -> tuple[int, ...]:
    """Lists the heads of an attention that have a query and a key: all but those that are fixed."""
    layer = subject.network.get_submodule(at)
    assert isinstance(layer, MultiHeadAttention)
    programme = layer.programme
    return tuple(range(layer.sizes.heads)) if programme is None else programme.learned


def opened(subject: Subject, seen: Trace, at: str) -> dict[str, Any]:
    """Opens the heads of an attention for one pair.

    Args:
        subject: the model.
        seen: the trace of one pair.
        at: the attention.

    Returns:
        Queries and keys as they are multiplied, the norm of each value, what is added to the
        scores, and for a decoder's attention the tokens that each head speaks for.
    """
    layer = subject.network.get_submodule(at)
    assert isinstance(layer, MultiHeadAttention)
    q, k = compared(subject, seen, at)
    rest = seen[f"{at}.scores"][0] - layer.scale * q @ k.mT
    card: dict[str, Any] = {
        "heads": learned(subject, at),
        "q": packed_signed(q.numpy()),
        "k": packed_signed(k.numpy()),
        "scale": layer.scale,
        "causal": at.startswith("decoder") and at.endswith(".self"),
        "v": packed_signed(seen[f"{at}.v"][0].norm(dim=-1).numpy()),
    }
    if float(rest.abs().max()) > 1e-3:
        card["bias"] = packed_signed(rest.numpy())
    if at.startswith("decoder"):
        card["writes"] = _written(subject, layer, seen[f"{at}.context"][0])
    return card


def compared(subject: Subject, seen: Trace, at: str) -> tuple[Tensor, Tensor]:
    """Returns queries and keys `[head, position, d_key]` as they are multiplied with each other."""
    q, k = seen[f"{at}.q"][0], seen[f"{at}.k"][0]
    settings = subject.network.settings
    assert isinstance(settings, TransformerSettings)
    if settings.positions == "rotary" and at.endswith(".self"):
        q, k = rotate(q, 0), rotate(k, 0)
    return q, k.repeat_interleave(len(q) // len(k), dim=0)


def _written(subject: Subject, layer: MultiHeadAttention, context: Tensor) -> dict[str, Any]:
    r"""Finds the tokens whose output vectors lie most in the direction that a head writes.

    $$E\,(c_h W_O^{(h)})$$
    """
    sizes, network = layer.sizes, subject.network
    with torch.no_grad():
        whole = torch.eye(sizes.heads * sizes.d_value)
        matrix = layer.output.weight.float().cpu() if sizes.projections else whole
        each = matrix.unflatten(1, (sizes.heads, sizes.d_value))  # d_model head d_value
        vectors = torch.einsum("hqv,mhv->hqm", context, each)
        logits = vectors @ network.output.weight.float().cpu().T  # head query vocabulary
        logits = logits - logits.mean(-1, keepdim=True)
        best = logits.topk(min(WRITTEN, logits.shape[-1]), dim=-1)
    target = subject.translator.tokenizers.target
    ids = best.indices.unique().tolist()
    place = {i: at for at, i in enumerate(ids)}
    return {
        "names": [target.piece(i) for i in ids],
        "tokens": [[[place[i] for i in row] for row in head] for head in best.indices.tolist()],
        "logits": packed_signed(best.values.numpy()),
    }


def largest(subject: Subject, factor: float) -> float:
    """Averages the largest weight of a row over all heads and pairs, with scores times `factor`."""
    found: list[float] = []
    for seen in subject.traces:
        for at in attentions(subject):
            if not learned(subject, at):
                continue
            scores = seen[f"{at}.scores"] * factor
            mask = torch.ones(1, 1, *scores.shape[2:], dtype=torch.bool)
            if at.startswith("decoder") and at.endswith(".self"):
                mask = causal(scores.shape[2], scores.shape[3], scores.device)
            found += attention_weights(scores, mask).amax(-1).flatten().tolist()
    return float(np.mean(found))


def _answer(subject: Subject) -> str:
    settings = subject.network.settings
    assert isinstance(settings, TransformerSettings)
    root = settings.head_sizes.d_key**0.5
    now = percent(largest(subject, 1.0))
    if not settings.scaled:
        return (
            f"This network does not divide by √dₖ = {fixed(root)}: the largest weight of a row is"
            f" {now} on average, and with the division it would be"
            f" {percent(largest(subject, 1 / root))}."
        )
    return (
        f"With scores divided by √dₖ = {fixed(root)}, the largest weight of a row is {now} on"
        f" average; with the same queries and keys undivided it would be"
        f" {percent(largest(subject, root))}."
    )


def _figure(subject: Subject, cards: list[dict[str, Any]]) -> Figure:
    some = (
        ""
        if len(cards) == len(subject.traces)
        else (
            f" To keep the file small, {counted(len(cards), 'pair')} of {len(subject.traces)} can"
            " be opened here."
        )
    )
    return Figure(
        "head-card",
        "One query of one head",
        "For each key a row: the products of query and key feature by feature as bars, their sum,"
        " the weights before and after the scale, and the size of the value.",
        Drawing("head", {"cards": cards}),
        caption="Bars: query times key, feature by feature, to one scale for all keys. Norm of v:"
        " how much there is to read. What it writes: the tokens whose output vectors point most in"
        f" the direction of the head's output, before the final norm.{some}",
    )


def _saturation(subject: Subject) -> Figure:
    settings = subject.network.settings
    assert isinstance(settings, TransformerSettings)
    root = settings.head_sizes.d_key**0.5
    own = 1 / root if settings.scaled else 1.0
    factors = [own / 4, own / 2, own, own * 2, own * 4] + [1.0] * settings.scaled
    rows = [
        (fixed(factor, 3), fixed(largest(subject, factor / own), 3), "its own" * (factor == own))
        for factor in sorted(set(factors))
    ]
    heads = ("scale", "largest weight", "")
    return Figure(
        "saturation",
        "Largest weight by scale",
        f"Numbers for {len(rows)} scales.",
        table=table(heads, rows, heads[:2]),
        caption="Mean over all heads, queries and pairs opened. 1.000 is the plain dot product.",
    )

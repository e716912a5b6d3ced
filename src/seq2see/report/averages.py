"""What each head does on the average of many pairs, whatever their lengths."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.data.tokenizers import PAD
from seq2see.decode.score import Given, side_by_side
from seq2see.look.capture import capture
from seq2see.look.forced import force
from seq2see.look.names import Site, sites
from seq2see.report.subject import Subject

BINS = 16
"""Shares of a text's length into which positions are gathered."""


@dataclass(frozen=True, eq=False)
class Average:
    """The mean pattern of an attention's heads.

    Args:
        maps: the mean weight from each share of the queries to each share of the keys,
            `[head, share, share]`; a row sums to 1 where it has queries.
        largest: the mean over queries of their largest weight, `[head]`.
        even: the mean over queries of 1 / keys they may see.
    """

    maps: Float[Tensor, "head share share"]
    largest: Float[Tensor, " head"]
    even: float


def averages(subject: Subject, bins: int = BINS) -> dict[str, Average]:
    """Averages every pattern over pairs forced along their references.

    Args:
        subject: whose `averaged` pairs are read.
        bins: shares of the length.

    Returns:
        By the attention's name, in the network's order.
    """
    watched = [s for s in sites(subject.network).values() if s.last == "pattern"]
    sums = {site.name: _Sum(site, bins) for site in watched}
    if not watched or not subject.averaged:
        return {}
    forced = force(subject.translator, subject.averaged)
    budget = subject.translator.options.batch_tokens
    for given in side_by_side(subject.network, forced.sources, forced.targets, budget):
        captured, _ = capture(subject.network, given, watched)
        for site in watched:
            sums[site.name].add(captured[site.name][0], given)
    return {name.removesuffix(".pattern"): each.mean() for name, each in sums.items()}


class _Sum:
    """Adds up the patterns of one attention."""

    def __init__(self, site: Site, bins: int) -> None:
        self.sides, self.bins = site.axes[2:], bins
        self.causal = self.sides == ("target", "target")
        self.maps = torch.zeros(site.heads, bins, bins)
        self.rows = torch.zeros(bins)
        self.largest, self.even = torch.zeros(site.heads), 0.0

    def add(self, pattern: Float[Tensor, "row head query key"], given: Given) -> None:
        lengths = {"source": given.real.sum(1), "target": (given.wanted != PAD).sum(1)}
        counts = zip(*(lengths[side].tolist() for side in self.sides), strict=True)
        for weights, (queries, keys) in zip(pattern, counts, strict=True):
            part = weights[:, :queries, :keys].float().cpu()  # head query key
            left, right = _shares(queries, self.bins), _shares(keys, self.bins)
            self.maps += left.T @ part @ right
            self.rows += left.sum(0)
            self.largest += part.amax(-1).sum(-1)
            seen = torch.arange(1, queries + 1) if self.causal else torch.tensor([keys] * queries)
            self.even += float((1 / seen).sum())

    def mean(self) -> Average:
        total = self.rows.sum().clamp(min=1)
        maps = self.maps / self.rows.clamp(min=1)[:, None]
        return Average(maps, self.largest / total, self.even / float(total))


def _shares(length: int, bins: int) -> Float[Tensor, "position share"]:
    r"""Spreads each position over the shares it covers, so that its row sums to 1."""
    edges = torch.arange(bins + 1) * length / bins
    left, right = edges[:-1], edges[1:]
    start = torch.arange(length)[:, None]
    return (torch.minimum(start + 1, right) - torch.maximum(start, left)).clamp(min=0)

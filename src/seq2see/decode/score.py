"""Forced scoring: how probable a network finds targets that are given to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seq2see.data.tokenizers import END, PAD, START
from seq2see.decode.ensemble import Ensemble, mean_probability
from seq2see.decode.hypothesis import Hypothesis
from seq2see.decode.request import by_length, pad
from seq2see.nn.network import Network

Ids = Sequence[int]

CHUNK = 1024
"""Tokens whose distributions over the vocabulary are held in memory at a time."""


@dataclass(frozen=True)
class Given:
    """Sources and their given targets side by side.

    Args:
        rows: where each stands among all.
        source: token ids, right-padded.
        real: False at padding of the source.
        read: what the decoder reads, start mark first.
        wanted: what it has to predict, right-padded.
    """

    rows: list[int]
    source: Int[Tensor, "row source"]
    real: Bool[Tensor, "row source"]
    read: Int[Tensor, "row target"]
    wanted: Int[Tensor, "row target"]


@torch.inference_mode()
def score_targets(
    network: Network | Ensemble,
    sources: Sequence[Ids],
    targets: Sequence[Ids],
    batch_tokens: int = 8192,
) -> list[Hypothesis]:
    r"""Scores each target token given those before it, all at once.

    $$\ln p(y \mid x) = \sum_t \ln p(y_t \mid y_{<t}, x)$$

    Args:
        network: in evaluation mode.
        sources: token ids, end mark last.
        targets: one or more token ids each; those that end in the end mark count as finished.
        batch_tokens: padded tokens of the longer side that are read at a time.
    """
    results: dict[int, Hypothesis] = {}
    for given in side_by_side(network, sources, targets, batch_tokens):
        scores = _scores(network, given).split([len(targets[row]) for row in given.rows])
        for row, each in zip(given.rows, scores, strict=True):
            ids = tuple(targets[row])
            results[row] = Hypothesis(ids, tuple(each.tolist()), ids[-1] == END)
    return [results[row] for row in range(len(targets))]


def side_by_side(
    network: Network | Ensemble, sources: Sequence[Ids], targets: Sequence[Ids], budget: int
) -> Iterator[Given]:
    """Lays pairs of similar length side by side, on the network's device."""
    device = next(network.parameters()).device
    pairs = zip(sources, targets, strict=True)
    for rows in by_length([max(map(len, pair)) for pair in pairs], budget):
        source, real = pad([sources[row] for row in rows], device)
        wanted, _ = pad([targets[row] for row in rows], device)
        start = torch.full((len(rows), 1), START, device=device)
        read = torch.cat([start, wanted[:, :-1]], dim=1)
        yield Given(rows, source, real, read, wanted)


def members(network: Network | Ensemble) -> list[Network]:
    """Lists the networks that predict."""
    return network.networks() if isinstance(network, Ensemble) else [network]


def _scores(network: Network | Ensemble, given: Given) -> Float[Tensor, " token"]:
    """Returns the log-probability of every token wanted, one target after the other."""
    real = given.wanted != PAD
    wanted = given.wanted[real].split(CHUNK)
    each = members(network)
    hidden = [one(given.source, given.real, given.read)[real].split(CHUNK) for one in each]
    scores = []
    for ids, *chunks in zip(wanted, *hidden, strict=True):
        logits = (one.logits(chunk) for one, chunk in zip(each, chunks, strict=True))
        mean = mean_probability([one.log_softmax(-1) for one in logits])
        scores.append(mean.gather(1, ids[:, None])[:, 0])
    return torch.cat(scores)

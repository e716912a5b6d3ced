"""Guided heads: a loss beside the network's own pulls a head's pattern towards its role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from seq2see.data.batches import Batch
from seq2see.data.tokenizers import PAD
from seq2see.errors import TrainingError
from seq2see.nn.hooks import Hooks, hooked
from seq2see.nn.masks import causal
from seq2see.nn.network import Network
from seq2see.nn.places import SOURCE, Places, Reading, in_source
from seq2see.nn.plan import HeadRole
from seq2see.nn.roles import LINKS
from seq2see.nn.settings import TransformerSettings
from seq2see.nn.sides import normalised
from seq2see.nn.state import TensorState


class Guide:
    """The guided heads of a network.

    Args:
        network: the network; without guided heads there is nothing to do, and nothing is done.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        settings = network.settings
        heads = settings.roles if isinstance(settings, TransformerSettings) else ()
        self.heads = [each for each in heads if each.how == "guided"]
        self.ratio = getattr(settings, "length_ratio", 0.0) or 1.0

    def lesson(self, group: Sequence[Batch], step: int) -> Lesson | None:
        """Prepares an update; None where no head is guided in it.

        Args:
            group: all batches of the update, those of other processes included.
            step: the update's number, from 1.

        Raises:
            TrainingError: a head is guided by links, and the pairs have none.
        """
        heads = [each for each in self.heads if not each.until or step <= each.until]
        if not heads:
            return None
        # As the loss of tokens is divided once by all tokens of the update, so is each head's by
        # all of its guided queries: it does not change with the batches that share the update.
        counts = [
            sum(int(wanted(each, batch, self.ratio).any(-1).sum()) for batch in group)
            for each in heads
        ]
        return Lesson(self.network, tuple(zip(heads, counts, strict=True)), self.ratio)


@dataclass(frozen=True)
class Lesson:
    """The guidance of one update.

    Args:
        network: whose heads are guided.
        heads: each with how many of its queries are guided in the update.
        ratio: target tokens for one source token.
    """

    network: Network
    heads: tuple[tuple[HeadRole, int], ...]
    ratio: float

    @contextmanager
    def watching(self) -> Iterator[dict[str, Tensor]]:
        """Collects the patterns of guided attentions while the network reads a batch."""
        seen: dict[str, Tensor] = {}
        names = sorted({each.at for each, _ in self.heads})
        taps = [self.network.get_submodule(f"{name}.pattern") for name in names]

        def keeping(name: str, value: Tensor) -> None:
            seen[name] = value

        after = [
            (tap, lambda value, name=name: keeping(name, value))
            for name, tap in zip(names, taps, strict=True)
        ]
        with hooked(Hooks(after)):
            yield seen

    def loss(self, patterns: dict[str, Tensor], batch: Batch) -> Float[Tensor, ""]:
        r"""Returns a batch's part of the guided loss, in nats.

        $$\mathrm{links:}\ -\lambda \frac{1}{N} \sum_i \sum_j L_{ij} \log A_{ij} \qquad
          \mathrm{others:}\ -\lambda \frac{1}{N} \sum_i
          \log \frac{\sum_j A_{ij} R_{ij}}{\max_j R_{ij}}$$

        with A the head's pattern, L the links of a target token, divided by their number, R the
        role's matrix where the query may look, λ the head's weight, and N the guided queries of the
        update: the real ones for which L or R is not empty.
        Source: links: Garg et al. 2019, section 3.2, eq. 6; roles: Deshpande and Narasimhan 2020.

        Args:
            patterns: what `watching` collected while the network read the batch.
            batch: the batch.
        """
        parts = []
        for each, count in self.heads:
            weights = wanted(each, batch, self.ratio)
            guided = weights.any(-1)
            pattern = patterns[each.at][:, each.head].float()[guided]  # query key
            found = _logarithms(pattern, weights[guided], links=each.role == LINKS)
            parts.append(-each.weight / max(1, count) * found.sum())
        return torch.stack(parts).sum()


def wanted(each: HeadRole, batch: Batch, ratio: float) -> Float[Tensor, "row query key"]:
    """Returns the weights that a head is pulled towards; rows of zeros where it is left alone."""
    real = (batch.real if each.at.startswith("encoder.") else batch.wanted != PAD)[..., None]
    if each.role == LINKS:
        return _linked(each, batch) * real
    places, mask = _places(each.at, batch, ratio)
    return each.function(places.q, places.k) * mask * real


def _places(at: str, batch: Batch, ratio: float) -> tuple[Places, Bool[Tensor, "#row #query key"]]:
    if at.startswith("encoder."):
        return in_source(batch.source, batch.real), batch.real[:, None]
    state = TensorState(0, {"real": batch.real, SOURCE: batch.source}, {})
    count = batch.target.shape[1]
    reading = Reading(state, batch.target, count, ratio)
    if at.endswith(".cross"):
        return reading.cross, batch.real[:, None]
    return reading.own, causal(count, count, batch.target.device)[0]


def _linked(each: HeadRole, batch: Batch) -> Tensor:
    if batch.links is None:
        raise TrainingError(
            "a head is guided by links, and the pairs have none",
            where=f"model.roles, head {each.head} of {each.at}",
            mend="Name a file of links as data.links",
        )
    weights = torch.zeros(*batch.target.shape, batch.source.shape[1], device=batch.source.device)
    row, target, source = batch.links.unbind(1)
    # A token is read one step after it was predicted; the end mark, which has no link, is not read.
    weights[row, target + each.shift, source] = 1.0
    return normalised(weights, batch.real[:, None])


def _logarithms(
    pattern: Float[Tensor, "query key"], weights: Float[Tensor, "query key"], *, links: bool
) -> Float[Tensor, " query"]:
    least = torch.finfo(pattern.dtype).tiny  # a weight that came out as 0 has a logarithm too
    if links:
        return (weights * pattern.clamp(min=least).log()).sum(-1)
    mass = (pattern * weights).sum(-1) / weights.amax(-1)
    return mass.clamp(min=least).log()

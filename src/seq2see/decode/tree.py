"""How a beam search came to its result: what it weighed at every step, what it kept and dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.data.rows import Pair
from seq2see.data.tokenizers import END
from seq2see.decode.beam import Beam, largest
from seq2see.decode.generate import evaluating
from seq2see.decode.hypothesis import Hypothesis
from seq2see.decode.request import lay
from seq2see.decode.rules import NEVER, Rules, Unwritable
from seq2see.decode.search import Choices, Live, search
from seq2see.decode.translate import Translator
from seq2see.errors import DecodingError

Fate = Literal["kept", "ended", "dropped"]

SHOWN = 5
"""Tokens of a distribution that are kept, the most probable ones."""


@dataclass(frozen=True)
class Way:
    """One way to go on that the search weighed.

    Args:
        parent: which of the step's hypotheses it continues.
        token: the id that would come next.
        score: its log-probability, in nats.
        total: that of the whole hypothesis with it.
        fate: `kept` in the beam, `ended` with its end mark, or `dropped` for better ones.
    """

    parent: int
    token: int
    score: float
    total: float
    fate: Fate


@dataclass(frozen=True)
class Step:
    """What a search saw before it chose the token of one position.

    Args:
        hypotheses: the ids of each one in the beam, best first.
        totals: their log-probabilities, in nats.
        likely: for each, the most probable tokens with their log-probabilities.
        ways: what was weighed, best first: twice as many as the beam is wide, at most.
    """

    hypotheses: tuple[tuple[int, ...], ...]
    totals: tuple[float, ...]
    likely: tuple[tuple[tuple[int, float], ...], ...]
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Tree:
    """A search of one source.

    Args:
        steps: one a target position.
        found: what came of it, best first.
    """

    steps: tuple[Step, ...]
    found: tuple[Hypothesis, ...]


class Recorder:
    """Chooses as a beam does, and notes what it chose from."""

    def __init__(self, beam: Beam) -> None:
        self.beam = beam
        self.seen: list[tuple[Live, Choices, tuple[Tensor, Tensor]]] = []

    @property
    def width(self) -> int:
        """Hypotheses that are followed at a time."""
        return self.beam.width

    def choose(self, scores: Float[Tensor, "row width vocabulary"], live: Live) -> Choices:
        """Finds the ways to go on; see `Beam.choose`."""
        choices = self.beam.choose(scores, live)
        self.seen.append((live, choices, largest(scores, min(SHOWN, scores.shape[2]))))
        return choices


@torch.inference_mode()
def grow(translator: Translator, pair: Pair) -> Tree:
    """Searches for the target of one source and keeps what the search weighed.

    It is the search of `Translator.translate`, so that it ends with the same hypotheses.

    Args:
        translator: the model; its options give the width of the beam.
        pair: the source, with its features.

    Returns:
        A tree without steps where the source has no text.

    Raises:
        DecodingError: the source is too long under `strict`; or the search has a shortlist, whose
            candidates are not shown: leave it out.
    """
    if translator.shortlist is not None:
        raise DecodingError(
            "a search among a shortlist's candidates",
            expected="one of the whole vocabulary",
            where="shortlist",
            mend="Leave the shortlist out",
        )
    requests = list(translator.requests([pair]).values())
    if not requests:
        return Tree((), ())
    network, options = translator.network, translator.options
    recorder = Recorder(Beam(options.beam))
    group = lay(requests, next(iter(network.parameters())).device)
    rules = Rules(group, Unwritable.of(translator.tokenizers.target), options.no_repeat_ngram)
    with evaluating(network):
        [found] = search(network, group, rules, recorder, options)
    every = [_ids(live) for live, _, _ in recorder.seen]
    after = [*every[1:], [one.ids for one in found if not one.finished]]
    each = zip(recorder.seen, after, strict=True)
    return Tree(tuple(_step(*seen, set(kept), recorder.width) for seen, kept in each), tuple(found))


def _ids(live: Live) -> list[tuple[int, ...]]:
    """Lists the hypotheses of the first row that are possible, without their start mark."""
    alive = (live.total[0] > NEVER).tolist()
    rows = live.tokens[0, :, 1:].tolist()
    return [tuple(ids) for ids, possible in zip(rows, alive, strict=True) if possible]


def _step(
    live: Live,
    choices: Choices,
    likely: tuple[Tensor, Tensor],
    kept: set[tuple[int, ...]],
    width: int,
) -> Step:
    hypotheses = _ids(live)
    best = [
        tuple(zip(ids, scores, strict=True))
        for scores, ids in zip(likely[0][0].tolist(), likely[1][0].tolist(), strict=True)
    ]
    return Step(
        tuple(hypotheses),
        tuple(live.total[0, : len(hypotheses)].tolist()),
        tuple(best[: len(hypotheses)]),
        tuple(_ways(choices, hypotheses, kept, width)),
    )


def _ways(
    choices: Choices, hypotheses: list[tuple[int, ...]], kept: set[tuple[int, ...]], width: int
) -> list[Way]:
    each = (choices.parent, choices.token, choices.score, choices.total)
    ways = []
    for rank, (parent, token, score, total) in enumerate(
        zip(*(x[0].tolist() for x in each), strict=True)
    ):
        if total == NEVER or parent >= len(hypotheses):
            continue
        fate: Fate = "kept" if (*hypotheses[parent], token) in kept else "dropped"
        if token == END:
            fate = "ended" if rank < width else "dropped"
        ways.append(Way(parent, token, score, total, fate))
    return ways

"""The loop that every search shares: step, choose, finish, go on with what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seq2see.data.tokenizers import END, START
from seq2see.decode.hypothesis import Hypothesis, ranked
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Group
from seq2see.decode.rules import NEVER, Rules
from seq2see.nn.state import State


@runtime_checkable
class Searchable(Protocol):
    """All that a search knows of a network; an ensemble offers the same."""

    def encode(self, source: Tensor, real: Tensor) -> Any:
        """Reads the sources; `real` is False at padding."""

    def start(self, memory: Any) -> Any:
        """Returns the `State` before the first token."""

    def advance(self, tokens: Tensor, state: Any) -> tuple[Any, Any]:
        """Reads one token a row; returns what `predictions` scores, and the next `State`."""

    def predictions(self, hidden: Any, width: int = 1) -> Iterator[Tensor]:
        """Yields logits of some rows at a time, `[part, vocabulary]`; `width` stay together."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yields the parameters, whose device the search works on."""


@dataclass(frozen=True)
class Live:
    """The hypotheses that still grow: as many of each row.

    Args:
        row: the row of the group each belongs to.
        tokens: ids so far, start mark first.
        scores: log-probability of each token; 0 for the start mark.
        total: their sum; minus infinity where a row has fewer hypotheses than others.
    """

    row: Int[Tensor, " row"]
    tokens: Int[Tensor, "row width step"]
    scores: Float[Tensor, "row width step"]
    total: Float[Tensor, "row width"]

    @classmethod
    def first(cls, rows: int, device: torch.device) -> Live:
        """Begins every row with one hypothesis that holds the start mark alone."""
        tokens = torch.full((rows, 1, 1), START, device=device)
        zeros = torch.zeros((rows, 1, 1), device=device)
        return cls(torch.arange(rows, device=device), tokens, zeros, zeros[:, :, 0])

    def keep(self, rows: Int[Tensor, " kept"] | slice) -> Live:
        """Takes the given rows."""
        return Live(self.row[rows], self.tokens[rows], self.scores[rows], self.total[rows])

    def grown(self, choices: Choices) -> Live:
        """Appends each choice to the hypothesis it grows from."""
        past = choices.parent[:, :, None].expand(-1, -1, self.tokens.shape[2])
        tokens = torch.cat([self.tokens.gather(1, past), choices.token[:, :, None]], dim=2)
        scores = torch.cat([self.scores.gather(1, past), choices.score[:, :, None]], dim=2)
        return Live(self.row, tokens, scores, choices.total)


@dataclass(frozen=True)
class Choices:
    """Ways to go on, best first.

    Args:
        parent: the hypothesis of the row that it continues.
        token: the id that comes next.
        score: its log-probability.
        total: that of the whole hypothesis, which the choices are sorted by.
    """

    parent: Int[Tensor, "row choice"]
    token: Int[Tensor, "row choice"]
    score: Float[Tensor, "row choice"]
    total: Float[Tensor, "row choice"]

    @classmethod
    def joined(cls, parts: Sequence[Choices]) -> Choices:
        """Puts the rows of several parts together."""
        if len(parts) == 1:
            return parts[0]
        names = ("parent", "token", "score", "total")
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in names))

    def first(self, count: int) -> Choices:
        """Takes the best of each row."""
        each = (self.parent, self.token, self.score, self.total)
        return Choices(*(values[:, :count] for values in each))

    def take(self, choice: Int[Tensor, "row taken"]) -> Choices:
        """Takes the given choices of each row."""
        each = (self.parent, self.token, self.score, self.total)
        return Choices(*(values.gather(1, choice) for values in each))


@runtime_checkable
class Chooser(Protocol):
    """How a search goes on: by beam or by chance."""

    @property
    def width(self) -> int:
        """Hypotheses of a row that are followed at a time."""

    def choose(self, scores: Float[Tensor, "row width vocabulary"], live: Live) -> Choices:
        """Finds the best ways to go on.

        Args:
            scores: log-probability of each next token; minus infinity where the rules forbid it,
                whose share no other token gets.
            live: the hypotheses to continue.
        """


class Found:
    """The hypotheses of a group that are complete, and what they tell about when to stop."""

    def __init__(self, group: Group, options: SearchOptions, width: int) -> None:
        self.options, self.width = options, width
        self.limit = group.limit
        self.hypotheses: list[list[Hypothesis]] = [[] for _ in range(len(group.limit))]
        self.count = torch.zeros_like(group.limit)
        # Sampling finds one hypothesis a row, whatever number of samples a source has.
        best = min(options.nbest, width)
        self.best = torch.full((len(group.limit), best), NEVER, device=group.limit.device)

    def add(self, live: Live, which: Bool[Tensor, "row width"], *, finished: bool) -> None:
        """Takes over the chosen hypotheses."""
        rows = live.row[which.nonzero()[:, 0]].tolist()
        tokens, scores = live.tokens[which][:, 1:].tolist(), live.scores[which][:, 1:].tolist()
        for row, ids, token_scores in zip(rows, tokens, scores, strict=True):
            self.hypotheses[row].append(Hypothesis(tuple(ids), tuple(token_scores), finished))
        if finished:
            length = live.tokens.shape[2] - 1
            scored = (live.total / length**self.options.length_penalty).masked_fill(~which, NEVER)
            self.count[live.row] += which.sum(1)
            both = torch.cat([self.best[live.row], scored], dim=1)
            self.best[live.row] = both.topk(self.best.shape[1], dim=1).values

    def done(self, live: Live) -> Bool[Tensor, " row"]:
        """Tells which rows can stop.

        A row stops when no living hypothesis can come to stand among the best: its score only
        falls, and is divided by the limit's power at most. Once as many have ended as the beam is
        wide, it is enough that no living one, as it stands, is better than the best that have.
        """
        length, penalty = live.tokens.shape[2] - 1, self.options.length_penalty
        living, worst = live.total[:, 0], self.best[live.row, -1]
        hopeless = worst >= living / self.limit[live.row] ** penalty
        behind = worst >= living / length**penalty
        full: Tensor = self.count[live.row] >= self.width
        return hopeless | (full & behind) | (living == NEVER)


def search(
    network: Searchable, group: Group, rules: Rules, chooser: Chooser, options: SearchOptions
) -> list[list[Hypothesis]]:
    """Decodes a group; rows that are done leave it.

    Returns:
        A list for each row, best first, of `options.nbest` hypotheses at most. Those cut at the
        limit come after those that ended.
    """
    state: State = network.start(network.encode(group.source, group.real))
    live = Live.first(len(group.source), group.source.device)
    found = Found(group, options, chooser.width)
    while len(live.row):
        width = live.tokens.shape[1]
        hidden, state = network.advance(live.tokens[:, :, -1].flatten(), state)
        choices = _choices(network.predictions(hidden, width), rules, chooser, live)
        live, parent = _advance(live, choices, found)
        kept = (~found.done(live)).nonzero()[:, 0]
        rows = (kept[:, None] * width + parent[kept]).flatten()
        live = live.keep(kept)
        state = state.select(rows, parent.shape[1])
    return [ranked(each, options.length_penalty)[: options.nbest] for each in found.hypotheses]


def _choices(predictions: Iterator[Tensor], rules: Rules, chooser: Chooser, live: Live) -> Choices:
    """Finds the ways to go on of all rows, part by part."""
    found, begin, width = list[Choices](), 0, live.tokens.shape[1]
    for logits in predictions:
        end = begin + len(logits) // width
        part = live if end - begin == len(live.row) else live.keep(slice(begin, end))
        wide = torch.promote_types(logits.dtype, torch.float32)
        scores = torch.log_softmax(logits, -1, dtype=wide)
        rules.apply(scores, part.row.repeat_interleave(width), part.tokens.flatten(0, 1))
        found.append(chooser.choose(scores.unflatten(0, (-1, width)), part))
        begin = end
    return Choices.joined(found)


def _advance(live: Live, choices: Choices, found: Found) -> tuple[Live, Tensor]:
    """Hands what has ended to `found`; returns the rest, and the hypothesis each grew from."""
    ending = choices.token == END
    width = min(found.width, choices.token.shape[1])
    best = choices.first(width)
    ended = (best.token == END) & (best.total > NEVER)
    if ended.any():
        found.add(live.grown(best), ended, finished=True)
    going = choices.total.masked_fill(ending, NEVER).topk(width, dim=1)
    rest = choices.take(going.indices)
    grown = live.grown(replace(rest, total=going.values))
    full = (found.limit[grown.row] == grown.tokens.shape[2] - 1)[:, None]
    if full.any():
        found.add(grown, full & (grown.total > NEVER), finished=False)
    return replace(grown, total=grown.total.masked_fill(full, NEVER)), rest.parent

"""How a run is judged: the same search and the same scorer as `evaluate`, on held-out text."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from seq2see.data.pairs import Pair
from seq2see.data.store import Tokenizers
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import Translator
from seq2see.evaluate.metrics import Score, evaluate, group_references
from seq2see.evaluate.suitable import suitable
from seq2see.nn.network import Network
from seq2see.recipe.sections import DecodeSettings


def search_options(decode: DecodeSettings, **changes: Any) -> SearchOptions:
    """Returns the options of a recipe's own search, with changes."""
    return SearchOptions(**{**asdict(decode), **changes})


@dataclass(frozen=True)
class Examination:
    """A set of sources, each with its references.

    Args:
        sources: one pair a distinct source, or one a line; its target is the first reference.
        references: the targets that the source stands with, at least one.
        metrics: names of the metrics, the deciding one first.
        blank: pairs without text on either side, which ask nothing and are not among the sources.
    """

    sources: list[Pair]
    references: list[list[str]]
    metrics: tuple[str, ...]
    blank: int = 0

    @classmethod
    def of(
        cls, pairs: Sequence[Pair], metrics: Sequence[str], *, each_line: bool = False
    ) -> Examination:
        """Groups the references of each source, features counted as part of the source.

        Under `each_line` nothing is grouped: each line has its own target as its one reference.
        """
        asked = [pair for pair in pairs if pair.source.strip() or pair.target.strip()]
        sources = [(pair.source, pair.features) for pair in asked]
        keys: Sequence[Hashable] = range(len(asked)) if each_line else sources
        first, references = group_references(keys, [pair.target for pair in asked])
        blank = len(pairs) - len(asked)
        return cls([asked[i] for i in first], references, tuple(metrics), blank)

    def part(self, count: int) -> Examination:
        """Takes `count` sources at even distances; 0 takes all."""
        total = len(self.sources)
        taken = min(count, total) or total
        chosen = [i * total // taken for i in range(taken)]
        return Examination(
            [self.sources[i] for i in chosen], [self.references[i] for i in chosen], self.metrics
        )

    def score(self, outputs: Sequence[str], resamples: int = 1000) -> list[Score]:
        """Scores one output a source by every metric."""
        return evaluate(outputs, self.references, self.metrics, resamples=resamples)


def examine_by(
    dev: Sequence[Pair], metrics: Sequence[str] = (), *, each_line: bool = False
) -> Examination:
    """Groups held-out pairs by source, or takes each line alone, under the metrics that suit."""
    chosen = metrics or suitable([p.source for p in dev], [p.target for p in dev])
    return Examination.of(dev, chosen, each_line=each_line)


def outputs(
    network: Network,
    tokenizers: Tokenizers,
    pairs: Sequence[Pair],
    options: SearchOptions,
    target_ratio: float = 0.0,
) -> list[str]:
    """Decodes every source and returns the best text of each."""
    translator = Translator([network], tokenizers, options, target_ratio=target_ratio)
    return [nbest[0].text for nbest in translator.translate(pairs)]


@torch.no_grad()
def put(network: Network, weights: dict[str, Tensor]) -> Network:
    """Copies averaged weights into a network and returns it."""
    for name, parameter in network.named_parameters():
        parameter.copy_(weights[name])
    return network

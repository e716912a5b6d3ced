"""From texts to the ids that a network is forced along, and to the pieces that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from seq2see.data.rows import Pair, Texts, as_pairs
from seq2see.data.store import Tokenizers
from seq2see.data.tokenizers import SPECIALS, START
from seq2see.decode.score import Given, side_by_side
from seq2see.decode.translate import Translator
from seq2see.errors import DataError, DecodingError
from seq2see.nn.network import Network


@dataclass(frozen=True)
class Forced:
    """Pairs along which a network is forced.

    Args:
        sources: token ids, end mark last.
        targets: token ids; the decoder reads the start mark and all but the last of them, and its
            output at a position predicts the id at that position.
        unknowns: what the copy marks of each pair stand for.
        tokenizers: which show ids as pieces.
    """

    sources: list[list[int]]
    targets: list[list[int]]
    unknowns: list[list[str]]
    tokenizers: Tokenizers

    @property
    def source_tokens(self) -> tuple[tuple[str, ...], ...]:
        """The pieces of each source: features, text, end mark."""
        each = zip(self.sources, self.unknowns, strict=True)
        return tuple(self.tokenizers.source.pieces(ids, unknown) for ids, unknown in each)

    @property
    def target_tokens(self) -> tuple[tuple[str, ...], ...]:
        """The pieces of each target, its end mark included."""
        each = zip(self.targets, self.unknowns, strict=True)
        return tuple(self.tokenizers.target.pieces(ids, unknown) for ids, unknown in each)

    @property
    def read_tokens(self) -> tuple[tuple[str, ...], ...]:
        """What the decoder reads at each target position: start mark first, end mark never."""
        return tuple((SPECIALS[START], *tokens[:-1]) for tokens in self.target_tokens)

    def together(self, network: Network) -> Given:
        """Lays all pairs side by side, in their order, on the network's device."""
        longest = max(map(len, [*self.sources, *self.targets]))
        budget = longest * len(self.sources)
        with torch.inference_mode(False):  # gradients may be taken through what is read
            [given] = side_by_side(network, self.sources, self.targets, budget)
            back = torch.tensor(given.rows, device=given.read.device).argsort()
            tensors = (given.source, given.real, given.read, given.wanted)
            return Given(sorted(given.rows), *(tensor[back] for tensor in tensors))


def force(
    translator: Translator, texts: Texts, targets: str | Sequence[str] | None = None
) -> Forced:
    """Encodes sources, and the targets to be forced along.

    Args:
        translator: the model; its options decide how it searches where no target is given.
        texts: the sources.
        targets: one a source. None takes each `Pair`'s own target and, where there is none, the
            best output of the model, exactly the ids that its search finds.

    Raises:
        DataError: there is no source.
        DecodingError: there are not as many targets as sources.
    """
    pairs = as_pairs(texts)
    wanted = _wanted(pairs, targets)
    tokenizers = translator.tokenizers
    sources, unknowns = tokenizers.sources(pairs)
    unknowns = [unknown[: tokenizers.source.layout.copies] for unknown in unknowns]
    rows = tokenizers.targets([text or "" for text in wanted], unknowns)
    missing = [i for i, text in enumerate(wanted) if text is None]
    for i, nbest in translator.search([pairs[i] for i in missing]).items():
        rows[missing[i]] = list(nbest[0].ids)
    return Forced(sources, rows, unknowns, tokenizers)


def _wanted(pairs: Sequence[Pair], targets: str | Sequence[str] | None) -> list[str | None]:
    targets = [targets] if isinstance(targets, str) else targets
    if not pairs:
        raise DataError("no source to look at", mend="Give at least one")
    if targets is None:
        return [pair.target or None for pair in pairs]
    if len(targets) != len(pairs):
        raise DecodingError(
            f"{len(targets)} targets for {len(pairs)} sources",
            expected="one target a source",
            where="target",
            mend="Leave the targets out to take the model's own outputs",
        )
    return list(targets)

"""Text to text: tokenize, search, and write down what was found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from seq2see.data.rows import Pair
from seq2see.data.shortlist import Shortlist
from seq2see.data.store import Tokenizers
from seq2see.data.tokenizers import SPECIALS, UNKNOWN
from seq2see.decode.align import align
from seq2see.decode.ensemble import Ensemble
from seq2see.decode.generate import evaluating, generate
from seq2see.decode.hypothesis import Hypothesis, Pattern
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.decode.rules import Unwritable
from seq2see.decode.score import score_targets
from seq2see.errors import ConfigError, DecodingError
from seq2see.nn.network import Network
from seq2see.nn.precision import converted


@dataclass(frozen=True, eq=False)
class Translation:
    """A target text with what the model thought of it.

    Args:
        text: the target.
        score: the logarithm of its probability, in nats.
        token_scores: the same of each of `tokens`.
        tokens: pieces of the target, the end mark included where `finished`.
        source_tokens: features and pieces of the source, and its end mark.
        finished: whether it came to its end; otherwise the longest length allowed stopped it.
        pattern: where the model looked, `[token, source token]`, if alignments were asked for and
            the network has attention.
        unknown_share: the fraction of the source's features and pieces never seen in training.
    """

    text: str
    score: float
    token_scores: tuple[float, ...]
    tokens: tuple[str, ...]
    source_tokens: tuple[str, ...]
    finished: bool
    pattern: Pattern | None
    unknown_share: float


NOTHING = Translation("", 0.0, (), (), (), True, None, 0.0)
"""What an empty source is translated to."""


@dataclass(frozen=True)
class Source:
    """A source as ids.

    Args:
        ids: features, text, end mark.
        unknown: what its copy marks stand for.
        unseen: how many of its features and pieces were never seen in training.
    """

    ids: list[int]
    unknown: list[str]
    unseen: int


class Translator:
    """Translates texts with one network, or with several as an ensemble.

    Args:
        networks: trained with the same tokenizers; more than one average their probabilities.
        tokenizers: of both sides.
        options: how to search.
        longest_source: tokens of the longest source seen in training, features and end mark
            counted; needed where `options.strict`.
        target_ratio: the largest number of target tokens for one source token that a training pair
            had, features and end marks counted; 0 where it is not known. See `length_limit`.
        shortlist: what each source may be translated to; needed where `options.shortlist`.

    Raises:
        ConfigError: `strict` without a longest source, leave `strict` out; or a shortlist that was
            not learnt, learn one; or a ratio that no pair can have; or int8 on a GPU, decode there
            in float32 or bfloat16.
        DecodingError: the networks' vocabularies differ; see `Ensemble`.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        tokenizers: Tokenizers,
        options: SearchOptions,
        *,
        longest_source: int = 0,
        target_ratio: float = 0.0,
        shortlist: Shortlist | None = None,
    ) -> None:
        if options.strict and longest_source < 1:
            raise ConfigError(
                "the longest source of the training data is not known",
                where="strict",
                mend="Leave strict out: sources of any length are translated then",
            )
        if options.shortlist and shortlist is None:
            raise ConfigError(
                "the model has no shortlist",
                where="shortlist",
                mend="Learn one from pairs, with `seq2see shortlist BUNDLE DATA`",
            )
        if not 0 <= target_ratio < math.inf:
            raise ConfigError(
                f"found {target_ratio}", expected="0 or more, and finite", where="target_ratio"
            )
        networks = [converted(network, options.precision) for network in networks]
        self.network = networks[0] if len(networks) == 1 else Ensemble(networks)
        self.tokenizers, self.options = tokenizers, options
        self.longest_source, self.target_ratio = longest_source, target_ratio
        self.shortlist = shortlist if options.shortlist else None

    def translate(
        self, pairs: Sequence[Pair], prefixes: Sequence[str] | None = None
    ) -> list[list[Translation]]:
        """Translates the sources of `pairs`.

        Args:
            pairs: sources with their features; targets are not read.
            prefixes: what each target has to begin with; may be empty.

        Returns:
            For each source, in order, `options.nbest` translations at most, best first. A source
            without text, blanks aside, gives one translation: the empty text with score 0.

        Raises:
            DecodingError: a prefix cannot be kept, or a source is too long under `strict`; the
                message names the line. Or there are not as many prefixes as sources.
        """
        sources = self._sources(pairs)
        prefixes = [""] * len(pairs) if prefixes is None else prefixes
        if len(prefixes) != len(pairs):
            raise DecodingError(
                f"{len(prefixes)} prefixes for {len(pairs)} sources",
                expected="one prefix a source, which may be empty",
                where="prefix",
                mend="Give an empty line where nothing is to be forced",
            )
        found = self._search(pairs, sources, prefixes)
        origin = [i for i, nbest in found.items() for _ in nbest]
        flat = [one for nbest in found.values() for one in nbest]
        with evaluating(self.network):
            flat = self._aligned([sources[i] for i in origin], flat)
        results = [[] if i in found else [NOTHING] for i in range(len(pairs))]
        for i, one in zip(origin, flat, strict=True):
            results[i].append(self._shown(sources[i], one))
        return results

    def search(self, pairs: Sequence[Pair]) -> dict[int, list[Hypothesis]]:
        """Finds what `translate` would write, as ids.

        Returns:
            By the index of its source, best first. A source without text is not searched.

        Raises:
            DecodingError: a source is too long under `strict`; the message names the line.
        """
        return self._search(pairs, self._sources(pairs), [""] * len(pairs))

    def requests(self, pairs: Sequence[Pair]) -> dict[int, Request]:
        """Makes what `search` asks of the network, by the index of each source that has text."""
        return self._requests(pairs, self._sources(pairs), [""] * len(pairs))

    def score(self, pairs: Sequence[Pair]) -> list[Translation]:
        """Scores the given target of each pair, empty ones too."""
        sources = self._sources(pairs)
        ids, unknowns = [one.ids for one in sources], [one.unknown for one in sources]
        texts = [pair.target for pair in pairs]
        targets = self.tokenizers.targets(texts, unknowns)
        with evaluating(self.network):
            found = score_targets(self.network, ids, targets, self.options.batch_tokens)
            found = self._aligned(sources, found)
        shown = (self._shown(source, one) for source, one in zip(sources, found, strict=True))
        return [replace(one, text=text) for one, text in zip(shown, texts, strict=True)]

    def _search(
        self, pairs: Sequence[Pair], sources: Sequence[Source], prefixes: Sequence[str]
    ) -> dict[int, list[Hypothesis]]:
        requests = self._requests(pairs, sources, prefixes)
        asked, unwritable = list(requests.values()), Unwritable.of(self.tokenizers.target)
        with evaluating(self.network):
            found = generate(self.network, asked, self.options, unwritable, self.shortlist)
        return dict(zip(requests, found, strict=True))

    def _sources(self, pairs: Sequence[Pair]) -> list[Source]:
        rows, unknowns = self.tokenizers.sources(pairs)
        copies = self.tokenizers.source.layout.copies
        return [
            Source(row, unknown[:copies], _unseen(row, copies))
            for row, unknown in zip(rows, unknowns, strict=True)
        ]

    def _requests(
        self, pairs: Sequence[Pair], sources: Sequence[Source], prefixes: Sequence[str]
    ) -> dict[int, Request]:
        """Makes a request of each source that has text, by its index."""
        unknowns = [source.unknown for source in sources]
        forced = self.tokenizers.targets(prefixes, unknowns)
        requests = {}
        for i, (pair, source, row) in enumerate(zip(pairs, sources, forced, strict=True)):
            prefix, line = row[:-1], pair.line or i + 1
            if self._is_empty(pair, source):
                _check_unused(prefix, line)
                continue
            self._check_length(source, line)
            limit = self._limit(source, prefix, line)
            requests[i] = Request(source.ids, limit, len(source.unknown), prefix, line)
        return requests

    @staticmethod
    def _is_empty(pair: Pair, source: Source) -> bool:
        return not pair.source.strip() or len(source.ids) == len(pair.features) + 1

    def _check_length(self, source: Source, line: int) -> None:
        if self.options.strict and len(source.ids) > self.longest_source:
            raise DecodingError(
                f"a source of {len(source.ids)} tokens",
                expected=f"at most {self.longest_source}, the longest seen in training",
                where=f"line {line}",
                mend="Split the text, or leave strict out to translate it all the same",
            )

    def _limit(self, source: Source, prefix: Sequence[int], line: int) -> int:
        if UNKNOWN in prefix:
            raise DecodingError(
                "the prefix holds a piece that the model cannot write",
                expected="pieces seen in training, or unknown ones that stand in the source",
                where=f"line {line}",
                mend="Take the piece out of the prefix",
            )
        if self.options.max_length is None:
            return length_limit(len(source.ids), self.target_ratio) + len(prefix)
        if len(prefix) >= self.options.max_length:
            raise DecodingError(
                f"a prefix of {len(prefix)} tokens and a max_length of {self.options.max_length}",
                expected="room for the end mark",
                where=f"line {line}",
                mend=f"Set max_length to {len(prefix) + 1} or more",
            )
        return self.options.max_length

    def _aligned(self, sources: Sequence[Source], found: list[Hypothesis]) -> list[Hypothesis]:
        if not self.options.alignments:
            return found
        ids = [source.ids for source in sources]
        targets = [one.ids for one in found]
        patterns = align(self.network, ids, targets, self.options.batch_tokens)
        return [replace(one, pattern=each) for one, each in zip(found, patterns, strict=True)]

    def _shown(self, source: Source, found: Hypothesis) -> Translation:
        return Translation(
            text=self.tokenizers.target.decode(found.ids, source.unknown),
            score=found.score,
            token_scores=found.token_scores,
            tokens=self.tokenizers.target.pieces(found.ids, source.unknown),
            source_tokens=self.tokenizers.source.pieces(source.ids, source.unknown),
            finished=found.finished,
            pattern=found.pattern,
            unknown_share=source.unseen / max(len(source.ids) - 1, 1),
        )


def length_limit(source: int, target_ratio: float = 0.0) -> int:
    r"""Bounds the length of a target: a search has to end, and no target seen may be cut.

    $$\lceil \max(2, 1.5\, r) \cdot n \rceil + 20$$

    Args:
        source: n, tokens of the source, features and end mark counted.
        target_ratio: r, the largest number of target tokens for one source token in training.

    Returns:
        Tokens of the target at most, end mark counted. A prefix comes on top.
    """
    return math.ceil(max(2.0, 1.5 * target_ratio) * source) + 20


def _unseen(row: Sequence[int], copies: int) -> int:
    """Counts the ids of pieces never seen in training: the unknown mark and the copy marks."""
    return sum(i == UNKNOWN or 0 <= i - len(SPECIALS) < copies for i in row)


def _check_unused(prefix: Sequence[int], line: int) -> None:
    if prefix:
        raise DecodingError(
            "a prefix, but no source to translate",
            where=f"line {line}",
            mend="Leave the prefix of an empty source empty",
        )

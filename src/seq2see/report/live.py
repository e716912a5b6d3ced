"""Answers what the live page asks: what the model writes, as it was trained and with heads changed.

A question and its answer are JSON. Nothing is kept between two questions but what does not depend
on them, so any number of pages can ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

from rapidfuzz.distance import Levenshtein

from seq2see.config import nearest, parse
from seq2see.data.rows import Pair, from_record
from seq2see.data.tokenizers import END
from seq2see.decode.generate import evaluating
from seq2see.decode.score import score_targets
from seq2see.errors import ConfigError, DataError
from seq2see.look.alignment import MEASURES, align
from seq2see.look.capture import capture
from seq2see.look.forced import Forced, force
from seq2see.look.names import find_attention
from seq2see.report.changes import Change, Changer, as_python
from seq2see.report.packing import packed
from seq2see.report.pages.alignment import how, shares, usual
from seq2see.report.pages.wall import sides
from seq2see.report.subject import Subject

LONGEST = 256
"""Tokens of a source that is answered: one answer should not hold up the others."""

_KEPT = 32
"""Answers of the unedited network that are kept, since every click on a head needs one."""


@dataclass(frozen=True)
class View:
    """Which map is drawn of an output.

    Args:
        by: a measure of `seq2see.look.alignment.align`; empty: the weight, where there is any.
        at: by weight, the attention, by norm one over the source; empty: the one that the page of
            alignments opens at.
        head: by weight, the head; None takes the mean over all.
    """

    by: str = ""
    at: str = ""
    head: int | None = None


@dataclass(frozen=True)
class Question:
    """What a page asks.

    Args:
        source: the text.
        features: of the source, as in a data file.
        edits: the heads that work differently.
        by: see `View`.
        at: see `View`.
        head: see `View`.
    """

    source: str
    features: str = ""
    edits: tuple[Change, ...] = ()
    by: str = ""
    at: str = ""
    head: int | None = None

    @property
    def pair(self) -> Pair:
        """What is put to the model.

        Raises:
            DataError: the text is no valid Unicode.
        """
        record = {"source": self.source, "features": self.features}
        return from_record(record, 1, where="source", targets=False)


@dataclass(frozen=True, eq=False)
class Written:
    """What a network wrote for a source, edited or not.

    Args:
        forced: source and output as ids.
        text: the output.
        map: its map, as the page draws it.
    """

    forced: Forced
    text: str
    map: dict[str, Any]

    @property
    def pieces(self) -> tuple[str, ...]:
        """The pieces of the output, its end mark included where it came to its end."""
        return self.forced.target_tokens[0]


class Live:
    """A model that answers, one question at a time.

    Edits hold in the thread that makes them and in no other, so that no question can disturb
    another; they wait for each other since they share the machine's cores and memory.

    Args:
        subject: the model, with the data whose means may take the place of what a head reads.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.changer = Changer(subject)
        self._one = Lock()
        self._as_trained = lru_cache(_KEPT)(self._write)

    def answer(self, request: Any) -> dict[str, Any]:
        r"""Decodes a source with the network as it was trained and with heads changed.

        Both outputs y are scored under both networks, piece by piece, in nats:

        $$\ln p(y_t \mid y_{<t}, x)$$

        Args:
            request: the fields of `Question`.

        Returns:
            `source`: its pieces; `unseen`: how many of them were never seen in training; `trained`
            and `edited`: what each network wrote, as `text`, `pieces`, `differs` (whether a piece
            is another one than in the other output), `finished`, `map`, and `scores`, of its pieces
            under both; `python`: the same as code. `edited` is None without edits.

        Raises:
            ConfigError: a field is unknown or malformed, or names what the network does not have.
            DataError: the source has no text, is too long or no valid Unicode.
        """
        asked = parse(Question, request, "request")
        pair, view = asked.pair, self._view(asked)
        with self._one:
            unseen = self._unseen(pair)
            edits = self.changer.edits(asked.edits)
            trained = self._as_trained(pair, view)
            edited: Written | None = None
            after: list[list[float] | None] = [None]
            if edits:
                with self.subject.model.edit(*edits):
                    edited = self._write(pair, view)
                    after = [*self._scores([trained, edited])]
            before = self._scores([trained, *([edited] if edited else [])])
        scores = [{"trained": old, "edited": new} for old, new in zip(before, after, strict=True)]
        marks = differing(trained.pieces, edited.pieces if edited else trained.pieces)
        return {
            "source": trained.forced.source_tokens[0],
            "unseen": unseen,
            "trained": _told(trained, scores[0], marks[0]),
            "edited": _told(edited, scores[1], marks[1]) if edited else None,
            "python": as_python(asked.edits, pair.source, pair.features),
        }

    def close(self, seconds: float = 10.0) -> bool:
        """Waits until the question at hand is answered, and lets no other begin.

        Args:
            seconds: how long to wait at most.

        Returns:
            Whether nothing is being computed any more.
        """
        return self._one.acquire(timeout=seconds)

    def _view(self, asked: Question) -> View:
        by = asked.by or default_measure(self.changer.places)
        if by not in MEASURES:
            raise ConfigError(f"found {by!r}", where="request.by", mend=nearest(by, MEASURES))
        at = asked.at or default_place(self.changer.places)
        if by == "weight":
            site, _ = find_attention(self.subject.network, at)
            if asked.head is not None:
                site.chosen([asked.head])
            return View(by, at, asked.head)
        layered = by == "norm" and at.endswith("cross")
        if asked.head is not None or (asked.at and not layered):
            raise ConfigError(
                f"an attention or a head for the map by {by}",
                expected="them by weight, and by norm an attention over the source",
                where="request",
                mend="Leave at and head out",
            )
        if layered:
            find_attention(self.subject.network, at)
        return View(by, at if layered else "")

    def _unseen(self, pair: Pair) -> int:
        """Counts pieces of a source that were never seen, and refuses one that cannot be asked."""
        translator = self.subject.translator
        request = translator.requests([pair]).get(0)
        if request is None:
            raise DataError("no text", where="source", mend="Type a source")
        if len(request.source) > LONGEST:
            raise DataError(
                f"a source of {len(request.source)} pieces",
                expected=f"at most {LONGEST} here",
                where="source",
                mend="Shorten it, or ask by `seq2see translate`",
            )
        [scored] = translator.score([pair])
        return round(scored.unknown_share * max(len(request.source) - 1, 1))

    def _write(self, pair: Pair, view: View) -> Written:
        """Decodes a source with the network as it is now."""
        forced = force(self.subject.translator, [pair])
        tokenizer = self.subject.translator.tokenizers.target
        text = tokenizer.decode(forced.targets[0], forced.unknowns[0])
        return Written(forced, text, self._map(pair, forced, view))

    def _map(self, pair: Pair, forced: Forced, view: View) -> dict[str, Any]:
        if view.by != "weight":
            measure = how(self.subject, view.by, view.at)
            [one] = align(self.subject.translator, [pair], None, measure)
            return {"values": packed(shares(one)), "rows": one.target, "columns": one.source}
        network = self.subject.network
        site, _ = find_attention(network, view.at)
        captured, _ = capture(network, forced.together(network), [site])
        pattern = captured[site.name][0][0].float().cpu()  # head query key
        chosen = pattern.mean(0) if view.head is None else pattern[view.head]
        names = {
            "source": forced.source_tokens[0],
            "target": forced.target_tokens[0],
            "read": forced.read_tokens[0],
        }
        shown = {side: names[name] for side, name in sides(view.at).items()}
        return {"values": packed(chosen.numpy()), **shown}

    def _scores(self, each: Sequence[Written]) -> list[list[float]]:
        """Scores every piece of each output with the network as it is now, in nats."""
        translator = self.subject.translator
        sources = [one.forced.sources[0] for one in each]
        targets = [one.forced.targets[0] for one in each]
        with evaluating(translator.network):
            budget = translator.options.batch_tokens
            found = score_targets(translator.network, sources, targets, budget)
        return [list(one.token_scores) for one in found]


def default_place(places: Iterable[str]) -> str:
    """Names the attention that is shown first: the one that the page of alignments opens at."""
    names = list(places)
    crosses = [at for at in names if at.endswith("cross")]
    return usual(crosses) if crosses else (names or [""])[-1]


def default_measure(places: Iterable[str]) -> str:
    """Names the measure that is shown first: the weight, where there is attention."""
    return "weight" if default_place(places) else "erasure"


def differing(one: Sequence[str], other: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """Marks the pieces of two outputs that the fewest edits touch which turn one into the other.

    Source: Levenshtein 1966.
    """
    marks = [False] * len(one), [False] * len(other)
    for edit in Levenshtein.editops(one, other):
        if edit.tag != "insert":
            marks[0][edit.src_pos] = True
        if edit.tag != "delete":
            marks[1][edit.dest_pos] = True
    return marks


def _told(
    one: Written, scores: Mapping[str, list[float] | None], differs: Sequence[bool]
) -> dict[str, Any]:
    return {
        "text": one.text,
        "pieces": one.pieces,
        "differs": differs,
        "finished": one.forced.targets[0][-1:] == [END],
        "scores": scores,
        "map": one.map,
    }

"""Text to token ids and back: characters, words, BPE, unigram, bytes."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import tokenizers as hf
from tokenizers import models, pre_tokenizers, trainers

from seq2see.errors import BundleError

TokenKind = Literal["characters", "words", "bpe", "unigram", "bytes"]

PAD, UNKNOWN, START, END = range(4)
SPECIALS = ("<pad>", "<unk>", "<s>", "</s>")

_BLANK = "▁"
_UNKNOWN_PIECE = "<unk>"


@dataclass(frozen=True)
class Encoded:
    """The ids of one text.

    Args:
        ids: token ids, without start and end marks.
        unknown: what stood where the id is UNKNOWN, in order.
    """

    ids: list[int]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """What stands in a vocabulary before the pieces of text.

    Ids run: special marks, copy marks, features, pieces. A text can never spell a mark, since the
    pieces have ids of their own.

    Args:
        copies: how many copy marks there are; each stands for one unknown piece of the source.
        features: names of the features a source may carry.
        compose: whether text is decomposed (NFD: a Hangul syllable into its letters) before it is
            cut and composed again after.
    """

    copies: int = 0
    features: tuple[str, ...] = ()
    compose: bool = False

    @property
    def first_piece(self) -> int:
        """The lowest id of a piece of text."""
        return len(SPECIALS) + self.copies + len(self.features)


@dataclass(frozen=True)
class Tokenizer:
    """Cuts one side's text into pieces with ids.

    Args:
        kind: what a piece is.
        core: the tokenizer of the `tokenizers` library that does the cutting.
        layout: what stands before the pieces.
    """

    kind: TokenKind
    core: hf.Tokenizer
    layout: Layout = field(default_factory=Layout)

    @property
    def size(self) -> int:
        """How many ids there are."""
        return self.layout.first_piece + self.core.get_vocab_size()

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Cuts each text; a piece never seen in training becomes UNKNOWN."""
        shown = [self._before(text) for text in texts]
        return [
            self._ids(e, text) for e, text in zip(self.core.encode_batch(shown), shown, strict=True)
        ]

    def spans(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """Returns the text that is cut, and where in it each piece begins and ends."""
        shown = self._before(text)
        return shown, self.core.encode(shown).offsets

    def _ids(self, encoding: hf.Encoding, text: str) -> Encoded:
        first, missing = self.layout.first_piece, self.core.token_to_id(_UNKNOWN_PIECE)
        ids = [UNKNOWN if i == missing else i + first for i in encoding.ids]
        if UNKNOWN not in ids:
            return Encoded(ids)
        at = (span for i, span in zip(ids, encoding.offsets, strict=True) if i == UNKNOWN)
        return Encoded(ids, tuple(text[start:end] for start, end in at))

    def decode(self, ids: Iterable[int], unknown: Sequence[str] = ()) -> str:
        """Joins pieces to text; marks are left out.

        Args:
            ids: token ids; a copy mark is replaced by what it stands for.
            unknown: the distinct unknown pieces of the source, in order of appearance.
        """
        pieces = []
        for i in ids:
            if i >= self.layout.first_piece:
                pieces.append(self.core.id_to_token(i - self.layout.first_piece))
            elif i >= len(SPECIALS):
                copy = i - len(SPECIALS)
                pieces.append(unknown[copy] if copy < len(unknown) else "\N{REPLACEMENT CHARACTER}")
            elif i == UNKNOWN:
                pieces.append("\N{REPLACEMENT CHARACTER}")
        return self._after([piece or "" for piece in pieces])

    def _before(self, text: str) -> str:
        return _prepared(self.kind, self.layout, text)

    def _after(self, pieces: list[str]) -> str:
        if self.kind == "words":
            text = " ".join(pieces)
        elif self.kind == "bytes":
            text = self.core.decoder.decode(pieces)
        else:
            text = "".join(pieces)
            if self.kind in ("bpe", "unigram"):
                text = text.replace(_BLANK, " ").removeprefix(" ")
        return unicodedata.normalize("NFC", text) if self.layout.compose else text

    def piece(self, i: int) -> str:
        """Returns how an id is shown to people."""
        if i >= self.layout.first_piece:
            return self.core.id_to_token(i - self.layout.first_piece) or ""
        if i < len(SPECIALS):
            return SPECIALS[i]
        i -= len(SPECIALS)
        if i < self.layout.copies:
            return f"<copy{i}>"
        return f"[{self.layout.features[i - self.layout.copies]}]"

    def pieces(self, ids: Iterable[int], unknown: Sequence[str] = ()) -> tuple[str, ...]:
        """Returns how ids are shown to people; a copy mark as what it stands for.

        Args:
            ids: token ids.
            unknown: the distinct unknown pieces of the source, in order of appearance.
        """
        marks = {len(SPECIALS) + k: piece for k, piece in enumerate(unknown)}
        return tuple(marks[i] if i in marks else self.piece(i) for i in ids)

    def feature(self, name: str) -> int:
        """Returns the id of a feature, UNKNOWN for one never seen in training."""
        if name not in self.layout.features:
            return UNKNOWN
        return len(SPECIALS) + self.layout.copies + self.layout.features.index(name)

    def to_json(self) -> str:
        """Writes everything that `from_json` needs."""
        layout = self.layout
        record = {
            "kind": self.kind,
            "copies": layout.copies,
            "features": list(layout.features),
            "compose": layout.compose,
            "core": json.loads(self.core.to_str()),
        }
        return json.dumps(record, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, where: str) -> Tokenizer:
        """Reads what `to_json` wrote.

        Raises:
            BundleError: the text is something else; save the model again.
        """
        try:
            record = json.loads(text)
            layout = _layout(record)
            if record["kind"] not in get_args(TokenKind):
                raise ValueError(f"no kind of pieces: {record['kind']!r}")
            return cls(record["kind"], hf.Tokenizer.from_str(json.dumps(record["core"])), layout)
        except Exception as error:  # the tokenizers library raises bare Exception
            raise BundleError(
                f"not a tokenizer of seq2see ({error})",
                where=where,
                mend="Restore the file from the place the model came from, or train again",
            ) from error


def train_tokenizer(
    kind: TokenKind, texts: Iterable[str], size: int, layout: Layout | None = None
) -> Tokenizer:
    """Learns the pieces of `texts`.

    Source: bpe: Sennrich et al. 2016; unigram: Kudo 2018.

    Args:
        kind: what a piece is.
        texts: every text of the side, or of both sides for a joint vocabulary.
        size: how many pieces to learn at most; only bpe and unigram need the bound.
        layout: what stands before the pieces.
    """
    layout = layout or Layout()
    texts = (_prepared(kind, layout, text) for text in texts)
    if kind == "bytes":
        core = hf.Tokenizer(models.BPE(vocab=_byte_vocabulary(), merges=[]))
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        core.decoder = hf.decoders.ByteLevel()
    elif kind in ("characters", "words"):
        core = _listed(kind, texts)
    else:
        core = _learned(kind, texts, size)
    return Tokenizer(kind, core, layout)


def _layout(record: dict[str, Any]) -> Layout:
    copies, features, compose = (record[name] for name in ("copies", "features", "compose"))
    right = type(copies) is int and copies >= 0 and type(features) is list and type(compose) is bool
    if not (right and all(isinstance(name, str) for name in features)):
        raise ValueError("copies, features or compose are malformed")
    return Layout(copies, tuple(features), compose)


def _prepared(kind: TokenKind, layout: Layout, text: str) -> str:
    if layout.compose:
        text = unicodedata.normalize("NFD", text)
    # The first word is cut like any other; a blank that stands there already is a second one.
    return f" {text}" if kind in ("bpe", "unigram") and text else text


def _byte_vocabulary() -> dict[str, int]:
    return {piece: i for i, piece in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}


def _listed(kind: TokenKind, texts: Iterable[str]) -> hf.Tokenizer:
    seen: set[str] = set()
    for text in texts:
        seen.update(text if kind == "characters" else text.split())
    seen.discard(_UNKNOWN_PIECE)  # a word spelt like the mark stays unknown, and is copied as such
    vocabulary = {piece: i for i, piece in enumerate([_UNKNOWN_PIECE, *sorted(seen)])}
    core = hf.Tokenizer(models.WordLevel(vocabulary, unk_token=_UNKNOWN_PIECE))
    if kind == "characters":
        core.pre_tokenizer = pre_tokenizers.Split(hf.Regex(r"[\s\S]"), "isolated")
    else:
        core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return core


def _learned(kind: TokenKind, texts: Iterable[str], size: int) -> hf.Tokenizer:
    trainer: trainers.Trainer
    if kind == "bpe":
        core = hf.Tokenizer(models.BPE(unk_token=_UNKNOWN_PIECE))
        trainer = trainers.BpeTrainer(
            vocab_size=size, special_tokens=[_UNKNOWN_PIECE], show_progress=False
        )
    else:
        core = hf.Tokenizer(models.Unigram())
        trainer = trainers.UnigramTrainer(
            vocab_size=size,
            special_tokens=[_UNKNOWN_PIECE],
            unk_token=_UNKNOWN_PIECE,
            show_progress=False,
        )
    # A mark of punctuation is a piece of its own, with the blank before it where one stands there:
    # "end." and "end" then share their piece, and "end ." costs no more than "end.".
    punctuation = hf.Regex(rf"{_BLANK}?[^\w\s{_BLANK}]")
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="never"),
            pre_tokenizers.Split(punctuation, "isolated"),
        ]
    )
    core.train_from_iterator(texts, trainer)
    return _without_specials(core)


def _without_specials(core: hf.Tokenizer) -> hf.Tokenizer:
    """Lets text that spells the unknown mark be cut like any other, and fixes unigram's order.

    The library adds up probabilities in any order, so their last bits, and with them the order of
    pieces, differ from run to run.
    """
    record = json.loads(core.to_str())
    record["added_tokens"] = []
    if record["model"]["type"] == "Unigram":
        unknown, *pieces = ((piece, round(score, 6)) for piece, score in record["model"]["vocab"])
        record["model"]["vocab"] = [unknown, *sorted(pieces, key=lambda p: (-p[1], p[0]))]
    return hf.Tokenizer.from_str(json.dumps(record))

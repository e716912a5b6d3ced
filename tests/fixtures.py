"""Tiny corpora, runs and observers that several tests need."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from seq2see.data.pairs import Pair
from seq2see.data.store import Store, Tokenizers
from seq2see.data.tokenizers import Layout, TokenKind, train_tokenizer
from seq2see.recipe.draft import draft
from seq2see.recipe.run import carry_out, set_up
from seq2see.train.journal import Validation, Window

LETTERS = "abcdefgh"

TINY = (
    "model.kind=transformer",
    "model.d_model=16",
    "model.d_ff=32",
    "model.heads=2",
    "model.encoder_layers=1",
    "model.decoder_layers=1",
    "train.precision=float32",
    "train.batch_tokens=200",
    "train.rate=0.01",
    "train.warmup=10",
)
"""Settings of a Transformer that trains in milliseconds a step."""


def words(count: int, seed: int = 0, letters: str = LETTERS) -> list[str]:
    """Draws distinct words of 2 to 7 letters."""
    rng = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(rng.choice(letters) for _ in range(rng.randint(2, 7)))] = None
    return list(found)


def copying(count: int, seed: int = 0) -> list[Pair]:
    """Pairs of a word and itself."""
    return [Pair(word, word, (), line) for line, word in enumerate(words(count, seed), 1)]


def write_tsv(path: Path, pairs: Iterable[Pair]) -> Path:
    """Writes pairs as a TSV, features in a third column where there are any."""
    rows = []
    for pair in pairs:
        columns = [pair.source, pair.target, *([";".join(pair.features)] if pair.features else [])]
        rows.append("\t".join(columns) + "\n")
    path.write_text("".join(rows), encoding="utf-8")
    return path


def joint(pairs: Sequence[Pair], kind: TokenKind = "characters", copies: int = 0) -> Tokenizers:
    """One tokenizer for both sides of `pairs`."""
    texts = [text for pair in pairs for text in (pair.source, pair.target)]
    features = tuple(sorted({name for pair in pairs for name in pair.features}))
    one = train_tokenizer(kind, texts, 60, Layout(copies, features))
    return Tokenizers(one, one)


def stored(folder: Path, pairs: Sequence[Pair], copies: int = 0) -> Store:
    """Encodes pairs by characters and opens them."""
    return Store.write(folder, pairs, joint(pairs, copies=copies))


@dataclass
class Notebook:
    """An observer that keeps what it is told."""

    windows: list[Window] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)

    def window(self, record: Window) -> None:
        self.windows.append(record)

    def validation(self, record: Validation) -> None:
        self.validations.append(record)


def journal_rows(path: Path) -> list[dict[str, Any]]:
    """Reads a journal and takes out what no two runs share."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return list(without_timings(rows))


def without_timings(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Takes out of journal rows what no two runs share."""
    for row in rows:
        yield {k: v for k, v in row.items() if k not in ("seconds", "tokens_per_second")}


def easy() -> list[Pair]:
    """Pairs of a short word and itself, which a tiny network learns in seconds."""
    texts = ("".join(letters) for n in (1, 2, 3) for letters in product("abcde", repeat=n))
    return [Pair(text, text, (), line) for line, text in enumerate(texts, 1)]


def train_tiny(folder: Path, *assignments: str, pairs: Sequence[Pair] = ()) -> Path:
    """Trains a tiny model in a second or two and returns its folder."""
    data = write_tsv(folder / "pairs.tsv", pairs or easy())
    usual = (*TINY, "train.steps=60", "train.validations=2", "data.copies=4")
    tree = draft(None, [f"data.train={data}", *usual, *assignments])
    carry_out(set_up(tree, folder / "model"))
    return folder / "model"

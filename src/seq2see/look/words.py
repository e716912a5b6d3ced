"""Pieces that are joined to the words that people count."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.data.tokenizers import Tokenizer

_BLANKS = str.maketrans({"▁": " ", "Ġ": " ", "Ċ": "\n", "ĉ": "\t", "č": "\r"})
"""How blanks are spelt in pieces of BPE and unigram, and in those of bytes."""


@dataclass(frozen=True)
class Units:
    """What the rows or the columns of an alignment are.

    Args:
        names: of the units, as people read them.
        home: the unit that each piece belongs to; None where it belongs to none.
    """

    names: tuple[str, ...]
    home: tuple[int | None, ...]

    @property
    def members(self) -> Float[Tensor, "unit piece"]:
        """Marks the pieces of each unit by 1, others by 0."""
        table = torch.zeros(len(self.names), len(self.home))
        for piece, unit in enumerate(self.home):
            if unit is not None:
                table[unit, piece] = 1.0
        return table


def pieces(tokens: Sequence[str], text: range) -> Units:
    """Makes each piece of the text a unit; features and end mark belong to none.

    Args:
        tokens: all pieces of one side.
        text: where the text stands among them.
    """
    home = [i - text.start if i in text else None for i in range(len(tokens))]
    return Units(tuple(tokens[i] for i in text), tuple(home))


def words(tokens: Sequence[str], text: range, tokenizer: Tokenizer) -> Units:
    """Makes each word a unit: what stands between blanks, so that words are counted as in the text.

    A blank that is a piece of its own belongs to the word that follows it at once, as it does where
    both are one piece of BPE. Among characters, blanks belong to no word.
    """
    if tokenizer.kind == "words":
        return pieces(tokens, text)
    home: list[int | None] = [None] * len(tokens)
    count, inside, waiting = 0, False, None
    for i in text:
        shown = tokens[i] if tokenizer.kind == "characters" else tokens[i].translate(_BLANKS)
        inside = inside and not shown[:1].isspace()
        if not shown.strip():  # a blank alone, or nothing
            waiting = None if tokenizer.kind == "characters" else i
            continue
        count += not inside
        home[i] = count - 1
        if waiting is not None and not shown[:1].isspace():
            home[waiting] = count - 1
        inside, waiting = not shown[-1:].isspace(), None
    each = [[tokens[i] for i in text if home[i] == word] for word in range(count)]
    return Units(tuple(_shown(parts, tokenizer) for parts in each), tuple(home))


def _shown(parts: Sequence[str], tokenizer: Tokenizer) -> str:
    if tokenizer.kind == "bytes":
        return str(tokenizer.core.decoder.decode(list(parts))).strip()
    text = "".join(parts)
    text = text if tokenizer.kind == "characters" else text.translate(_BLANKS).strip()
    return unicodedata.normalize("NFC", text) if tokenizer.layout.compose else text

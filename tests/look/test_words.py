"""Units: which pieces make a word, features and end marks aside."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fixtures import joint
from seq2see.data.pairs import Pair
from seq2see.look.words import pieces, words


@pytest.mark.parametrize(
    ("kind", "tokens", "names", "home"),
    [
        ("bpe", "▁old ▁m en .", ("old", "men."), (0, 1, 1, 1)),
        ("bpe", "▁ x ▁the ▁ ▁b ▁", ("x", "the", "b"), (0, 0, 1, None, 2, None)),
        ("unigram", "▁a ▁ b", ("a", "b"), (0, 1, 1)),
        ("bytes", "a Ġ Ã ¤ Ċ b", ("a", "ä", "b"), (0, 1, 1, 1, 2, 2)),
        ("words", "old ▁men", ("old", "▁men"), (0, 1)),
        ("characters", "▁ a Ġ", ("▁aĠ",), (0, 0, 0)),
    ],
)
def test_pieces_are_joined_where_no_blank_stands_between(
    kind: Any, tokens: str, names: tuple[str, ...], home: tuple[int | None, ...]
) -> None:
    tokenizer = joint([Pair("a b", "a b")], kind).source
    every = ["[PL]", *tokens.split(), "</s>"]
    found = words(every, range(1, len(every) - 1), tokenizer)
    assert found.names == names
    assert found.home == (None, *home, None)


def test_a_blank_between_characters_belongs_to_no_word() -> None:
    found = words(list("ab  c"), range(5), joint([Pair("a b", "a b")]).source)
    assert (found.names, found.home) == (("ab", "c"), (0, 0, None, None, 1))


def test_members_mark_the_pieces_of_a_unit() -> None:
    found = pieces(["[PL]", "a", "b", "</s>"], range(1, 3))
    assert found.names == ("a", "b")
    assert torch.equal(found.members, torch.eye(4)[1:3])

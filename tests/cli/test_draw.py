"""Alignments as text."""

from __future__ import annotations

import numpy as np
import pytest

from seq2see.cli.draw import LEVELS, draw, legend
from seq2see.decode.translate import Translation


def translation(source: str, target: str, weights: list[list[float]] | None) -> Translation:
    """A translation of blank-separated pieces, both sides with their end marks."""
    tokens, source_tokens = (*target.split(), "</s>"), (*source.split(), "</s>")
    pattern = None if weights is None else np.array(weights, np.float32)
    return Translation(target, 0.0, (0.0,) * len(tokens), tokens, source_tokens, True, pattern, 0.0)


EASY = translation("p h o", "F OW", [[0.5, 0.5, 0, 0], [0, 0.1, 0.7, 0.2], [0, 0, 0.03, 0.97]])


def test_letters_are_columns_and_phones_are_rows() -> None:
    assert draw(EASY).split("\n") == [
        "     p h o $",
        "  F  ▓▓▓▓",
        " OW    ░░██▒▒",
        "end        ██",
    ]


def test_ascii_terminals_get_the_same_picture() -> None:
    assert draw(EASY, ascii_only=True).split("\n") == [
        "     p h o $",
        "  F  ****",
        " OW    ..##::",
        "end        ##",
    ]
    assert legend(ascii_only=True).isascii()


@pytest.mark.parametrize(("level", "shade"), list(zip(LEVELS, "░▒▓█", strict=True)))
def test_a_shade_begins_at_its_level(level: float, shade: str) -> None:
    lines = draw(translation("a", "A", [[level + 0.001, 0], [level - 0.001, 0]])).split("\n")
    assert lines[1].endswith(shade * 2)
    assert shade not in lines[2]
    assert f"{shade} {level:.0%}" in legend()


def test_what_is_too_wide_is_drawn_beneath() -> None:
    assert draw(EASY, width=9).split("\n") == ["F  OW", "p  o", "end", "$"]


@pytest.mark.parametrize("letters", [3, 30, 45, 200])
def test_no_line_is_wider_than_the_terminal(letters: int) -> None:
    size = letters + 1
    wide = translation("ab " * letters, "AE " * letters, np.eye(size).tolist())
    lines = draw(wide).split("\n")
    assert max(map(len, lines)) <= 80
    assert sum(line.count("AE") for line in lines) == letters


def test_wide_characters_keep_the_columns_straight() -> None:
    drawn = draw(translation("한 a", "X", [[0, 1, 0], [0, 0, 1]])).split("\n")
    assert drawn == ["     한 a  $", "  X     ███", "end        ███"]


def test_a_model_without_attention_is_said_to_have_none() -> None:
    assert "no attention" in draw(translation("a", "A", None))


def test_an_empty_translation_draws_nothing() -> None:
    assert "nothing was written" in draw(Translation("", 0.0, (), (), (), True, None, 0.0))

"""How a translation becomes a line."""

from __future__ import annotations

import numpy as np

from seq2see.cli.shape import Shape, pharaoh
from seq2see.data.rows import Pair
from seq2see.decode.translate import Translation

PATTERN = np.array(
    [[0.6, 0.1, 0.2, 0.1], [0.1, 0.5, 0.3, 0.1], [0.0, 0.0, 0.1, 0.9]], dtype=np.float32
)


def translation(text: str = "xy", finished: bool = True) -> Translation:
    return Translation(
        text=text,
        score=-1.5,
        token_scores=(-0.5, -0.5, -0.5),
        tokens=("x", "y", "</s>" if finished else "z"),
        source_tokens=("[PST]", "a", "b", "</s>"),
        finished=finished,
        pattern=PATTERN,
        unknown_share=0.25,
    )


PAIR = Pair("ab", "", ("PST",), 7)


def test_the_text_alone() -> None:
    assert Shape().lines(PAIR, [translation()]) == ["xy"]


def test_every_field() -> None:
    shape = Shape(scores=True, alignments=True)
    assert shape.lines(PAIR, [translation()]) == ["xy\t-1.5000\t0.2500\t1-0 0-1"]


def test_every_field_of_nbest() -> None:
    shape = Shape(nbest=True, scores=True, alignments=True)
    line = "7 ||| xy ||| -1.5000 ||| 0.2500 ||| 1-0 0-1"
    assert shape.lines(PAIR, [translation()] * 2) == [line] * 2


def test_features_and_end_marks_are_not_aligned() -> None:
    assert pharaoh(translation(), features=1) == "1-0 0-1"
    assert pharaoh(translation(), features=0) == "0-0 1-1"


def test_without_an_end_mark_the_last_token_is_aligned_too() -> None:
    assert pharaoh(translation(finished=False), features=1) == "1-0 0-1 1-2"


def test_line_ends_become_blanks_and_are_said() -> None:
    shape = Shape()
    assert shape.lines(PAIR, [translation("x\ny\r\u2028\tz")]) == ["x y \u2028\tz"]
    assert shape.note().startswith("1 outputs hold a line end or a tab")
    assert "(input lines 7)" in shape.note()


def test_a_tab_among_fields_becomes_a_blank() -> None:
    assert Shape(scores=True).lines(PAIR, [translation("x\ty")]) == ["x y\t-1.5000\t0.2500"]


def test_nothing_is_said_where_nothing_was_changed() -> None:
    shape = Shape()
    shape.lines(PAIR, [translation()])
    assert shape.note() == ""

from __future__ import annotations

import numpy as np

from seq2see.data.shortlist import Shortlist
from seq2see.data.tokenizers import END, PAD, START, UNKNOWN

SOURCES = [[10, 11, END], [10, 12, END], [10, 11, END], [12, END]]
TARGETS = [[7, 8, END], [7, 9, END], [7, 8, 6, END], [9, 5, END]]


def learnt(frequent: int = 1, likely: int = 2, never: tuple[int, ...] = ()) -> Shortlist:
    pairs = (SOURCES, TARGETS)
    return Shortlist.learn(pairs, (13, 10), 1, never, frequent=frequent, likely=likely)


def test_marks_come_first_and_then_the_most_frequent() -> None:
    assert learnt(1).frequent.tolist() == [PAD, UNKNOWN, START, END, 4, 7]
    assert learnt(2).frequent.tolist()[5:] == [7, 8]  # of two as frequent ones, the first


def test_each_source_token_adds_its_likeliest_which_are_not_frequent() -> None:
    likely = learnt(1, 2).likely
    assert likely.shape == (13, 2)
    assert likely[12].tolist() == [9, 5]
    assert likely[11].tolist() == [8, 6]
    assert likely[9].tolist() == [PAD, PAD]  # never seen


def test_few_likely_ones_leave_a_narrow_table() -> None:
    assert learnt(1, 1).likely[12].tolist() == [9]
    assert learnt(1, 0).likely.shape == (13, 0)
    assert learnt(9, 5).likely.shape == (13, 0)  # all are frequent


def test_what_no_target_may_hold_is_on_no_list() -> None:
    found = learnt(1, 3, never=(7, 9))
    assert found.frequent.tolist()[5:] == [8]
    assert not np.isin([7, 9], found.likely).any()

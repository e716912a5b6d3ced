from __future__ import annotations

import pytest

from seq2see.decode.hypothesis import Hypothesis, ranked


def test_the_score_is_the_sum_and_the_penalty_divides_by_a_power_of_the_length() -> None:
    one = Hypothesis((7, 8, 9, 3), (-1.0, -2.0, -3.0, -2.0), True)
    assert one.score == -8.0
    assert [one.normalised(a) for a in (0.0, 0.5, 1.0, 2.0)] == pytest.approx([-8, -4, -2, -0.5])


def test_finished_hypotheses_come_first_and_then_the_better_ones() -> None:
    short = Hypothesis((3,), (-2.0,), True)
    long = Hypothesis((7, 8, 3), (-1.0, -1.0, -1.0), True)
    cut = Hypothesis((7, 8, 9), (-0.1, -0.1, -0.1), False)
    assert ranked([cut, short, long], 1.0) == [long, short, cut]
    assert ranked([cut, short, long], 0.0) == [short, long, cut]

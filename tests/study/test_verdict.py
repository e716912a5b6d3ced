"""The rule by which figures answer."""

from __future__ import annotations

import math

import pytest

from seq2see.study.results import Difference
from seq2see.study.verdict import judge, judge_equal


def between(low: float, high: float) -> Difference:
    return Difference((low + high) / 2, low, high, 0.5)


@pytest.mark.parametrize(
    ("differences", "answer"),
    [
        ([(1, 2)], "supported"),
        ([(-1, 2)], "undecided"),
        ([(-2, 0)], "not supported"),
        ([(1, 2), (-1, 2)], "undecided"),
        ([(-1, 2), (-2, -1)], "not supported"),
        ([(math.nan, math.nan)], "undecided"),
    ],
)
def test_every_difference_has_to_lie_above(
    differences: list[tuple[float, float]], answer: str
) -> None:
    assert judge("", *(between(*each) for each in differences)).answer == answer
    moved = [between(low + 3, high + 3) for low, high in differences]
    assert judge("", *moved, least=3).answer == answer


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [(-1, 1, "supported"), (-3, 1, "undecided"), (2, 3, "not supported"),
     (-5, -2, "not supported"), (math.nan, math.nan, "undecided")],
)  # fmt: skip
def test_equal_means_within_a_margin(low: float, high: float, answer: str) -> None:
    assert judge_equal("", [between(low, high)], within=2).answer == answer


def test_a_heading_tells_which_expectations_do_not_hold() -> None:
    holds, open_, falls = between(1, 2), between(-1, 2), between(-2, -1)
    assert judge("", holds, holds).heading == "supported"
    assert judge("", open_).heading == "undecided"
    assert judge("", holds, open_, holds).heading == "undecided (1 of 3 is open)"
    assert judge("", falls, open_, open_).heading == "not supported (1 of 3 fails, 2 of 3 are open)"
    assert judge_equal("", [holds, falls, falls], 0.5).heading == "not supported (3 of 3 fail)"

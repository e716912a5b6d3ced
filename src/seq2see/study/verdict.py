"""What figures say to a hypothesis, by the same rule in every study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from seq2see.study.results import Difference

Answer = Literal["supported", "not supported", "undecided"]


@dataclass(frozen=True)
class Verdict:
    """The answer of a study.

    Args:
        answer: what the figures say to the hypothesis.
        sentence: the answer with its numbers.
    """

    answer: Answer
    sentence: str


def allowed(difference: Difference, margin: float) -> Difference:
    """Shifts a difference by a margin, where a hypothesis allows that much of a loss."""
    return replace(
        difference,
        value=difference.value + margin,
        low=difference.low + margin,
        high=difference.high + margin,
    )


def judge(sentence: str, *differences: Difference, least: float = 0.0) -> Verdict:
    """Holds differences, all of which the hypothesis expects to be above `least`, against it.

    Supported: the whole 95 % interval of each lies above `least`. Not supported: the whole interval
    of at least one lies at or below it. Undecided: anything else.

    Args:
        sentence: what is said beside the answer.
        differences: each turned so that the hypothesis expects a positive one.
        least: how large a difference has to be to count.
    """
    if all(each.low > least for each in differences):
        return Verdict("supported", sentence)
    if any(each.high <= least for each in differences):
        return Verdict("not supported", sentence)
    return Verdict("undecided", sentence)


def judge_equal(sentence: str, differences: Sequence[Difference], within: float) -> Verdict:
    """Holds differences, all of which the hypothesis expects to be small, against it.

    Supported: the whole interval of each lies within ± `within`. Not supported: the whole interval
    of at least one lies outside. Undecided: anything else.
    """
    if all(-within < each.low and each.high < within for each in differences):
        return Verdict("supported", sentence)
    if any(each.low >= within or each.high <= -within for each in differences):
        return Verdict("not supported", sentence)
    return Verdict("undecided", sentence)

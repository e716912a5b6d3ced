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
        expectations: the answer to each difference that the hypothesis expects.
    """

    answer: Answer
    sentence: str
    expectations: tuple[Answer, ...] = ()

    @classmethod
    def of(cls, sentence: str, expectations: Sequence[Answer]) -> Verdict:
        """Comes from what is found of each expectation to one answer."""
        answer: Answer = "undecided"
        if all(each == "supported" for each in expectations):
            answer = "supported"
        elif "not supported" in expectations:
            answer = "not supported"
        return cls(answer, sentence, tuple(expectations))

    @property
    def heading(self) -> str:
        """The answer, and how many expectations do not hold: `undecided (1 of 4 is open)`."""
        count, among = self.expectations.count, len(self.expectations)
        fallen, open_ = count("not supported"), count("undecided")
        told = [f"{fallen} of {among} fail{'s' * (fallen == 1)}"] if fallen else []
        told += [f"{open_} of {among} {'is' if open_ == 1 else 'are'} open"] if open_ else []
        return f"{self.answer} ({', '.join(told)})" if told and among > 1 else self.answer


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
    return Verdict.of(sentence, [_above(each, least) for each in differences])


def judge_equal(sentence: str, differences: Sequence[Difference], within: float) -> Verdict:
    """Holds differences, all of which the hypothesis expects to be small, against it.

    Supported: the whole interval of each lies within ± `within`. Not supported: the whole interval
    of at least one lies outside. Undecided: anything else.
    """
    return Verdict.of(sentence, [_small(each, within) for each in differences])


def _above(difference: Difference, least: float) -> Answer:
    if difference.low > least:
        return "supported"
    return "not supported" if difference.high <= least else "undecided"


def _small(difference: Difference, within: float) -> Answer:
    if -within < difference.low and difference.high < within:
        return "supported"
    apart = difference.low >= within or difference.high <= -within
    return "not supported" if apart else "undecided"

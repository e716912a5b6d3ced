"""Paired tests against every possible swap, and intervals of means."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from seq2see.evaluate.metrics import evaluate
from seq2see.evaluate.significance import compare, mean_interval

REFERENCES = [["a b c d"], ["b c"], ["c d e"], ["d"], ["e f"], ["f g h"], ["g"], ["h a b"]]
GOOD = ["a b c d", "b c", "c d e", "d", "e x", "f g h", "g", "h a b"]
BAD = ["a x c d", "b", "x x e", "x", "e f", "x g h", "x", "h a b"]


def exact_p_value(first, second, metric):
    """Share of all 2^n swaps whose difference is at least as large as the observed one."""

    def difference(coins):
        one = [b if c else a for a, b, c in zip(first, second, coins, strict=True)]
        two = [a if c else b for a, b, c in zip(first, second, coins, strict=True)]
        pair = (evaluate(x, REFERENCES, [metric], resamples=0)[0].value for x in (one, two))
        return abs(next(pair) - next(pair))

    observed = difference([0] * len(first))
    swaps = list(product((0, 1), repeat=len(first)))
    return sum(difference(coins) >= observed - 1e-9 for coins in swaps) / len(swaps)


@pytest.mark.parametrize("metric", ["per", "wer", "chrf"])
def test_p_value_is_that_of_all_swaps(metric):
    (found,) = compare(GOOD, BAD, REFERENCES, [metric])
    expected = exact_p_value(GOOD, BAD, metric)
    assert 0.005 < expected < 0.5
    assert found.p_value == pytest.approx(expected, abs=0.015)
    assert found.significant == (found.p_value < 0.05)


def test_difference_is_second_minus_first_with_both_scores():
    first, second = compare(GOOD, BAD, REFERENCES, ["wer", "accuracy"], seed=5)
    assert first.difference == pytest.approx(62.5)
    assert second.difference == pytest.approx(-62.5)
    assert (first.low, first.high) == pytest.approx((-second.high, -second.low))
    assert first.p_value == second.p_value
    assert [first.first, second.first] == evaluate(GOOD, REFERENCES, ["wer", "accuracy"], seed=5)
    assert compare(BAD, GOOD, REFERENCES, ["wer"])[0].difference == pytest.approx(-62.5)


def test_a_system_does_not_differ_from_itself():
    for found in compare(GOOD, GOOD, REFERENCES, ["per", "bleu", "chrf"]):
        assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)
        assert not found.significant


def test_pairing_finds_what_two_intervals_do_not():
    # 30 of 1,000 sources better and none worse: the intervals overlap, the pairs do not lie.
    references = [["a"]] * 1000
    first = ["a"] * 500 + ["b"] * 500
    second = ["a"] * 530 + ["b"] * 470
    (found,) = compare(first, second, references, ["accuracy"])
    assert found.first.high > found.second.low
    assert found.low > 0
    assert found.significant
    assert found.p_value == pytest.approx(1 / 10_001)


def test_chance_alone_is_called_significant_one_time_in_twenty():
    # Both systems are right at random, independently: the test must hold its level.
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(60):
        one, two = (["a" if x < 0.5 else "b" for x in random.random(80)] for _ in range(2))
        alarms += compare(one, two, [["a"]] * 80, ["accuracy"], resamples=0)[0].significant
    assert alarms <= 8  # binomial(60, 0.05) passes 8 once in 400 tries


def test_no_metrics_no_comparisons():
    assert compare(GOOD, BAD, REFERENCES, []) == []


def test_mean_interval_is_students():
    values = [22.1, 22.9, 21.8]
    mean, low, high = mean_interval(values)
    expected = stats.t.interval(0.95, 2, loc=sum(values) / 3, scale=stats.sem(values))
    assert mean == pytest.approx(sum(values) / 3)
    assert (low, high) == pytest.approx(expected)
    assert mean_interval([5, 5]) == (5, 5, 5)


def test_one_seed_has_no_interval_and_none_has_no_mean():
    mean, low, high = mean_interval([7.5])
    assert mean == 7.5
    assert math.isnan(low) and math.isnan(high)
    with pytest.raises(ValueError, match="at least one"):
        mean_interval([])

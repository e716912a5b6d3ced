"""Figures over seeds: means, pairs, and what is missing."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from seq2see.errors import DataError
from seq2see.study.contrast import above, mean_of, turned
from seq2see.study.readings import Outcome, Reading
from seq2see.study.results import Difference, Results, paired
from seq2see.study.rows import by_condition, by_place, named

VALUES = {("a", "1"): (1.0, 2.0, 4.0), ("b", "1"): (2.0, 5.0, 6.0), ("a", "2"): (1.0, 1.0, 1.0),
          ("b", "2"): (0.0, 2.0, 0.0)}  # fmt: skip
RESULTS = Results(
    tuple(
        Outcome(
            {"the model": model, "size": size},
            seed,
            (Reading("m", values[seed - 1]), Reading("m", 10 * seed, at=float(size))),
            1.0,
        )
        for (model, size), values in VALUES.items()
        for seed in (1, 2, 3)
    )
)
A, B = {"the_model": "a", "size": "1"}, {"the_model": "b", "size": "1"}


def test_a_difference_is_paired_by_seed_as_the_t_test_says() -> None:
    found, test = RESULTS.difference("m", A, B), stats.ttest_rel(VALUES["b", "1"], VALUES["a", "1"])
    assert found.value == 2
    assert found.p_value == pytest.approx(test.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(test.confidence_interval()))


def test_only_seeds_that_both_have_are_compared() -> None:
    kept = [one for one in RESULTS.outcomes if (one.seed, one.labels["the model"]) != (3, "b")]
    assert Results(tuple(kept)).difference("m", A, B).value == 2.0
    assert math.isnan(paired([(1.0, 2.0)]).low)


def test_conditions_that_all_match_are_averaged_within_a_seed() -> None:
    assert RESULTS.values("m", size="1") == {1: 1.5, 2: 3.5, 3: 5.0}


def test_a_measure_that_no_model_has_is_an_error() -> None:
    with pytest.raises(DataError, match="no model has"):
        RESULTS.summary("m", size="3")


def test_a_difference_can_be_turned_and_taken_from_a_number() -> None:
    one = Difference(1.0, -2.0, 3.0, 0.5)
    assert turned(one) == Difference(-1.0, -3.0, 2.0, 0.5)
    assert above(RESULTS, "m", 2.0, the_model="a", size="2").value == -1.0


def test_rows_hold_levels_means_and_places() -> None:
    rows = by_condition(RESULTS, "m", numbers=["size"], the_model="a")
    assert [(row["size"], row["value"]) for row in rows] == [(1.0, 7 / 3), (2.0, 1.0)]
    places = by_place(RESULTS, "m", the_model="b")
    assert [(row["at"], row["value"]) for row in places] == [(1.0, 20.0), (2.0, 20.0)]
    single = Results(RESULTS.outcomes[:1])
    assert "low" not in by_condition(single, "m")[0]  # one seed has no interval


def test_a_measure_is_there_or_not_and_means_are_taken_seed_by_seed() -> None:
    one = Outcome({"a": "1"}, 1, (Reading("x", 2.0),), 1.0)
    results = Results((one,))
    assert results.has("x", a="1")
    assert not results.has("x", a="2")
    assert not results.has("x", series="other")
    assert mean_of([{1: 1.0, 2: 4.0}, {1: 3.0, 3: 9.0}]) == {1: 2.0}
    assert mean_of([]) == {}


def test_a_row_names_a_number_with_its_factor() -> None:
    assert [each["name"] for each in by_condition(RESULTS, "m")] == [
        "a, size 1",
        "b, size 1",
        "a, size 2",
        "b, size 2",
    ]
    assert named([{"depth": "4", "skip": "false", "kind": "relu"}], "kind", "skip", "depth") == [
        {"depth": "4", "skip": "false", "kind": "relu", "name": "relu, skip false, depth 4"}
    ]

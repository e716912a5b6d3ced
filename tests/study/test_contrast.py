"""Contrasts of several conditions, and the rows that charts are drawn from."""

from __future__ import annotations

from seq2see.study.contrast import above, interaction, turned
from seq2see.study.readings import Outcome, Reading
from seq2see.study.results import Difference, Results, paired
from seq2see.study.rows import by_condition, by_place

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


def test_an_interaction_is_the_difference_of_two_changes() -> None:
    second = ({"the_model": "a", "size": "2"}, {"the_model": "b", "size": "2"})
    found = interaction(RESULTS, "m", (A, B), second)
    assert found == paired([(1.0, -1.0), (3.0, 1.0), (2.0, -1.0)])


def test_a_difference_can_be__taken_from_a_number() -> None:
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

"""Means and paired differences by hand, the rule of the verdict, and what is run once only."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from study_samples import SMALL, options

from seq2see.errors import ConfigError, DataError
from seq2see.study import carry_out, catalogue
from seq2see.study.catalogue import find
from seq2see.study.readings import Outcome, Reading
from seq2see.study.results import Difference, Results, paired
from seq2see.study.verdict import judge, judge_equal


def outcome(kind: str, seed: int, value: float) -> Outcome:
    curve = (Reading("norm", value / 2, at=1.0), Reading("norm", value, at=0.0))
    return Outcome({"cell kind": kind}, seed, (Reading("right", value), *curve), 1.0)


RESULTS = Results(
    (outcome("rnn", 1, 1.0), outcome("rnn", 2, 3.0), outcome("gru", 2, 9.0), outcome("gru", 1, 5.0))
)


def test_means_and_differences_are_those_of_the_same_seeds() -> None:
    found = RESULTS.summary("right", cell_kind="rnn")
    half = 12.706204736 * 1.0  # Student's t with one degree of freedom, and s / sqrt(2) = 1
    assert (found.value, found.seeds) == (2.0, 2)
    assert (found.low, found.high) == pytest.approx((2.0 - half, 2.0 + half))
    apart = RESULTS.difference("right", {"cell_kind": "rnn"}, {"cell_kind": "gru"})
    assert (apart.value, apart.low, apart.high) == pytest.approx((5.0, 5.0 - half, 5.0 + half))
    assert apart.p_value == pytest.approx(0.1256659163)  # t = 5
    assert [at for at, _ in RESULTS.curve("norm", cell_kind="gru")] == [0.0, 1.0]
    assert list(RESULTS.conditions()) == [{"cell kind": "rnn"}, {"cell kind": "gru"}]


def test_equal_differences_are_sure_and_one_pair_is_not() -> None:
    assert paired([(1.0, 2.0), (3.0, 4.0)]) == Difference(1.0, 1.0, 1.0, 0.0)
    assert paired([(1.0, 1.0), (3.0, 3.0)]).p_value == 1.0
    assert math.isnan(paired([(1.0, 2.0)]).low)


def test_what_no_model_has_is_refused() -> None:
    with pytest.raises(DataError, match="cell kind=lstm"):
        RESULTS.summary("right", cell_kind="lstm")


@pytest.mark.parametrize(
    ("low", "high", "answer", "equal"),
    [
        (0.1, 3.0, "supported", "undecided"),
        (-0.1, 3.0, "undecided", "undecided"),
        (-3.0, 0.0, "not supported", "undecided"),
        (2.5, 3.0, "supported", "not supported"),
        (0.1, 0.9, "supported", "supported"),
        (math.nan, math.nan, "undecided", "undecided"),
    ],
)
def test_the_interval_decides(low: float, high: float, answer: str, equal: str) -> None:
    difference = Difference((low + high) / 2, low, high, 0.5)
    assert judge("", difference).answer == answer
    assert judge("", Difference(5.0, 4.0, 6.0, 0.0), difference).answer == answer
    assert judge_equal("", [difference], within=1.0).answer == equal


def test_a_study_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry_out, "find", lambda _: SMALL)
    said = options(tmp_path, "model.d_hidden=8", "model.d_embedding=8")
    told: list[str] = []
    first = carry_out.carry_out("far", 1, said, 1, told.append)
    assert len(first.outcomes) == len(told) == 2
    monkeypatch.setattr("seq2see.study.trial.trained", None)  # nothing is trained again
    assert carry_out.carry_out("far", 1, said, 1, told.append) == first
    with pytest.raises(TypeError):  # another seed has to be
        carry_out.carry_out("far", 2, said, 1, told.append)


def test_side_by_side_and_out_of_a_file_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    here = Path(__file__).parent
    own.write_text(
        f"import sys\nsys.path.insert(0, {str(here)!r})\n"
        "from study_samples import SMALL\nSTUDY = SMALL\n",
        encoding="utf-8",
    )
    small = ("model.d_hidden=8", "model.d_embedding=8")
    alone, both = (
        carry_out.carry_out(
            str(own), 1, options(tmp_path / str(jobs), *small), jobs, lambda _: None
        )
        for jobs in (1, 2)
    )
    timeless = [
        [replace(outcome, seconds=0.0) for outcome in results.outcomes] for results in (alone, both)
    ]
    assert timeless[0] == timeless[1]


def test_every_listed_study_is_there_under_its_name() -> None:
    assert [find(name).name for name in catalogue.NAMES] == list(catalogue.NAMES)


def test_a_wrong_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean recall"):
        find("recal")
    (tmp_path / "empty.py").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="Define STUDY"):
        find(str(tmp_path / "empty.py"))

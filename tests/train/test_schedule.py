"""Learning rates, against values computed by hand and the 2017 formula."""

from __future__ import annotations

import math
from typing import Any

import pytest

from seq2see.train.schedule import factor
from seq2see.train.settings import TrainSettings


def at(step: int, progress: float | None = None, **changes: Any) -> float:
    settings = TrainSettings(**({"steps": 1000, "warmup": 100} | changes))
    return factor(settings, step, step / settings.steps if progress is None else progress)


@pytest.mark.parametrize(
    ("schedule", "step", "value"),
    [
        ("constant", 1, 0.01),
        ("constant", 50, 0.5),
        ("constant", 100, 1.0),
        ("constant", 1000, 1.0),
        ("inverse-sqrt", 1, 0.01),
        ("inverse-sqrt", 100, 1.0),
        ("inverse-sqrt", 400, 0.5),
        ("inverse-sqrt", 900, 1 / 3),
        ("cosine", 1, 0.01 * 0.5 * (1 + math.cos(math.pi / 1000))),
        ("cosine", 500, 0.5),
        ("cosine", 750, 0.5 * (1 - math.sqrt(0.5))),
        ("cosine", 1000, 0.0),
        ("wsd", 50, 0.5),
        ("wsd", 700, 1.0),
        ("wsd", 850, 0.5),
        ("wsd", 1000, 0.0),
    ],
)
def test_values_computed_by_hand(schedule: str, step: int, value: float) -> None:
    assert at(step, schedule=schedule) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("step", [1, 10, 3999, 4000, 4001, 100_000])
def test_inverse_sqrt_is_the_paper_s_equation_3(step: int) -> None:
    width, warmup = 512, 4000
    paper = width**-0.5 * min(step**-0.5, step * warmup**-1.5)
    peak = width**-0.5 * warmup**-0.5
    ours = peak * at(step, schedule="inverse-sqrt", steps=100_000, warmup=warmup)
    assert ours == pytest.approx(paper, rel=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "inverse-sqrt", "cosine", "wsd"])
def test_it_rises_to_its_peak_and_never_again(schedule: str) -> None:
    values = [at(step, schedule=schedule) for step in range(1, 1001)]
    peak = values.index(max(values))
    assert values[: peak + 1] == sorted(values[: peak + 1])
    assert values[peak:] == sorted(values[peak:], reverse=True)
    assert min(values) >= 0
    assert max(values) <= 1


@pytest.mark.parametrize("schedule", ["constant", "inverse-sqrt", "cosine", "wsd"])
def test_without_warm_up_the_first_step_is_the_highest(schedule: str) -> None:
    values = [at(step, schedule=schedule, warmup=0) for step in range(1, 200)]
    assert values[0] == max(values)
    assert values[0] == pytest.approx(1.0, abs=1e-5)


def test_wsd_without_decay_stays_at_its_peak() -> None:
    assert at(1000, schedule="wsd", decay=0.0) == 1.0


def test_on_a_time_budget_progress_is_time() -> None:
    budget = {"minutes": 5.0, "schedule": "cosine"}
    assert at(500, progress=0.5, **budget) == pytest.approx(0.5)
    assert at(7000, progress=0.5, **budget) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("step", "progress", "warm"), [(10, 0.05, 0.5), (10, 0.1, 1.0), (10, 0.5, 1.0), (50, 0.01, 0.5)]
)
def test_on_a_time_budget_the_warm_up_ends_after_a_tenth(
    step: int, progress: float, warm: float
) -> None:
    assert at(step, progress, minutes=5.0, schedule="constant") == pytest.approx(warm)


@pytest.mark.parametrize("schedule", ["constant", "inverse-sqrt", "cosine", "wsd"])
def test_time_that_runs_over_gives_no_negative_rate(schedule: str) -> None:
    assert at(500, progress=1.0, minutes=5.0, schedule=schedule) >= 0
    if schedule != "wsd":
        assert at(500, progress=1.2, minutes=5.0, schedule=schedule) >= 0

"""The budget is kept, and each measurement ends in a figure or in a reason."""

from __future__ import annotations

import random

import pytest
from bench_samples import Watch

from seq2see.bench.budget import Budget
from seq2see.bench.timing import LEAST, MOST, Work
from seq2see.errors import TrainingError


def test_what_a_quick_measurement_leaves_over_goes_to_the_next() -> None:
    watch = Watch()
    budget = Budget(12.0, 2, None, watch)
    first = budget.measure("quick", lambda: watch.work(1.0, 0.5))
    second = budget.measure("slow", lambda: watch.work(1.0, 1.5))
    assert first is not None and first.repetitions == MOST
    assert second is not None and second.repetitions == MOST  # 9 s: more than half of 12
    assert budget.spent == watch.now == 12.0
    assert budget.missing == []


@pytest.mark.parametrize("seed", range(20))
def test_no_more_than_one_warm_up_runs_over(seed: int) -> None:
    rng, watch, figures = random.Random(seed), Watch(), 0
    budget = Budget(60.0, 30, None, watch)
    costs = sorted(rng.lognormvariate(0.0, 1.5) for _ in range(30))
    for number, cost in enumerate(costs):
        figure = budget.measure(str(number), lambda cost=cost: watch.work(1.0, cost))
        figures += figure is not None
    assert budget.spent <= 60.0 + max(costs)
    assert figures + len(budget.missing) == 30
    assert 0 < figures < 30


def test_nothing_is_begun_when_the_time_is_used_up() -> None:
    watch, begun = Watch(), list[str]()
    budget = Budget(1.0, 2, begun.append, watch)
    watch.now = 1.0
    assert budget.measure("late", lambda: watch.work(1.0, 1.0)) is None
    assert (begun, watch.calls) == ([], 0)
    [missing] = budget.missing
    assert (missing.name, missing.why) == ("late", "the time was used up before its turn")


def test_what_is_known_to_take_too_long_is_not_begun() -> None:
    watch, begun = Watch(), list[str]()
    budget = Budget(10.0, 1, begun.append, watch)
    assert budget.measure("dear", lambda: watch.work(1.0, 4.0), at_least=4.0) is None
    assert (begun, watch.calls) == ([], 0)
    assert budget.missing[0].why == "one repetition takes 4.0 s, and 10.0 s are left for 3 of them"


def test_what_proves_too_slow_is_noted() -> None:
    watch = Watch()
    budget = Budget(10.0, 1, None, watch)
    assert budget.measure("slow", lambda: watch.work(1.0, 10.0 / LEAST)) is None
    assert "one repetition takes 3.3 s" in budget.missing[0].why


def failing(error: Exception) -> Work:
    def work() -> float:
        raise error

    return work


def test_arithmetic_that_a_machine_lacks_is_noted() -> None:
    budget = Budget(10.0, 2, None, Watch())
    error = NotImplementedError("no kernel for BFloat16\nand much more")
    assert budget.measure("odd", lambda: failing(error), optional=True) is None
    assert budget.missing[0].why == "does not work here (no kernel for BFloat16)"
    with pytest.raises(NotImplementedError, match="no kernel"):
        budget.measure("usual", lambda: failing(error))


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")],
)
def test_memory_that_runs_out_is_noted(error: Exception) -> None:
    budget = Budget(10.0, 1, None, Watch())
    assert budget.measure("large", lambda: failing(error)) is None
    assert budget.missing[0].why == "memory ran out"


def test_an_update_that_fails_is_noted() -> None:
    budget = Budget(10.0, 1, None, Watch())
    error = TrainingError("memory ran out on 3 pairs", where="train.batch_tokens")
    assert budget.measure("large", lambda: failing(error)) is None
    assert budget.missing[0].why == "memory ran out on 3 pairs"

from __future__ import annotations

import threading
from contextvars import ContextVar
from functools import partial

import pytest
import torch
from torch.utils.benchmark import set_torch_threads

from seq2see.decode.workers import in_threads

COLOUR: ContextVar[str] = ContextVar("colour", default="none")


def test_results_stand_in_order_and_come_from_several_threads() -> None:
    barrier = threading.Barrier(2, timeout=20)  # passes only if two run at a time

    def task(number: int) -> tuple[int, int]:
        barrier.wait()
        return number, threading.get_ident()

    found = in_threads([partial(task, n) for n in range(6)], 2)
    assert [number for number, _ in found] == list(range(6))
    assert len({thread for _, thread in found}) == 2


@pytest.mark.parametrize(("tasks", "workers"), [(1, 4), (3, 1), (0, 2)])
def test_without_need_no_thread_is_made(tasks: int, workers: int) -> None:
    found = in_threads([threading.get_ident] * tasks, workers)
    assert found == [threading.get_ident()] * tasks


def test_each_gets_its_share_of_the_threads_and_gives_it_back() -> None:
    with set_torch_threads(4):
        assert in_threads([torch.get_num_threads] * 3, 2) == [2, 2, 2]
        assert torch.get_num_threads() == 4


def test_the_callers_context_holds_inside() -> None:
    token = COLOUR.set("red")
    try:
        assert in_threads([COLOUR.get] * 3, 2) == ["red"] * 3
    finally:
        COLOUR.reset(token)


def test_what_a_task_raises_is_raised_and_the_threads_are_given_back() -> None:
    def fails() -> None:
        raise ValueError("no")

    with set_torch_threads(2):
        with pytest.raises(ValueError, match="no"):
            in_threads([fails, fails], 2)
        assert torch.get_num_threads() == 2

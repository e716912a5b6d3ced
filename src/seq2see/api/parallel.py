"""Several runs at a time, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import TypeVar

import torch

Key = TypeVar("Key")
Result = TypeVar("Result")


def side_by_side(
    tasks: Sequence[tuple[Key, Callable[[], Result]]],
    jobs: int,
    begin: Callable[[Key], None],
) -> Iterator[tuple[Key, Result]]:
    """Runs `jobs` tasks at a time, each with its share of the threads.

    Args:
        tasks: what each is called, and what it does; both can be sent to another process.
        jobs: how many run at a time.
        begin: is told of each task before it begins.

    Yields:
        What each came to, in the order in which they end.

    Raises:
        Exception: what a task raised; those that have ended stand, and those running go on to
            their end first.
    """
    waiting, running = list(reversed(tasks)), dict[Future[Result], Key]()
    share = max(1, torch.get_num_threads() // jobs)
    spawning = get_context("spawn")
    with ProcessPoolExecutor(jobs, spawning, torch.set_num_threads, (share,)) as pool:
        while waiting or running:
            while waiting and len(running) < jobs:
                key, task = waiting.pop()
                begin(key)
                running[pool.submit(task)] = key
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for one in ended:
                yield running.pop(one), one.result()

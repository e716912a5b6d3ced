"""Groups of sources in several threads: small products gain more from it than from shared ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

import torch

Result = TypeVar("Result")


def in_threads(tasks: Sequence[Callable[[], Result]], workers: int) -> list[Result]:
    """Runs tasks in `workers` threads, each with its share of torch's threads.

    Each runs in a copy of the caller's context, so that edits of a network hold there too.

    Args:
        tasks: what to do, the longest first so that none is left at the end.
        workers: how many run at a time.

    Returns:
        What each came to, in order.

    Raises:
        Exception: what a task raised; those that have not begun are dropped.
    """
    if workers <= 1 or len(tasks) <= 1:
        return [task() for task in tasks]
    threads = torch.get_num_threads()
    share = max(1, threads // workers)
    pool = ThreadPoolExecutor(workers, "decode", torch.set_num_threads, (share,))
    try:
        running = [pool.submit(copy_context().run, task) for task in tasks]
        return [one.result() for one in running]
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)

"""Measures what the taps cost a training step when nobody watches.

    python benchmarks/watching.py [NETWORK ...] [--windows N]

NETWORK is one of those that `seq2see bench` measures; all but the largest unless named. The same
network learns from the same batch with its taps and without them, in turn; what is recorded is the
median over the windows of the quotient, less 1. Beside it stands the number of taps that an update
passes times what one call of a tap costs: an estimate without the noise of whole steps. Both go
into benchmarks/results/watching.json.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any

import torch
from torch import Tensor, nn

from quality import cores, keep, revision
from seq2see.bench.subjects import NAMES, Subject, subject
from seq2see.bench.training import RATE, batch_of, updates
from seq2see.nn.network import Network
from seq2see.nn.tap import Tap

TASK = "watching"
_CALLS = 100_000


class Untapped:
    """Takes a tap's place: hands a value on, and is no module."""

    watched = False

    def __call__(self, value: Tensor) -> Tensor:
        """Returns `value`."""
        return value


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures the networks named, and records each at once."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", default=list(NAMES[:-1]))
    parser.add_argument("--windows", type=int, default=30)
    given = parser.parse_args(arguments)
    unknown = set(given.networks) - set(NAMES)
    if unknown:
        parser.error(f"no network {', '.join(unknown)}; choose from {', '.join(NAMES)}")
    for name in given.networks:
        facts = measured(subject(name), given.windows)
        keep(TASK, name, {**facts, "cores": cores(), **revision()})
        print(name, facts, flush=True)


def measured(one: Subject, windows: int) -> dict[str, Any]:
    """Lets a network learn with its taps and without them, in turn, and compares the times."""
    batch, tapped, untapped = batch_of(one), one.network("float32"), one.network("float32")
    calls = taps_passed(tapped, one)
    without_taps(untapped)
    both = [updates(network, one.recipe.train) for network in (tapped, untapped)]
    seconds: list[list[float]] = [[], []]
    for window in range(-2, windows):
        for which in (0, 1) if window % 2 else (1, 0):
            begin = time.perf_counter()
            both[which](batch, RATE)
            if window >= 0:  # the first two warm up
                seconds[which].append(time.perf_counter() - begin)
    quotients = [100 * (a / b - 1) for a, b in zip(*seconds, strict=True)]
    low, *_, high = quantiles(quotients, n=4)
    step = median(seconds[0])
    return {
        "step_seconds": round(step, 4),
        "slower_percent": round(median(quotients), 3),
        "quartiles": [round(low, 3), round(high, 3)],
        "windows": windows,
        "calls": calls,
        "calls_percent": round(100 * calls * seconds_a_call() / step, 3),
    }


def taps_passed(network: Network, one: Subject) -> int:
    """Counts how often a tap is passed in an update, forwards and backwards."""
    passed = 0

    def count(*_: Any) -> None:
        nonlocal passed
        passed += 1

    taps = [module for module in network.modules() if isinstance(module, Tap)]
    # A pre-hook makes attention take its explicit path, which passes more taps, never fewer.
    handles = [tap.register_forward_pre_hook(count) for tap in taps]
    updates(network, one.recipe.train)(batch_of(one), RATE)
    for handle in handles:
        handle.remove()
    return passed


def without_taps(network: nn.Module) -> None:
    """Puts something that is no module in the place of every tap, in place."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Tap):
                delattr(module, name)
                setattr(module, name, Untapped())


def seconds_a_call() -> float:
    """Times one call of a tap, less that of what takes its place."""
    value, times = torch.zeros(1), []
    for call in (Tap(), Untapped()):
        begin = time.perf_counter()
        for _ in range(_CALLS):
            call(value)
        times.append(time.perf_counter() - begin)
    return (times[0] - times[1]) / _CALLS


if __name__ == "__main__":
    main()

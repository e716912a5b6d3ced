"""All measurements in order, the cheap ones first, within one budget."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import torch
from torch.utils.benchmark import set_torch_threads

from seq2see.bench.advice import Advice, advise, choose_precision
from seq2see.bench.budget import Budget, Missing
from seq2see.bench.decoding import BEAMS, Decoded, searching
from seq2see.bench.peak import SQUARE, Peak, Product, multiplying, products
from seq2see.bench.subjects import NAMES, Subject, subject
from seq2see.bench.timing import Clock
from seq2see.bench.training import Trained, batch_of, operations_of, updating
from seq2see.errors import ConfigError
from seq2see.nn.precision import Arithmetic
from seq2see.train.settings import Precision

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
ARITHMETICS: tuple[Arithmetic, ...] = get_args(Arithmetic)
_USUAL: Precision = "float32"
"""The precision that every machine has; another one may be missing."""


@dataclass(frozen=True)
class Scope:
    """What is measured.

    Args:
        subjects: the networks, those of few operations first.
        products: matrix products beside the square one.
        threads: numbers of threads, the largest first.
    """

    subjects: Sequence[Subject]
    products: Sequence[Product]
    threads: Sequence[int]

    @property
    def parts(self) -> int:
        """How many measurements that is."""
        fewer = len(self.threads) - 1
        products = len(PRECISIONS) * (len(self.threads) + len(self.products))
        searches = len(BEAMS) * len(ARITHMETICS)
        return products + len(self.subjects) * (len(PRECISIONS) + fewer + searches)


def everything() -> Scope:
    """Takes in all networks, the products of `small`, and all, half, a quarter, one of the threads.

    All are as many as torch takes by itself, which OMP_NUM_THREADS says where it is set.
    """
    every = torch.get_num_threads()
    threads = sorted({every, every // 2, every // 4, 1} - {0}, reverse=True)
    subjects = [subject(name) for name in NAMES]
    small = subjects[NAMES.index("small")]
    return Scope(subjects, list(products(small)), threads)


@dataclass
class Report:
    """What was measured.

    Args:
        machine: what it was measured on.
        minutes: the budget.
        seconds: what was spent of it.
        peaks: of matrix products.
        training: of each network.
        decoding: of each network.
        advice: on each network.
        missing: what the budget did not reach, and what does not work here.
    """

    machine: dict[str, Any]
    minutes: float
    seconds: float = 0.0
    peaks: list[Peak] = field(default_factory=list)
    training: list[Trained] = field(default_factory=list)
    decoding: list[Decoded] = field(default_factory=list)
    advice: list[Advice] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)


def run(
    minutes: float,
    scope: Scope | None = None,
    watcher: Callable[[str], object] | None = None,
    clock: Clock = time.perf_counter,
) -> Report:
    """Measures the machine it runs on. The random state is left as it was.

    Args:
        minutes: time budget of all measurements together.
        scope: what is measured; None for everything.
        watcher: is told the name of each measurement when it begins.
        clock: tells seconds.

    Raises:
        ConfigError: the budget is not above 0.
    """
    if not 0 < minutes < float("inf"):
        raise ConfigError(f"found {minutes}", expected="a number above 0", where="--minutes")
    report = Report(machine(), minutes)
    scope = scope or everything()
    session = _Session(scope, Budget(60 * minutes, scope.parts, watcher, clock), report)
    with torch.random.fork_rng(devices=[]):
        session.measure_products()
        for each in scope.subjects:
            session.measure_network(each)
    report.advice = advise(report.training)
    report.missing, report.seconds = session.budget.missing, session.budget.spent
    return report


def machine() -> dict[str, Any]:
    """Describes what is measured on; `load` is how many processes were busy in the last minute."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }


class _Session:
    """Carries measurements out and collects them in a report."""

    def __init__(self, scope: Scope, budget: Budget, report: Report) -> None:
        self.scope, self.budget, self.report = scope, budget, report
        self.every = scope.threads[0]

    def measure_products(self) -> None:
        """Multiplies matrices."""
        for threads in self.scope.threads:
            for precision in PRECISIONS:
                self._multiply(SQUARE, precision, threads)
        for product in self.scope.products:
            for precision in PRECISIONS:
                self._multiply(product, precision, self.every)

    def measure_network(self, one: Subject) -> None:
        """Trains a network in each precision, decodes, and trains with fewer threads."""
        for precision in PRECISIONS:
            self._train(one, precision, self.every)
        for beam in BEAMS:
            for arithmetic in ARITHMETICS:
                self._decode(one, beam, arithmetic)
        trained = [row for row in self.report.training if row.network == one.name]
        faster, _ = choose_precision(trained)
        for threads in self.scope.threads[1:]:
            self._train(one, faster or _USUAL, threads)

    def _multiply(self, product: Product, precision: Precision, threads: int) -> None:
        name = f"product of {product.shape} in {precision} with {count(threads)}"
        with set_torch_threads(threads), torch.inference_mode():
            figure = self.budget.measure(
                name, lambda: multiplying(product, precision), optional=precision != _USUAL
            )
        if figure is not None:
            self.report.peaks.append(Peak(product, precision, threads, figure))

    def _train(self, one: Subject, precision: Precision, threads: int) -> None:
        name = f"training {one.name} in {precision} with {count(threads)}"
        peak = self._peak(precision, threads)
        if peak is None and precision != _USUAL:
            self._skip(name, precision)
            return
        operations = operations_of(one)
        with set_torch_threads(threads):
            figure = self.budget.measure(
                name,
                lambda: updating(one, precision),
                at_least=operations / peak if peak else 0.0,
                optional=precision != _USUAL,
            )
        if figure is not None:
            batch = batch_of(one).tokens
            each = operations / batch
            share = figure.value * each / peak if peak else None
            self.report.training.append(
                Trained(one.name, precision, threads, batch, figure, each, share)
            )

    def _decode(self, one: Subject, beam: int, precision: Arithmetic) -> None:
        name = f"decoding with {one.name} in {precision}, beam {beam}, with {count(self.every)}"
        if precision == "bfloat16" and self._peak(precision, self.every) is None:
            self._skip(name, precision)
            return
        with set_torch_threads(self.every):
            figure = self.budget.measure(
                name, lambda: searching(one, beam, precision), optional=precision != _USUAL
            )
        if figure is not None:
            self.report.decoding.append(Decoded(one.name, beam, precision, self.every, figure))

    def _skip(self, name: str, precision: str) -> None:
        """Leaves out what may outlast the whole budget where it is emulated."""
        self.budget.skip(name, f"there is no peak of {precision} to foretell its time")
        self.budget.parts -= 1

    def _peak(self, precision: str, threads: int) -> float | None:
        for peak in self.report.peaks:
            if (peak.product, peak.precision, peak.threads) == (SQUARE, precision, threads):
                return peak.flops.value
        return None


def count(threads: int) -> str:
    """Writes a number of threads."""
    return "1 thread" if threads == 1 else f"{threads} threads"

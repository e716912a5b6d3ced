"""Shows where a training step and a decoding step spend their time, by kind of operation.

    python benchmarks/breakdown.py NETWORK [key=value ...] [--precision NAME] [--threads N]
                                   [--beam N] [--runs N]

NETWORK is one of those that `seq2see bench` measures; key=value changes its size or its batch, as
`model.d_model=384` or `train.batch_tokens=2048`. Beside each table stands what the matrix products
alone would need at the measured peak.
"""

from __future__ import annotations

import argparse
import shlex
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from math import prod
from typing import Any
from unittest import mock

import torch
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils.benchmark import set_torch_threads
from torch.utils.flop_counter import FlopCounterMode

from seq2see.bench.decoding import SENTENCES, searching
from seq2see.bench.peak import SQUARE, multiplying
from seq2see.bench.session import count
from seq2see.bench.subjects import NAMES, Subject, subject
from seq2see.bench.timing import Work, repeat
from seq2see.bench.training import batch_of, operations_of, updating
from seq2see.decode.beam import Beam
from seq2see.decode.rules import Rules
from seq2see.nn import attention
from seq2see.nn.dropout import Dropout
from seq2see.nn.network import Network
from seq2see.nn.norms import Norm
from seq2see.nn.recurrent import Recurrence
from seq2see.train import update
from seq2see.train.optimizer import Average, Optimizer
from seq2see.train.settings import Precision

PRODUCTS, RECURRENT, ELEMENTWISE = "matrix products", "recurrent kernels", "elementwise, sums"
SOFTMAX, DROPOUT, LOSS, SEARCH = "attention softmax", "dropout masks", "loss", "search"
COPIES, NORMS, OPTIMIZER, OTHER = "copies, casts", "normalisation", "optimizer", "other"
OUTSIDE = "outside operators"
KINDS = (
    *(PRODUCTS, RECURRENT, SOFTMAX, DROPOUT, LOSS, SEARCH, COPIES, NORMS, OPTIMIZER),
    *(ELEMENTWISE, OTHER, OUTSIDE),
)

STEP = "step"
RANGES: tuple[tuple[Any, str, str], ...] = (
    (attention, "attention_weights", SOFTMAX),
    (Dropout, "forward", DROPOUT),
    (Norm, "forward", NORMS),
    (Recurrence, "forward", RECURRENT),
    (update, "smoothed_loss", LOSS),
    (Optimizer, "gather", OPTIMIZER),
    (Optimizer, "update", OPTIMIZER),
    (Average, "follow", OPTIMIZER),
    (Beam, "choose", SEARCH),
    (Rules, "apply", SEARCH),
    (Network, "advance", STEP),
)
"""Functions whose operators are of one kind, matrix products aside. `STEP` is no kind: it tells how
many steps a search takes."""

_NAMES = {
    PRODUCTS: "mm addmm bmm baddbmm mv addmv dot",
    COPIES: "copy_ cat stack index index_select gather clone repeat_interleave _index_put_impl_",
    SOFTMAX: "_softmax _softmax_backward_data",
    SEARCH: "topk sort logsumexp",
    ELEMENTWISE: "add add_ sub sub_ rsub mul mul_ div div_ neg exp relu relu_ threshold_backward"
    " tanh tanh_backward sigmoid silu gelu gelu_backward sin cos masked_fill masked_fill_ sum any"
    " eq ne lt le gt ge bitwise_and bitwise_or bitwise_not where",
}
KIND_OF = {f"aten::{name}": kind for kind, names in _NAMES.items() for name in names.split()}

_PATIENCE = 600.0
"""Seconds that the measurement of a step's time may take; its repetitions are few."""


@dataclass(frozen=True)
class Breakdown:
    """Where the time of one step went.

    Args:
        seconds: of the step, without the profiler.
        parts: seconds under the profiler, by kind.
        steps: how many of them one run takes: 1 update, or the steps of a search.
    """

    seconds: float
    parts: dict[str, float]
    steps: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Takes one network's training and decoding apart."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("network", choices=NAMES)
    parser.add_argument("settings", nargs="*", metavar="key=value")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3, help="updates and searches to profile")
    given = parser.parse_args(arguments)
    one = subject(given.network, *given.settings)
    with set_torch_threads(given.threads):
        print(f"{shlex.join([one.name, *given.settings])}, {count(given.threads)}")
        show_training(one, given)
        show_decoding(one, given)


def show_training(one: Subject, given: argparse.Namespace) -> None:
    """Prints where an update spends its time."""
    found = take_apart(updating(one, given.precision), given.runs)
    tokens, operations = batch_of(one).tokens, operations_of(one)
    print(f"\nan update of {tokens:,} target tokens in {given.precision}")
    print(*lines(found, operations / peak(given.precision)), sep="\n")


def show_decoding(one: Subject, given: argparse.Namespace) -> None:
    """Prints where a step of a search spends its time; the encoder's is spread over the steps."""
    work = searching(one, given.beam, workers=1)  # torch's profiler sees one thread alone
    found = take_apart(work, given.runs)
    operations = operations_in(work) / found.steps
    print(f"\none of {found.steps} steps of {SENTENCES} searches, beam {given.beam}, in float32")
    print(*lines(found, operations / peak("float32")), sep="\n")


def lines(found: Breakdown, products: float) -> Iterator[str]:
    """Yields the table of a breakdown.

    Args:
        found: what was measured.
        products: seconds that its matrix products need at the peak.
    """
    total = sum(found.parts.values())
    for kind in sorted(KINDS, key=lambda kind: -found.parts.get(kind, 0.0)):
        if spent := found.parts.get(kind, 0.0):
            yield f"{kind:20} {1000 * spent:10.3f} ms {spent / total:6.1%}"
    yield f"{'together':20} {1000 * total:10.3f} ms, watched by the profiler"
    yield f"{'unwatched':20} {1000 * found.seconds:10.3f} ms"
    share = f"{products / found.seconds:6.1%} of that"
    yield f"{'products at the peak':20} {1000 * products:10.3f} ms {share}"


def take_apart(work: Work, runs: int) -> Breakdown:
    """Times a piece of work, then profiles it and sorts its operators by kind."""
    per_second = repeat(lambda: work() and 1, 0.0, _PATIENCE).value
    with labelled(), profile(activities=[ProfilerActivity.CPU]) as watched:
        begin = time.perf_counter()
        for _ in range(runs):
            work()
        seconds = time.perf_counter() - begin
    events = list(watched.events() or [])
    steps = max(1, sum(event.name == STEP for event in events) // runs)
    parts = by_kind(events)
    # Of Python, of autograd's own work and of the profiler's, no operator gives account.
    parts[OUTSIDE] = seconds - sum(parts.values())
    each = {kind: spent / runs / steps for kind, spent in parts.items()}
    return Breakdown(1 / per_second / steps, each, steps)


@contextmanager
def labelled() -> Iterator[None]:
    """Makes the functions of `RANGES` known to the profiler for a while."""
    with ExitStack() as stack:
        for owner, name, kind in RANGES:
            stack.enter_context(mock.patch.object(owner, name, label(getattr(owner, name), kind)))
        yield


def label(function: Callable[..., Any], kind: str) -> Callable[..., Any]:
    """Wraps a function in a range of that name."""

    @wraps(function)
    def inside(*arguments: Any, **options: Any) -> Any:
        with record_function(kind):
            return function(*arguments, **options)

    return inside


def by_kind(events: Sequence[FunctionEvent]) -> dict[str, float]:
    """Adds up the seconds of operators, without those they call, by kind."""
    operators = [event for event in events if event.name.startswith("aten::")]
    operators.sort(key=lambda event: event.time_range.start)
    forward = {event.sequence_nr: event for event in operators}
    spent: dict[str, float] = defaultdict(float)
    for event in operators:
        spent[kind_of(event, forward)] += event.self_cpu_time_total / 1e6
    return spent


def kind_of(event: FunctionEvent, forward: dict[int, FunctionEvent]) -> str:
    """Sorts an operator by the function it runs in, or by its name where none tells.

    Args:
        event: the operator.
        forward: by sequence number, the last operator of the forward pass that bears it: the one
            whose gradient the operators of the backward pass under that number calculate.
    """
    named = KIND_OF.get(event.name, OTHER)
    around = range_of(event, forward)
    if around == RECURRENT or (around is not None and named != PRODUCTS):
        return around
    return NORMS if "norm" in event.name and around is None else named


def range_of(event: FunctionEvent, forward: dict[int, FunctionEvent]) -> str | None:
    """Finds the innermost of `RANGES` around an operator, or around the one it differentiates."""
    above = event.cpu_parent
    while above is not None:
        if above.name in KINDS:
            return above.name
        if above.name.startswith("_SmoothedLoss"):
            return LOSS
        if above.scope == 1 and above.sequence_nr in forward:
            return range_of(forward[above.sequence_nr], {})
        above = above.cpu_parent
    return None


def operations_in(work: Work) -> int:
    """Counts the floating-point operations of the matrix products in a piece of work."""
    with FlopCounterMode(display=False, custom_mapping=FUSED) as counter:
        work()
    return counter.get_total_flops()


def _operations_of_recurrence(
    x: Sequence[int], weight_in: Sequence[int], weight_hidden: Sequence[int], *_: Any, **__: Any
) -> int:
    return 2 * prod(x[:-1]) * (prod(weight_in) + prod(weight_hidden))


FUSED = {torch.ops.aten.mkldnn_rnn_layer: _operations_of_recurrence}
"""Fused recurrences, which torch's counter does not know."""


def peak(precision: Precision) -> float:
    """Measures how many floating-point operations a second are reached here at best."""
    with torch.inference_mode():
        return repeat(multiplying(SQUARE, precision), _PATIENCE, _PATIENCE).value


if __name__ == "__main__":
    main()

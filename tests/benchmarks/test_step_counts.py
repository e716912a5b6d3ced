"""What one training step and one decoding step make torch do, as recorded: counted, not timed.

Counts do not depend on how busy a machine is, so that they catch what a timing would drown: a copy
more, a cast a layer, a tensor that nobody needs. A change that is meant to alter them renews the
record, and its figures before and after show what it brought:

    python tests/benchmarks/test_step_counts.py
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from seq2see.data.batches import Batch, pad_right
from seq2see.data.tokenizers import END, PAD, SPECIALS, START
from seq2see.decode.generate import generate
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.decode.rules import Unwritable
from seq2see.nn.network import Network, Sizes
from seq2see.nn.precision import cast
from seq2see.nn.settings import RecurrentSettings, Settings, TransformerSettings
from seq2see.train.distributed import Team
from seq2see.train.optimizer import Average, Optimizer
from seq2see.train.settings import Precision, TrainSettings
from seq2see.train.update import Updater

RECORD = Path(__file__).with_name("step_counts.json")
COMMAND = f"python {Path(__file__).relative_to(Path(__file__).parents[2])}"
SIZES = Sizes(50, 60)
LENGTHS = ((5, 4), (7, 7), (3, 9), (7, 6))
"""Tokens of source and target of each pair; no two rows need the same padding."""

NETWORKS: dict[str, Settings] = {
    "transformer": TransformerSettings(
        encoder_layers=2,
        decoder_layers=2,
        d_model=32,
        d_ff=64,
        heads=4,
        feedforward="relu",
        positions="sinusoidal",
        norm="layer",
        norm_place="before",
        tied="decoder",
        dropout=0.1,
    ),
    "bilstm+additive": RecurrentSettings(
        "lstm",
        bidirectional=True,
        attention="additive",
        encoder_layers=1,
        decoder_layers=1,
        d_embedding=32,
        d_hidden=32,
        tied="decoder",
        dropout=0.1,
    ),
}

TRAININGS: tuple[tuple[str, Precision], ...] = (
    ("transformer", "float32"),
    ("transformer", "bfloat16"),
    ("bilstm+additive", "float32"),
)
"""Not the LSTM in bfloat16: only some processors have a fused kernel for it."""

DECODINGS = (
    ("transformer", 1),
    ("transformer", 5),
    ("bilstm+additive", 1),
    ("bilstm+additive", 5),
)


@dataclass(frozen=True)
class Counts:
    """What was done.

    Args:
        operators: calls that reach torch's dispatcher.
        copies: copies and casts, those inside operators included.
        bytes: memory that operators still held when they returned. What they claim and give back
            inside, as room to pack a matrix in, differs between processors.
    """

    operators: int
    copies: int
    bytes: int

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*(a - b for a, b in zip(values(self), values(other), strict=True)))


def values(counts: Counts) -> tuple[int, ...]:
    return tuple(asdict(counts).values())


class Calls(TorchDispatchMode):
    """Counts operators by name; one that torch composes of others counts as what it consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.by_name: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        with self:
            parts = func.decompose(*args, **kwargs)
        if parts is not NotImplemented:
            return parts
        self.by_name[str(func)] += 1
        return func(*args, **kwargs)


def counted(work: Callable[[], object]) -> Counts:
    """Does the work twice: once for the operators, once for what happens inside them."""
    with Calls() as calls:
        work()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        work()
    events = list(watched.events() or [])
    copies = sum(event.name == "aten::copy_" for event in events)
    claimed = sum(max(0, event.self_cpu_memory_usage) for event in events)
    return Counts(calls.by_name.total(), copies, claimed)


def batch() -> Batch:
    rows = [np.arange(n, dtype=np.int32) % 40 + len(SPECIALS) for pair in LENGTHS for n in pair]
    for row in rows:
        row[-1] = END
    source, wanted = pad_right(rows[::2]), pad_right(rows[1::2])
    start = torch.full((len(LENGTHS), 1), START)
    target = torch.cat([start, wanted[:, :-1]], dim=1)
    tokens = int((wanted != PAD).sum())
    return Batch(source, source != PAD, target, wanted, tokens, np.arange(len(LENGTHS)))


def training_step(name: str, precision: Precision) -> Counts:
    """Counts the third update: the first ones claim the optimizer's memory."""
    torch.manual_seed(1)
    network = cast(Network(NETWORKS[name], SIZES).train(), precision)
    optimizer = Optimizer(network, TrainSettings())
    average = Average(optimizer.masters, TrainSettings())
    updater = Updater(network, optimizer, TrainSettings(), Team())
    group = [batch()]

    def update() -> None:
        updater.update(group, 1e-3)
        average.follow(1)

    update()
    update()
    return counted(update)


def decoding_step(name: str, beam: int) -> Counts:
    """Counts a step of a search: what the seventh one adds to six of them."""
    torch.manual_seed(1)
    network = Network(NETWORKS[name], SIZES).eval()
    never_ending = Unwritable((*Unwritable().never, END))
    sources = [[*range(len(SPECIALS), len(SPECIALS) + n), END] for n, _ in LENGTHS]

    def search(steps: int) -> Callable[[], object]:
        requests = [Request(source, steps) for source in sources]
        return lambda: generate(network, requests, SearchOptions(beam=beam), never_ending)

    search(6)()
    return counted(search(7)) - counted(search(6))


CASES: dict[str, Callable[[], Counts]] = {
    **{f"training {n} in {p}": partial(training_step, n, p) for n, p in TRAININGS},
    **{f"decoding {n}, beam {b}": partial(decoding_step, n, b) for n, b in DECODINGS},
}


def on_one_thread(count: Callable[[], Counts]) -> Counts:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            return count()
    finally:
        torch.set_num_threads(threads)


def maker() -> dict[str, str]:
    """What the counts hang on beside our own code: operators are torch's, and differ by version."""
    return {"torch": torch.__version__.partition("+")[0], "machine": platform.machine()}


@pytest.fixture(scope="module")
def recorded() -> dict[str, dict[str, int]]:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    if record["made with"] != maker():
        pytest.skip(f"recorded with {record['made with']}, and here is {maker()}")
    return record["counts"]


@pytest.mark.parametrize("name", CASES)
def test_a_step_does_what_is_recorded(name: str, recorded: dict[str, dict[str, int]]) -> None:
    assert sorted(recorded) == sorted(CASES), f"renew the record: {COMMAND}"
    found = asdict(on_one_thread(CASES[name]))
    assert found == recorded[name], (
        f"{name} did {recorded[name]} and now does {found}. If that is meant, renew the record with"
        f" `{COMMAND}` and commit it with the change"
    )


def test_counts_are_the_same_twice() -> None:
    count = CASES["training bilstm+additive in float32"]
    assert on_one_thread(count) == on_one_thread(count)


def test_known_work_is_counted_rightly() -> None:
    x = torch.zeros(8, 4)
    assert counted(lambda: x + x) == Counts(1, 0, 128)
    assert counted(x.clone) == Counts(1, 1, 128)
    assert counted(x.double) == Counts(1, 1, 256)
    assert counted(lambda: x.add_(x)) == Counts(1, 0, 0)
    mask = x > 0
    assert counted(lambda: x * mask) == Counts(1, 1, 128)  # the operator casts within itself


def test_an_operator_of_several_counts_as_its_parts() -> None:
    x, w, b = torch.zeros(8, 4), torch.zeros(3, 4), torch.zeros(3)
    outside = counted(lambda: F.linear(x, w, b))
    with torch.inference_mode():  # where torch hands it over as one
        inside = counted(lambda: F.linear(x, w, b))
    assert outside == inside == Counts(2, 1, 96)  # a transposition, a product; the bias is copied


if __name__ == "__main__":
    counts = {name: asdict(on_one_thread(count)) for name, count in CASES.items()}
    text = json.dumps({"made with": maker(), "counts": counts}, indent=2) + "\n"
    RECORD.write_text(text, encoding="utf-8")

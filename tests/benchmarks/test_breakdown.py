"""The breakdown sorts operators rightly, leaves no time out, and undoes what it changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

import helpers
from seq2see.nn import attention
from seq2see.nn.dropout import Dropout
from seq2see.nn.recurrent import Recurrence

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "breakdown.py"
SMALL = {
    "tiny": ["model.d_model=16", "model.d_ff=32", "model.heads=2", "data.vocabulary=50"],
    "bilstm+additive": ["model.d_embedding=16", "model.d_hidden=16"],
}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return helpers.script(SCRIPT, "breakdown")


@pytest.fixture
def small_square(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    square = script.SQUARE.__class__("square", 1, 64, 64, 64)
    monkeypatch.setattr(script, "SQUARE", square)


def events_of(script: ModuleType, work: Callable[[], object]) -> list[FunctionEvent]:
    work()
    with script.labelled(), profile(activities=[ProfilerActivity.CPU]) as watched:
        work()
    return list(watched.events() or [])


def kinds_of(script: ModuleType, work: Callable[[], object]) -> dict[str, set[str]]:
    """The kinds that each operator was sorted into."""
    operators = [e for e in events_of(script, work) if e.name.startswith("aten::")]
    forward = {e.sequence_nr: e for e in sorted(operators, key=lambda e: e.time_range.start)}
    kinds: dict[str, set[str]] = {}
    for event in operators:
        kinds.setdefault(event.name, set()).add(script.kind_of(event, forward))
    return kinds


def test_an_operator_is_sorted_by_where_it_runs(script: ModuleType) -> None:
    x = torch.randn(4, 8, requires_grad=True)
    weight = torch.randn(8, 8, requires_grad=True)
    dropout = Dropout(0.5).train()
    found = kinds_of(script, lambda: (dropout(x) @ weight).tanh().sum().backward())  # type: ignore[no-untyped-call]
    assert found["aten::random_"] == {script.DROPOUT}
    assert found["aten::mul"] == {script.DROPOUT}  # the mask, and its gradient
    assert found["aten::mm"] == {script.PRODUCTS}  # both ways
    assert found["aten::tanh_backward"] == {script.ELEMENTWISE}


def test_the_backward_pass_of_a_recurrence_belongs_to_it(script: ModuleType) -> None:
    cell, x = Recurrence("lstm", 4, 4).train(), torch.randn(2, 3, 4, requires_grad=True)
    found = kinds_of(script, lambda: cell(x, cell.zero(x))[0].sum().backward())
    kernels = {kind for name, kinds in found.items() if "rnn" in name for kind in kinds}
    assert kernels in ({script.RECURRENT}, set())  # a machine may lack the fused kernel
    double = cell.double()
    y = x.detach().double().requires_grad_()
    found = kinds_of(script, lambda: double(y, double.zero(y))[0].sum().backward())
    assert found["aten::mm"] == {script.RECURRENT}


def test_softmax_and_norms_and_loss_are_found(script: ModuleType) -> None:
    scores = torch.randn(1, 1, 4, 4, requires_grad=True)
    mask = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    norm, wanted = nn.LayerNorm(4), torch.zeros(4, dtype=torch.int64)

    def work() -> None:
        y = norm(attention.attention_weights(scores, mask))[0, 0]
        loss, _ = script.update.smoothed_loss(y, torch.ones(7, 4, requires_grad=True), wanted, 0.1)
        loss.backward()

    found = kinds_of(script, work)
    assert found["aten::_softmax_backward_data"] == {script.SOFTMAX}
    assert found["aten::native_layer_norm_backward"] == {script.NORMS}
    assert found["aten::scatter_add_"] == {script.LOSS}
    assert found["aten::exp_"] == {script.LOSS}
    assert found["aten::mm"] == {script.PRODUCTS}


def test_functions_are_put_back(script: ModuleType) -> None:
    before = [getattr(owner, name) for owner, name, _ in script.RANGES]
    with script.labelled():
        assert all(
            getattr(owner, name) is not old
            for (owner, name, _), old in zip(script.RANGES, before, strict=True)
        )
    assert [getattr(owner, name) for owner, name, _ in script.RANGES] == before


def test_no_time_is_left_out(script: ModuleType) -> None:
    x = torch.randn(64, 64)

    def work() -> None:
        F.gelu(x @ x)
        sum(range(20_000))  # which no operator gives account of

    events = events_of(script, work)
    spent = sum(script.by_kind(events).values())
    assert spent == pytest.approx(sum(e.self_cpu_time_total for e in events) / 1e6)
    found = script.take_apart(lambda: work() or 1.0, 3)
    assert found.steps == 1
    assert found.parts[script.OUTSIDE] > 0
    assert set(found.parts) <= set(script.KINDS)


def test_the_operations_of_a_fused_recurrence_are_counted(script: ModuleType) -> None:
    cell, x = Recurrence("lstm", 6, 5).eval(), torch.randn(2, 3, 6)
    by_hand = 2 * (2 * 3) * 20 * (6 + 5)
    for kind in (torch.float32, torch.float64):
        cell, y = cell.to(kind), x.to(kind)
        with torch.inference_mode():
            assert script.operations_in(lambda: cell(y, cell.zero(y))) == by_hand  # noqa: B023


@pytest.mark.usefixtures("small_square")
@pytest.mark.parametrize("name", SMALL)
def test_both_steps_are_shown(
    name: str, script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [*SMALL[name], "train.batch_tokens=100"]
    script.main([name, *settings, "--precision", "bfloat16", "--threads", "1", "--runs", "1"])
    head, training, decoding = capsys.readouterr().out.split("\n\n")
    assert head == f"{name} {' '.join(settings)}, 1 thread"
    assert "target tokens in bfloat16" in training.splitlines()[0]
    assert "beam 5, in float32" in decoding.splitlines()[0]
    for table, kinds in (
        (training, (script.PRODUCTS, script.DROPOUT, script.LOSS, script.OPTIMIZER)),
        (decoding, (script.PRODUCTS, script.SOFTMAX, script.SEARCH, script.COPIES)),
    ):
        rows = [line for line in table.splitlines() if line.endswith("%")]
        assert sum(float(row.split()[-1][:-1]) for row in rows) == pytest.approx(100, abs=1)
        assert all(any(row.startswith(kind) for row in rows) for kind in kinds)
        assert "products at the peak" in table

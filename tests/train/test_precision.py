"""The arithmetic is chosen by measuring, and measuring changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fixtures import copying, stored
from helpers import transformer_settings
from seq2see.data.batches import Batch, Batches, BatchPlan, Cursor
from seq2see.nn.network import Network, Sizes
from seq2see.train import precision
from seq2see.train.precision import fastest


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network(transformer_settings(dropout=0.1), Sizes(20, 20))


@pytest.fixture
def batches(tmp_path: Path) -> list[Batch]:
    stream = Batches(stored(tmp_path, copying(60)), BatchPlan(60)).after(Cursor())
    return [next(stream)[0] for _ in range(4)]


def timed(monkeypatch: pytest.MonkeyPatch, times: dict[torch.dtype, Callable[[], float]]) -> None:
    def seconds(network: Network, batch: Batch) -> float:
        return times[network.output.weight.dtype]()

    monkeypatch.setattr(precision, "_seconds", seconds)


def fails() -> float:
    raise RuntimeError("\"addmm_impl_cpu_\" not implemented for 'BFloat16'")


def test_measuring_leaves_network_and_random_numbers_alone(
    network: Network, batches: list[Batch]
) -> None:
    before = {name: t.clone() for name, t in network.state_dict().items()}
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    chosen, times = fastest(network, batches)
    assert torch.equal(torch.rand(3), expected)
    assert chosen in ("float32", "bfloat16")
    assert times["float32"] > 0
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())
    assert all(p.grad is None and p.dtype == torch.float32 for p in network.parameters())


@pytest.mark.parametrize(
    ("half", "chosen"), [(0.8, "bfloat16"), (0.95, "float32"), (1.5, "float32")]
)
def test_bfloat16_has_to_save_a_tenth(
    monkeypatch: pytest.MonkeyPatch,
    network: Network,
    batches: list[Batch],
    half: float,
    chosen: str,
) -> None:
    timed(monkeypatch, {torch.float32: lambda: 1.0, torch.bfloat16: lambda: half})
    assert fastest(network, batches) == (chosen, {"float32": 1000.0, "bfloat16": 1000 * half})


def test_the_first_batch_warms_up_and_the_median_counts(
    monkeypatch: pytest.MonkeyPatch, network: Network, batches: list[Batch]
) -> None:
    wide, half = iter([9.0, 1.0, 50.0, 2.0]), iter([9.0, 0.1, 7.0, 90.0])
    timed(monkeypatch, {torch.float32: wide.__next__, torch.bfloat16: half.__next__})
    assert fastest(network, batches) == ("float32", {"float32": 2000.0, "bfloat16": 7000.0})


def test_a_device_without_bfloat16_stays_with_float32(
    monkeypatch: pytest.MonkeyPatch, network: Network, batches: list[Batch]
) -> None:
    timed(monkeypatch, {torch.float32: lambda: 1.0, torch.bfloat16: fails})
    assert fastest(network, batches) == ("float32", {"float32": 1000.0})


def test_one_batch_is_enough(network: Network, batches: list[Batch]) -> None:
    chosen, times = fastest(network, batches[:1])
    assert chosen in ("float32", "bfloat16")
    assert times["float32"] > 0

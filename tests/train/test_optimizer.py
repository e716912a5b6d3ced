"""AdamW against torch's own, float32 masters under bfloat16, and averages computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seq2see.train.optimizer import Average, Optimizer
from seq2see.train.settings import TrainSettings


def new(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 3)).to(dtype)


def settings(**changes: Any) -> TrainSettings:
    return TrainSettings(**({"weight_decay": 0.1, "clip": 0.0} | changes))


def inputs(step: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(step)).to(dtype)


def backward(network: nn.Module, x: Tensor) -> None:
    network(x).pow(2).sum().backward()


def rate(step: int) -> float:
    return 0.01 / step


def plain(network: nn.Module, **changes: Any) -> torch.optim.AdamW:
    s = settings(**changes)
    groups = [
        {"params": [p for p in network.parameters() if p.dim() > 1], "weight_decay": 0.1},
        {"params": [p for p in network.parameters() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, betas=(s.beta1, s.beta2), eps=s.epsilon, fused=True)


@pytest.mark.parametrize("clip", [0.0, 0.5])
def test_float32_is_torch_s_adamw_bit_for_bit(clip: float) -> None:
    ours, theirs = new(), new()
    optimizer, adam = Optimizer(ours, settings(clip=clip)), plain(theirs)
    for step in range(1, 8):
        backward(ours, inputs(step))
        optimizer.gather()
        norm = optimizer.update(rate(step))
        backward(theirs, inputs(step))
        expected = nn.utils.clip_grad_norm_(theirs.parameters(), clip or float("inf"))
        for group in adam.param_groups:
            group["lr"] = rate(step)
        adam.step()
        adam.zero_grad()
        assert norm == float(expected)
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(a, b)
            assert a.grad is None


def test_gains_and_biases_do_not_decay() -> None:
    network = new()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = Optimizer(network, settings())
    for p in network.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.update(0.5)
    for name, p in network.named_parameters():
        share = 1 - 0.5 * 0.1 if p.dim() > 1 else 1.0
        torch.testing.assert_close(p.detach(), before[name] * share)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_changes_nothing(bad: float) -> None:
    network = new()
    optimizer = Optimizer(network, settings(clip=1.0))
    before = [p.detach().clone() for p in network.parameters()]
    backward(network, inputs(1))
    next(network.parameters()).grad[0, 0] = bad
    norm = optimizer.update(0.1)
    assert not torch.tensor(norm).isfinite()
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True))


def test_bfloat16_weights_are_rounded_float32_masters() -> None:
    network = new(torch.bfloat16)
    optimizer = Optimizer(network, settings())
    shadow = new(torch.bfloat16).float()
    adam = plain(shadow)
    for step in range(1, 30):
        backward(network, inputs(step, torch.bfloat16))
        gradients = {n: p.grad.float() for n, p in network.named_parameters()}
        optimizer.gather()
        assert all(p.grad is None for p in network.parameters())
        optimizer.update(1e-4)
        for name, p in shadow.named_parameters():
            p.grad = gradients[name]
        for group in adam.param_groups:
            group["lr"] = 1e-4
        adam.step()
    for name, p in shadow.named_parameters():
        master = optimizer.masters[name]
        assert master.dtype == torch.float32
        assert torch.equal(master, p)
        assert torch.equal(dict(network.named_parameters())[name], p.bfloat16())
    # Each update is below what bfloat16 can hold; the masters have added them up.
    rounded = new(torch.bfloat16).float()
    moved = [
        (a - b).abs().max() for a, b in zip(rounded.parameters(), shadow.parameters(), strict=True)
    ]
    assert all(each.item() > 1e-4 for each in moved)


def test_bfloat16_gradients_are_added_in_float32() -> None:
    network = new(torch.bfloat16)
    optimizer = Optimizer(network, settings())
    weight = network[0].weight
    for value in (1.0, 2.0**-10, 2.0**-10):
        weight.grad = torch.full_like(weight, value)
        optimizer.gather()
    assert torch.equal(optimizer.masters["0.weight"].grad, torch.full((8, 4), 1 + 2.0**-9))


def test_parameters_without_gradient_are_left_alone() -> None:
    network = new(torch.bfloat16)
    optimizer = Optimizer(network, settings())
    before = network[3].weight.detach().clone()
    network[0](inputs(1, torch.bfloat16)).sum().backward()
    optimizer.gather()
    optimizer.update(0.1)
    assert torch.equal(network[3].weight, before)


@pytest.mark.parametrize(
    ("rule", "kept"), [("adamw", "exp_avg/0.weight"), ("muon", "momentum/0.weight")]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_restored_optimizer_goes_on_bit_for_bit(dtype: torch.dtype, rule: str, kept: str) -> None:
    network, other = new(dtype), new(dtype)
    optimizer = Optimizer(network, settings(clip=1.0, optimizer=rule))

    def advance(model: nn.Module, by: Optimizer, steps: range) -> None:
        for step in steps:
            backward(model, inputs(step, dtype))
            by.gather()
            by.update(rate(step))

    advance(network, optimizer, range(1, 4))
    restored = Optimizer(other, settings(clip=1.0, optimizer=rule))
    restored.restore({name: t.clone() for name, t in optimizer.tensors().items()})
    assert all(
        torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True)
    )
    advance(network, optimizer, range(4, 8))
    advance(other, restored, range(4, 8))
    ours, theirs = optimizer.tensors(), restored.tensors()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert {"weight/0.weight", kept, "exp_avg_sq/1.bias"} <= ours.keys()


def test_a_fresh_optimizer_s_state_can_be_restored() -> None:
    optimizer = Optimizer(new(), settings())
    Optimizer(new(), settings()).restore(optimizer.tensors())


def averaged(kind: str, **changes: Any) -> tuple[Average, dict[str, Tensor]]:
    masters = {"w": torch.zeros(2), "b": torch.zeros(1)}
    return Average(masters, settings(average=kind, **changes)), masters


def test_ema_equals_the_recurrence() -> None:
    average, masters = averaged("ema", ema_decay=0.5)
    mean = 0.0
    for step in range(1, 20):
        masters["w"].fill_(float(step))
        masters["b"].fill_(-float(step))
        average.follow(step)
        decay = min(0.5, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * step
    weights = average.weights()
    torch.testing.assert_close(weights["w"], torch.full((2,), mean))
    torch.testing.assert_close(weights["b"], torch.full((1,), -mean))


def test_ema_soon_forgets_the_random_start() -> None:
    average, masters = averaged("ema", ema_decay=0.998)
    average.mean["w"].fill_(1.0)
    masters["w"].fill_(0.0)
    for step in range(1, 51):
        average.follow(step)
    assert float(average.weights()["w"].max()) < 1e-4  # 0.998 ** 50 would leave 0.9


@pytest.mark.parametrize(("last", "means"), [(1, [1, 2, 3, 4]), (3, [1, 1.5, 2, 3])])
def test_last_is_the_mean_of_the_last_validations(last: int, means: list[float]) -> None:
    average, masters = averaged("last", last=last)
    found = []
    for step in range(1, 5):
        masters["w"].fill_(float(step))
        average.follow(step)
        found.append(float(average.weights()["w"][0]))
    assert found == means
    assert len(average.snapshots) == last


def test_none_is_the_raw_weights() -> None:
    average, masters = averaged("none")
    masters["w"].fill_(3.0)
    average.follow(1)
    weights = average.weights()
    masters["w"].fill_(4.0)
    assert weights["w"].tolist() == [3.0, 3.0]


@pytest.mark.parametrize("kind", ["ema", "last", "none"])
def test_a_restored_average_goes_on_the_same(kind: str) -> None:
    first, masters = averaged(kind, last=2)
    for step in range(1, 4):
        masters["w"].fill_(float(step))
        first.follow(step)
        first.weights()
    second, others = averaged(kind, last=2)
    second.restore({name: t.clone() for name, t in first.tensors().items()})
    for step in range(4, 7):
        for average, weights in ((first, masters), (second, others)):
            weights["w"].fill_(float(step))
            average.follow(step)
        ours, theirs = first.weights(), second.weights()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)

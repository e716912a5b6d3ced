"""The fused kernels and the explicit equations agree: values, gradients, blind rows, train mode."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from helpers import network, normal, randomised, same, tokens, transformer_settings, watched
from seq2see.nn import attention
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.heads import HeadSizes
from seq2see.nn.positions import alibi
from seq2see.nn.recurrent import CellKind, Recurrence

LONG = attention.LONG
KINDS: tuple[CellKind, ...] = ("rnn", "gru", "lstm")
CPU = torch.device("cpu")


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of keys of each call of torch's fused attention."""
    calls: list[int] = []
    kernel = torch.nn.functional.scaled_dot_product_attention

    def spy(q: Tensor, k: Tensor, v: Tensor, **options: object) -> Tensor:
        calls.append(k.shape[-2])
        return kernel(q, k, v, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(attention.F, "scaled_dot_product_attention", spy)
    return calls


def layer(**changes: object) -> MultiHeadAttention:
    sizes = {"heads": 2, "kv_heads": 1, "d_key": 3, "d_value": 5} | changes
    return randomised(MultiHeadAttention(HeadSizes(8, **sizes)))  # type: ignore[arg-type]


def outcome(run: Callable[[], Tensor], module: nn.Module, x: Tensor) -> list[Tensor]:
    """The output, then the gradients of input and parameters of a sum weighted by position."""
    y = run()
    wanted = [x, *module.parameters()]
    return [y, *torch.autograd.grad((y * normal(*y.shape, seed=9)).sum(), wanted)]


def half_blind(keys: int) -> Tensor:
    """A random mask in which the second of four queries may look nowhere."""
    mask = normal(2, 1, 4, keys, seed=3) > 0
    mask[:, :, 1] = False
    return mask


MASKS = {
    "everywhere": torch.ones(1, 1, 1, 1).bool(),
    "padding": (torch.arange(LONG) < torch.tensor([[LONG], [5]]))[:, None, None],
    "blind": half_blind(LONG),
    "no row sees": torch.zeros(2, 1, 1, LONG).bool(),
}


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("biased", [False, True])
def test_attention(train: bool, mask: Tensor, biased: bool, fused: list[int]) -> None:
    net = layer().train(train)
    x, memory = normal(2, 4, 8).requires_grad_(), normal(2, LONG, 8, seed=1)
    bias = alibi(2, 4, LONG, CPU).double() if biased else None

    def run() -> Tensor:
        return net(net.queries(x), *net.keys_values(memory), mask, bias)

    quick = outcome(run, net, x)
    assert fused == [LONG]
    with watched(net):
        slow = outcome(run, net, x)
    assert fused == [LONG]
    for a, b in zip(quick, slow, strict=True):
        assert bool(torch.isfinite(a).all())
        same(a, b)
    blind = ~mask.any(-1).expand(2, 1, 4)[:, 0]
    same(quick[0][blind], net.output.bias.detach().expand(int(blind.sum()), 8))


@pytest.mark.parametrize("explicit", [False, True])
def test_nothing_flows_back_from_a_query_that_may_look_nowhere(explicit: bool) -> None:
    net, x = layer(), normal(2, 4, 8).requires_grad_()
    with watched(net) if explicit else nullcontext():
        y = net(net.queries(x), *net.keys_values(normal(2, LONG, 8)), half_blind(LONG))
        y.sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum(-1).gt(0).tolist() == [[True, False, True, True]] * 2


def test_unscaled_attention(fused: list[int]) -> None:
    net, x = layer(scaled=False), normal(2, 4, 8)
    arguments = net.queries(x), *net.keys_values(normal(2, LONG, 8)), MASKS["padding"]
    quick = net(*arguments)
    with watched(net):
        same(net(*arguments), quick)
    assert fused == [LONG]


def test_few_keys_take_the_explicit_equation(fused: list[int]) -> None:
    net, x = layer(), normal(1, 4, 8)
    net(net.queries(x), *net.keys_values(normal(1, LONG - 1, 8)), MASKS["everywhere"])
    assert fused == []


@pytest.mark.parametrize("tap", ["scores", "pattern"])
def test_one_inner_tap_is_enough_to_take_the_explicit_equation(tap: str, fused: list[int]) -> None:
    net, x = layer(), normal(1, 4, 8)
    arguments = net.queries(x), *net.keys_values(normal(1, LONG, 8)), MASKS["everywhere"]
    handle = net.get_submodule(tap).register_forward_hook(lambda *_: None)
    net(*arguments)
    assert fused == []
    handle.remove()
    net(*arguments)
    assert fused == [LONG]


@pytest.mark.parametrize("tap", ["q", "k", "v", "context"])
def test_outer_taps_leave_the_kernel_alone(tap: str, fused: list[int]) -> None:
    net, x = layer(), normal(1, 4, 8)
    net.get_submodule(tap).register_forward_hook(lambda _tap, _args, value: 2 * value)
    y = net(net.queries(x), *net.keys_values(normal(1, LONG, 8)), MASKS["everywhere"])
    assert fused == [LONG]
    with watched(net):
        same(net(net.queries(x), *net.keys_values(normal(1, LONG, 8)), MASKS["everywhere"]), y)


def test_dropout_of_weights_drops_weights_on_any_path(fused: list[int]) -> None:
    net, x = layer(dropout=0.5), normal(2, 4, 8)
    arguments = net.queries(x), *net.keys_values(normal(2, LONG, 8)), MASKS["padding"]
    torch.manual_seed(0)
    unseen = net.train()(*arguments)
    torch.manual_seed(0)
    with watched(net):
        same(net(*arguments), unseen)
    assert fused == []
    assert not torch.allclose(net.eval()(*arguments), unseen)
    assert fused == [LONG]


@pytest.mark.parametrize("positions", ["sinusoidal", "rotary", "alibi"])
def test_a_whole_network(positions: str, fused: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "LONG", 1)
    net = network(transformer_settings(positions=positions, decoder_layers=2, kv_heads=1))
    real = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()
    arguments = tokens(2, 4), real, tokens(2, 5, seed=1)
    quick = net(*arguments)
    assert fused == [4, 5, 4, 5, 4]
    with watched(net):
        same(net(*arguments), quick)


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_recurrence(kind: CellKind, train: bool) -> None:
    cell = randomised(Recurrence(kind, 3, 4)).train(train)
    x = normal(2, 6, 3).requires_grad_()
    start = tuple(normal(2, 4, seed=s) for s in range(len(cell.zero(x))))

    def run() -> Tensor:
        states, last = cell(x, start)
        return torch.cat([states, *(h[:, None] for h in last)], 1)

    quick = outcome(run, cell, x)
    with watched(cell) as seen:
        slow = outcome(run, cell, x)
    assert len(seen["hidden"]) == 6
    for a, b in zip(quick, slow, strict=True):
        same(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_any_gate_watched_takes_the_explicit_equation(kind: CellKind) -> None:
    cell, x = randomised(Recurrence(kind, 3, 4)), normal(2, 6, 3)
    for name, tap in cell.taps.items():
        seen: list[Tensor] = []
        handle = tap.register_forward_hook(lambda _t, _a, value, seen=seen: seen.append(value))
        cell(x, cell.zero(x))
        handle.remove()
        assert len(seen) == 6, name

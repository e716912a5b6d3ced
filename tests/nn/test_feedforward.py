"""The feed-forward layer, by hand."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch

from helpers import normal, randomised, same, watched
from seq2see.nn.feedforward import FeedForward, FeedForwardKind

KINDS = [kind for kind in get_args(FeedForwardKind) if kind != "none"]
BEND = {
    "relu": lambda a: max(a, 0.0),
    "gelu": lambda a: a * 0.5 * (1 + math.erf(a / math.sqrt(2))),
    "linear": lambda a: a,
}


@pytest.mark.parametrize("kind", BEND)
def test_by_hand(kind: FeedForwardKind) -> None:
    layer = FeedForward(kind, 1, 2, 0.0).double()
    layer.load_state_dict(
        {
            "widen.weight": torch.tensor([[2.0], [-3.0]]),
            "widen.bias": torch.tensor([0.5, 0.1]),
            "narrow.weight": torch.tensor([[1.0, 4.0]]),
            "narrow.bias": torch.tensor([0.2]),
        }
    )
    f = BEND[kind]
    for x in (-0.7, 0.0, 1.3):
        expected = f(2 * x + 0.5) + 4 * f(-3 * x + 0.1) + 0.2
        assert layer(torch.tensor([[[x]]]).double()).item() == pytest.approx(expected, abs=1e-6)


def test_swiglu_by_hand() -> None:
    layer = randomised(FeedForward("swiglu", 4, 6, 0.0))
    x = normal(2, 3, 4)
    gate = x @ layer.gate.weight.T + layer.gate.bias
    hidden = x @ layer.widen.weight.T + layer.widen.bias
    neurons = gate / (1 + (-gate).exp()) * hidden
    same(layer(x), neurons @ layer.narrow.weight.T + layer.narrow.bias)


@pytest.mark.parametrize("kind", KINDS)
def test_every_position_is_mapped_alone_and_alike(kind: FeedForwardKind) -> None:
    layer, x = randomised(FeedForward(kind, 4, 6, 0.0)), normal(2, 3, 4)
    one_by_one = torch.stack([layer(x[:, [p]])[:, 0] for p in range(3)], 1)
    same(layer(x), one_by_one)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_follow_the_equation(kind: FeedForwardKind) -> None:
    count = sum(p.numel() for p in FeedForward(kind, 4, 6, 0.0).parameters())
    assert count == (2 if kind == "swiglu" else 1) * (4 * 6 + 6) + 6 * 4 + 4


@pytest.mark.parametrize("kind", KINDS)
def test_taps_show_the_neurons_before_and_after_the_bend(kind: FeedForwardKind) -> None:
    layer, x = randomised(FeedForward(kind, 4, 6, 0.0)), normal(2, 3, 4)
    with watched(layer) as seen:
        y = layer(x)
    same(seen["hidden"][0], layer.widen(x))
    same(y, layer.narrow(seen["neurons"][0]))


def test_only_a_bend_makes_it_more_than_a_linear_map() -> None:
    def bent(kind: FeedForwardKind) -> float:
        layer = randomised(FeedForward(kind, 4, 6, 0.0))
        a, b = normal(1, 1, 4), normal(1, 1, 4, seed=1)
        return (layer(a) + layer(b) - 2 * layer((a + b) / 2)).abs().max().item()

    assert bent("linear") < 1e-12
    assert min(bent(kind) for kind in KINDS if kind != "linear") > 1e-3


def test_dropout_thins_the_neurons_while_training() -> None:
    layer = randomised(FeedForward("linear", 4, 6, 0.5)).train()
    torch.manual_seed(0)
    assert not torch.equal(layer(normal(2, 3, 4)), layer(normal(2, 3, 4)))
    layer.eval()
    assert torch.equal(layer(normal(2, 3, 4)), layer(normal(2, 3, 4)))

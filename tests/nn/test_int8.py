from __future__ import annotations

import pytest
import torch
from torch import nn

from seq2see.nn.int8 import Int8Linear, quantise


@pytest.fixture
def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(24, 40)


def test_one_number_by_hand() -> None:
    linear = nn.Linear(2, 1)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[0.5, -1.0]]))
        linear.bias.fill_(0.25)
    # 0.5 / 1 * 127 = 63.5, which rounds to the even 64; 3 / 4 * 127 = 95.25 to 95.
    expected = (64 * 95 + -127 * 127) * (1 / 127) * (4 / 127) + 0.25
    assert Int8Linear(linear)(torch.tensor([[3.0, 4.0]])).item() == pytest.approx(expected)


@torch.no_grad()
def test_the_error_is_that_of_rounding(linear: nn.Linear) -> None:
    x = torch.randn(3, 5, 24)
    found, exact = Int8Linear(linear)(x), linear(x)
    assert found.shape == exact.shape
    # Half a step of either factor on every product, at most.
    step_x, step_w = x.abs().amax(-1, keepdim=True) / 254, linear.weight.abs().amax(1) / 254
    whole = x.abs().sum(-1, keepdim=True) * step_w
    whole = whole + linear.weight.abs().sum(1) * step_x + 24 * step_x * step_w
    assert ((found - exact).abs() <= whole * 1.0001).all()
    assert (found - exact).abs().max() > 0


@torch.no_grad()
def test_what_stands_beside_a_vector_does_not_change_it(linear: nn.Linear) -> None:
    layer = Int8Linear(linear)
    x = torch.randn(7, 24) * torch.logspace(-3, 3, 7)[:, None]
    assert torch.equal(torch.cat([layer(each[None]) for each in x]), layer(x))


def test_zeros_give_the_bias_and_what_is_no_number_stays_none(linear: nn.Linear) -> None:
    layer = Int8Linear(linear)
    assert torch.equal(layer(torch.zeros(1, 24))[0], linear.bias)
    bad = torch.zeros(2, 24)
    bad[0, 3] = torch.nan
    found = layer(bad)
    assert found[0].isnan().all()
    assert not found[1].isnan().any()


@pytest.mark.parametrize("size", [1e-38, 1e-30, 1e-20, 1e30])
def test_the_smallest_and_the_largest_numbers_stay_in_range(linear: nn.Linear, size: float) -> None:
    layer = Int8Linear(linear)
    x = torch.randn(3, 24)
    x = x / x.abs().max() * size
    error = (layer(x) - linear(x)).abs().max()
    assert error <= 0.02 * size * linear.weight.abs().sum(1).max() + 1e-6


def test_a_weight_of_zeros_gives_the_bias(linear: nn.Linear) -> None:
    nn.init.zeros_(linear.weight)
    assert torch.equal(Int8Linear(linear)(torch.randn(2, 24))[1], linear.bias)


def test_a_layer_that_stands_under_two_names_stays_one(linear: nn.Linear) -> None:
    network = nn.ModuleDict({"query": linear, "key": linear, "value": nn.Linear(24, 40)})
    quantise(network)
    assert isinstance(network["key"], Int8Linear)
    assert network["query"] is network["key"] is not network["value"]


def test_narrow_layers_stay_as_they_are() -> None:
    network = nn.Sequential(nn.Linear(24, 40), nn.Sequential(nn.Linear(40, 8)), nn.Embedding(5, 3))
    quantise(network)
    kinds = [type(module) for module in network.modules()]
    assert kinds == [nn.Sequential, Int8Linear, nn.Sequential, nn.Linear, nn.Embedding]

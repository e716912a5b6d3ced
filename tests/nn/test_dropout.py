"""Dropout from single random bytes: rate, scale, independence, gradient."""

from __future__ import annotations

import pytest
import torch

from seq2see.nn.dropout import Dropout, keep_mask

SIDE = 512
"""262,144 draws: the deviation of a share is below 0.001."""


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.3, 0.5, 0.9])
def test_share_and_mean_and_scale(rate: float) -> None:
    torch.manual_seed(1)
    y = Dropout(rate)(torch.ones(SIDE, SIDE))
    rounded = round(rate * 256) / 256
    assert abs(rounded - rate) <= 1 / 512
    assert float((y == 0).float().mean()) == pytest.approx(rounded, abs=0.005)
    assert float(y.mean()) == pytest.approx(1, abs=0.02)
    assert y[y != 0].unique().tolist() == [pytest.approx(1 / (1 - rounded), rel=1e-7)]


def test_every_one_of_the_eight_decisions_of_a_number_has_the_same_rate() -> None:
    torch.manual_seed(1)
    kept = keep_mask(torch.empty(SIDE, SIDE), 64).view(-1, 8).float().mean(0)
    assert kept.tolist() == pytest.approx([0.75] * 8, abs=0.01)


def test_decisions_are_independent_of_their_neighbours() -> None:
    torch.manual_seed(1)
    kept = keep_mask(torch.empty(SIDE, SIDE), 128).flatten().double()
    for distance in (1, 2, 4, 7, 8, 16, SIDE):
        pair = torch.stack([kept[:-distance], kept[distance:]])
        assert abs(float(torch.corrcoef(pair)[0, 1])) < 0.01


def test_masks_differ_from_call_to_call_and_repeat_for_a_seed() -> None:
    layer, x = Dropout(0.5), torch.ones(40, 5)
    torch.manual_seed(7)
    first, second = layer(x), layer(x)
    torch.manual_seed(7)
    assert torch.equal(layer(x), first)
    assert torch.equal(layer(x), second)
    assert not torch.equal(first, second)


def test_evaluation_mode_and_rate_0_hand_the_value_back() -> None:
    x = torch.randn(3, 4)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_rate_0_draws_no_random_number() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    Dropout(0.0)(torch.ones(3))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_rate_close_to_1_still_keeps_something() -> None:
    torch.manual_seed(0)
    y = Dropout(0.9999)(torch.ones(SIDE, SIDE))
    assert set(y.unique().tolist()) == {0.0, 256.0}


def test_gradient_is_0_where_dropped_and_the_scale_elsewhere() -> None:
    torch.manual_seed(0)
    x = torch.randn(50, 7, requires_grad=True)
    y = Dropout(0.5)(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, torch.where(y == 0, 0.0, 2.0))
    assert torch.equal(y, x * x.grad)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (2, 3, 4, 5), (0, 4)], ids=str)
def test_any_shape_and_type(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    y = Dropout(0.5)(torch.ones(shape, dtype=dtype))
    assert y.shape == shape
    assert y.dtype == dtype


def test_a_transposed_view_is_dropped_element_by_element() -> None:
    torch.manual_seed(0)
    y = Dropout(0.5)(torch.ones(6, 40).T)
    assert y.shape == (40, 6)
    assert 0.3 < float((y == 0).float().mean()) < 0.7


def test_the_printed_layer_shows_its_rate() -> None:
    assert str(Dropout(0.3)) == "Dropout(rate=0.3)"

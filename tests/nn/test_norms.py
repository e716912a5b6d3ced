"""Normalisation: what each kind averages over, and that padding never counts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from helpers import normal, randomised, same
from seq2see.nn.norms import GROUPS, Norm, NormKind

KINDS: tuple[NormKind, ...] = ("layer", "rms", "batch", "instance", "group", "none")
REAL = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]]).bool()


def standard(x: Tensor, *dims: int) -> Tensor:
    """Mean 0 and variance 1 over `dims`."""
    return (x - x.mean(dims, keepdim=True)) / (x.var(dims, False, keepdim=True) + 1e-5).sqrt()


def norm(kind: NormKind, d_model: int = 8) -> Norm:
    return Norm(kind, d_model).double()


def test_layer_norm_by_hand() -> None:
    y = norm("layer", 4)(torch.tensor([[[1.0, 2.0, 3.0, 6.0]]]).double())
    expected = torch.tensor([-2.0, -1.0, 0.0, 3.0]).double() / (3.5 + 1e-5) ** 0.5
    same(y[0, 0], expected)


def test_rms_norm_by_hand() -> None:
    y = norm("rms", 2)(torch.tensor([[[1.0, 7.0]]]).double())
    same(y[0, 0], torch.tensor([1.0, 7.0]).double() / (25 + 1e-6) ** 0.5)


def test_each_kind_averages_over_its_own_dimensions() -> None:
    x = normal(3, 5, 8) * 3 + 1
    same(norm("layer")(x), standard(x, -1))
    same(norm("group")(x), standard(x.view(3, 5, GROUPS, 2), -1).view(3, 5, 8))
    same(norm("instance")(x), standard(x, 1))
    same(norm("batch")(x), standard(x, 0, 1))
    same(norm("none")(x), x)
    rms = x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()
    same(norm("rms")(x), rms)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "none"])
def test_a_learned_affine_map_follows(kind: NormKind) -> None:
    layer, x = norm(kind), normal(3, 5, 8)
    plain = layer(x).detach()
    parameters = dict(layer.norm.named_parameters())
    assert {name: tuple(p.shape) for name, p in parameters.items()} == (
        {"weight": (8,)} if kind == "rms" else {"weight": (8,), "bias": (8,)}
    )
    randomised(layer)
    shift = 0 if kind == "rms" else layer.norm.bias
    same(layer(x), plain * layer.norm.weight + shift)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("train", [True, False])
def test_padding_never_enters_a_statistic(kind: NormKind, train: bool) -> None:
    one, two = randomised(Norm(kind, 8)).train(train), randomised(Norm(kind, 8)).train(train)
    x = normal(3, 5, 8)
    other = torch.where(REAL[..., None], x, 1e3 * normal(3, 5, 8, seed=1))
    same(one(x, REAL)[REAL], two(other, REAL)[REAL])
    same(one(x, REAL)[REAL], one(x[:, :5], REAL)[REAL])


def test_instance_norm_of_a_row_is_that_of_the_row_cut_to_its_length() -> None:
    layer, x = randomised(Norm("instance", 8)), normal(3, 5, 8)
    y = layer(x, REAL)
    for row, length in enumerate(REAL.sum(1).tolist()):
        same(y[row, :length], layer(x[row : row + 1, :length])[0])


def test_instance_norm_survives_a_row_without_tokens() -> None:
    x = normal(2, 3, 8).requires_grad_()
    real = torch.tensor([[1, 1, 0], [0, 0, 0]]).bool()
    y = norm("instance")(x, real)
    y.sum().backward()
    assert x.grad is not None
    assert bool(torch.isfinite(y).all() and torch.isfinite(x.grad).all())


def test_batch_norm_averages_over_the_real_tokens_of_the_batch() -> None:
    x = normal(3, 5, 8)
    layer = norm("batch")
    y = layer(x, REAL)
    same(y[REAL], standard(x[REAL], 0))
    assert not bool(y[~REAL].any())


def test_running_statistics_ignore_padding() -> None:
    x = normal(3, 5, 8) + 2
    layer = norm("batch")
    layer(torch.where(REAL[..., None], x, 1e6), REAL)
    same(layer.norm.running_mean, 0.1 * x[REAL].mean(0))
    same(layer.norm.running_var, 0.9 + 0.1 * x[REAL].var(0))


def test_batch_norm_uses_and_keeps_its_running_statistics_in_evaluation_mode() -> None:
    layer = norm("batch").eval()
    layer.norm.running_mean.copy_(normal(8))
    layer.norm.running_var.copy_(normal(8, seed=1).square() + 0.5)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    x = normal(3, 5, 8, seed=2)
    expected = (x - layer.norm.running_mean) / (layer.norm.running_var + 1e-5).sqrt()
    same(layer(x, REAL)[REAL], expected[REAL])
    same(layer(x), expected)
    for name, value in layer.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("kind", ["layer", "rms", "group", "none"])
def test_kinds_that_do_not_pool_over_time_treat_each_token_alone(kind: NormKind) -> None:
    layer, x = randomised(Norm(kind, 8)), normal(2, 5, 8)
    same(layer(x)[:, 2:3], layer(x[:, 2:3]))


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_comes_back_in_half_precision(kind: NormKind) -> None:
    x = torch.randn(3, 5, 8, dtype=torch.bfloat16)
    layer = Norm(kind, 8).to(torch.bfloat16)
    y = layer(x, REAL)
    assert y.dtype == torch.bfloat16
    exact = Norm(kind, 8)(x.float(), REAL)
    torch.testing.assert_close(y[REAL].float(), exact[REAL], rtol=0.02, atol=0.02)

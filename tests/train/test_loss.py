"""The fused loss against torch's own, in value and gradient, whole and in chunks."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from seq2see.train import loss as loss_module
from seq2see.train.loss import smoothed_loss

TOKENS, WIDTH, VOCABULARY = 13, 6, 17
SMOOTHINGS = [0.0, 0.1, 0.5]


def drawn(dtype: torch.dtype = torch.float64, tokens: int = TOKENS) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(tokens, WIDTH, generator=generator, dtype=torch.float64)
    weight = torch.randn(VOCABULARY, WIDTH, generator=generator, dtype=torch.float64)
    wanted = torch.randint(VOCABULARY, (tokens,), generator=generator)
    return hidden.to(dtype).requires_grad_(), weight.to(dtype).requires_grad_(), wanted


def reference(hidden: Tensor, weight: Tensor, wanted: Tensor, smoothing: float) -> Tensor:
    return F.cross_entropy(hidden @ weight.T, wanted, reduction="sum", label_smoothing=smoothing)


@pytest.fixture(params=[1, 5, TOKENS, 1000], ids="{} rows a chunk".format)
def chunked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "_CHUNK_NUMBERS", request.param * VOCABULARY)
    monkeypatch.setattr(loss_module, "_CHUNK_ROWS", 1)


@pytest.mark.usefixtures("chunked")
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_value_and_gradients_are_those_of_torch(smoothing: float) -> None:
    hidden, weight, wanted = drawn()
    loss, likelihood = smoothed_loss(hidden, weight, wanted, smoothing)
    (loss / 7).backward()
    expected = reference(*drawn()[:2], wanted, smoothing)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(likelihood, reference(hidden, weight, wanted, 0.0))
    ours = hidden.grad, weight.grad
    h, w, _ = drawn()
    (reference(h, w, wanted, smoothing) / 7).backward()
    torch.testing.assert_close(ours, (h.grad, w.grad))


@pytest.mark.usefixtures("chunked")
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_gradient_by_finite_differences(smoothing: float) -> None:
    hidden, weight, wanted = drawn()
    assert torch.autograd.gradcheck(
        lambda h, w: smoothed_loss(h, w, wanted, smoothing)[0], (hidden, weight)
    )


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_float32_agrees_with_torch(smoothing: float) -> None:
    hidden, weight, wanted = drawn(torch.float32)
    loss, _ = smoothed_loss(hidden, weight, wanted, smoothing)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, reference(hidden, weight, wanted, smoothing))


@pytest.mark.usefixtures("chunked")
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_bfloat16_is_close_and_sums_in_float32(smoothing: float) -> None:
    hidden, weight, wanted = drawn(torch.bfloat16)
    loss, likelihood = smoothed_loss(hidden, weight, wanted, smoothing)
    assert (loss.dtype, likelihood.dtype) == (torch.float32, torch.float32)
    loss.backward()
    h, w = (t.detach().float().requires_grad_() for t in (hidden, weight))
    exact = reference(h, w, wanted, smoothing)
    exact.backward()
    torch.testing.assert_close(loss, exact, rtol=0.01, atol=0.05)
    for ours, theirs in ((hidden.grad, h.grad), (weight.grad, w.grad)):
        assert ours.dtype == torch.bfloat16
        torch.testing.assert_close(ours.float(), theirs, rtol=0.05, atol=0.05)


def test_large_logits_do_not_overflow() -> None:
    hidden = torch.tensor([[500.0], [-500.0]], requires_grad=True)
    weight = torch.tensor([[1.0], [-1.0]], requires_grad=True)
    loss, likelihood = smoothed_loss(hidden, weight, torch.tensor([0, 0]), 0.0)
    assert (loss.item(), likelihood.item()) == (1000.0, 1000.0)
    loss.backward()
    assert hidden.grad.tolist() == [[0.0], [-2.0]]


def test_hand_computed_case() -> None:
    hidden, weight = torch.tensor([[1.0, 0.0]]), torch.tensor([[math.log(3), 0.0], [0.0, 5.0]])
    loss, likelihood = smoothed_loss(hidden, weight, torch.tensor([0]), 0.2)
    assert likelihood.item() == pytest.approx(-math.log(0.75))
    assert loss.item() == pytest.approx(-0.9 * math.log(0.75) - 0.1 * math.log(0.25))


def test_the_likelihood_carries_no_gradient() -> None:
    hidden, weight, wanted = drawn()
    _, likelihood = smoothed_loss(hidden, weight, wanted, 0.1)
    assert not likelihood.requires_grad


def test_no_tokens_cost_nothing() -> None:
    hidden, weight, wanted = drawn(tokens=0)
    loss, likelihood = smoothed_loss(hidden, weight, wanted, 0.1)
    loss.backward()
    assert (loss.item(), likelihood.item()) == (0.0, 0.0)
    assert not weight.grad.any()

"""Additive scores by pieces: the equation, whatever the pieces, with its gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from helpers import normal, same
from seq2see.nn import additive
from seq2see.nn.additive import additive_scores


def by_hand(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.tanh(q[:, :, None] + k[:, None]) @ v


@pytest.mark.parametrize("numbers", [1, 7, 60, 65, 200, 10_000])
def test_scores_and_gradients_are_those_of_the_equation(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 5 rows of 3 queries, 4 keys and 5 features: 20 numbers a query, 60 a row, 300 in all.
    monkeypatch.setattr(additive, "_PIECE_NUMBERS", numbers)
    given = [x.requires_grad_() for x in (normal(5, 3, 5), normal(5, 4, 5, seed=1), normal(5))]
    scores, expected = additive_scores(*given), by_hand(*given)
    same(scores, expected)
    weights = normal(5, 3, 4, seed=2)
    found = torch.autograd.grad((scores * weights).sum(), given)
    for one, other in zip(
        found, torch.autograd.grad((expected * weights).sum(), given), strict=True
    ):
        same(one, other)


@pytest.mark.parametrize(("rows", "queries", "keys"), [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_nothing_to_score_is_no_error(rows: int, queries: int, keys: int) -> None:
    q, k = normal(rows, queries, 5).requires_grad_(), normal(rows, keys, 5)
    scores = additive_scores(q, k, normal(5))
    assert scores.shape == (rows, queries, keys)
    scores.sum().backward()
    assert q.grad is not None
    same(q.grad, torch.zeros(rows, queries, 5).double())


def test_narrow_types_add_up_in_float32() -> None:
    given = [x.bfloat16().requires_grad_() for x in (normal(64, 9, 8), normal(64, 9, 8), normal(8))]
    found = torch.autograd.grad(additive_scores(*given).sum(), given)
    wide = [x.detach().double().requires_grad_() for x in given]
    for one, other in zip(found, torch.autograd.grad(by_hand(*wide).sum(), wide), strict=True):
        assert one.dtype == torch.bfloat16
        assert (one.double() - other).abs().max() <= 0.02 * other.abs().max()

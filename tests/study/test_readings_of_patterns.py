"""What studies read off patterns, scores and outputs, on ones whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch

from seq2see.study.accuracy import share_right
from seq2see.study.patterns import apart, on_itself
from seq2see.study.saturation import largest, slope, spread

EYE = torch.eye(3)
EVEN = torch.full((3, 3), 1 / 3)


def test_heads_that_look_alike_are_0_apart_and_heads_that_share_no_key_1() -> None:
    assert apart(torch.stack([EVEN, EVEN])) == 0
    assert apart(torch.stack([EYE, EYE.roll(1, 0)])) == pytest.approx(1)
    assert apart(torch.stack([EYE, EYE, EYE.roll(1, 0)])) == pytest.approx(2 / 3)
    assert apart(EYE[None]) == 0


def test_half_a_distance_by_hand() -> None:
    one, other = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.5, 0.5]]])
    mixed = -0.75 * math.log2(0.75) - 0.25 * math.log2(0.25)
    assert apart(torch.cat([one, other])) == pytest.approx(mixed - 0.5)


def test_the_weight_on_itself_is_that_of_the_diagonal() -> None:
    assert on_itself(torch.stack([EYE, EVEN])) == pytest.approx(2 / 3)


def test_the_slope_of_a_softmax_is_the_norm_of_its_jacobian() -> None:
    scores = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
    weights = torch.nn.functional.softmin(-scores, dim=0)
    jacobian = torch.autograd.functional.jacobian(
        lambda s: torch.nn.functional.softmin(-s, dim=0), scores
    )
    assert slope(weights[None, None]) == pytest.approx(float(jacobian.norm()))
    assert slope(EYE[None]) == 0


def test_spread_and_largest_weight_are_means_over_queries() -> None:
    assert spread(torch.tensor([[[1.0, -1.0], [3.0, -3.0]]])) == pytest.approx(2)
    assert largest(torch.tensor([[[0.9, 0.1], [0.5, 0.5]]])) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("output", "share"), [("a b c", 1.0), ("a x c d e", 2 / 3), ("a", 1 / 3), ("", 0.0)]
)
def test_words_are_right_at_their_places(output: str, share: float) -> None:
    assert share_right(output.split(), ["a", "b", "c"]) == pytest.approx(share)

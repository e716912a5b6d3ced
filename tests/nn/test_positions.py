"""Where a token stands: what each kind adds, by hand, and what that gives."""

from __future__ import annotations

import math

import pytest
import torch

from helpers import normal, same
from seq2see.nn.positions import (
    KEPT,
    Learned,
    NoPosition,
    Sinusoidal,
    alibi,
    consecutive,
    rotate,
    sinusoids,
)

CPU = torch.device("cpu")


def test_sinusoids_by_hand() -> None:
    slow = 10000 ** (-2 / 4)
    expected = [
        [math.sin(p), math.cos(p), math.sin(p * slow), math.cos(p * slow)] for p in (0, 1, 7)
    ]
    same(sinusoids(torch.tensor([0, 1, 7]), 4), torch.tensor(expected), 1e-6)


def test_an_odd_number_of_features_drops_the_last_cosine() -> None:
    positions = torch.arange(5)
    assert sinusoids(positions, 5).shape == (5, 5)
    assert sinusoids(positions, 1).flatten().tolist() == pytest.approx(
        [math.sin(p) for p in range(5)], abs=1e-6
    )


@pytest.mark.parametrize("d_model", [16, 64, 512])
def test_sinusoids_are_unique_for_2000_positions(d_model: int) -> None:
    code = sinusoids(torch.arange(2000), d_model)
    nearest = torch.cdist(code, code).fill_diagonal_(torch.inf).min()
    assert float(nearest) > 0.9


def test_one_frequency_alone_would_hardly_tell_2000_positions_apart() -> None:
    code = sinusoids(torch.arange(2000), 2).double()
    assert float(torch.cdist(code, code).fill_diagonal_(torch.inf).min()) < 1e-3


def test_periods_run_from_2_pi_to_10000_times_2_pi() -> None:
    d_model = 512
    angles = torch.atan2(*sinusoids(torch.arange(2), d_model)[1].double().view(-1, 2).unbind(-1))
    periods = 2 * math.pi / angles
    assert float(periods[0]) == pytest.approx(2 * math.pi, rel=1e-5)
    assert float(periods[-1]) == pytest.approx(2 * math.pi * 10000 ** (1 - 2 / d_model), rel=1e-3)
    ratios = periods[1:] / periods[:-1]
    same(ratios, torch.full_like(ratios, 10000 ** (2 / d_model)), 1e-3)


def test_a_shift_is_one_rotation_for_all_positions() -> None:
    sine, cosine = sinusoids(torch.arange(50), 16).double().view(50, 8, 2).unbind(-1)
    point = torch.complex(cosine, sine)
    turn = point[3:] / point[:-3]
    same(turn.abs(), torch.ones(47, 8).double(), 1e-5)
    same(turn, turn[:1].expand(47, 8), 1e-5)


def test_sinusoidal_adds_the_code_of_each_position_from_start() -> None:
    x = normal(2, 3, 6)
    same(Sinusoidal()(x, 4), x + sinusoids(torch.tensor([4, 5, 6]), 6).double())
    assert list(Sinusoidal().parameters()) == []


def test_few_frequencies_are_the_fastest_ones_and_the_rest_is_0() -> None:
    x, slow = normal(1, 3, 6), 10000 ** (-2 / 6)
    expected = [
        [math.sin(p), math.cos(p), math.sin(p * slow), math.cos(p * slow), 0, 0] for p in (4, 5, 6)
    ]
    same(Sinusoidal(2)(x, 4) - x, torch.tensor([expected]).double(), 1e-6)
    same(Sinusoidal(3)(x, 4), Sinusoidal()(x, 4))
    assert Sinusoidal(1).codes(torch.arange(2), 3).shape == (2, 3)


def test_sinusoidal_reaches_far_positions() -> None:
    code = Sinusoidal()(torch.zeros(1, 2, 4), 100_000)
    angle = 100_000 * 0.01
    expected = [math.sin(100_000), math.cos(100_000), math.sin(angle), math.cos(angle)]
    assert code[0, 0].tolist() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("start", "count"), [(0, 1), (7, 1), (3, 20), (KEPT - 2, 2), (KEPT, 5)])
@pytest.mark.parametrize("d_model", [6, 7, 256])
def test_what_is_kept_is_what_would_be_worked_out(start: int, count: int, d_model: int) -> None:
    found = consecutive(start, count, d_model, CPU)
    assert torch.equal(found, sinusoids(torch.arange(start, start + count), d_model))


def test_what_a_search_kept_can_be_learnt_with() -> None:
    with torch.inference_mode():
        Sinusoidal()(torch.zeros(1, 3, 22), start=0)
    scale = torch.ones(1, requires_grad=True)
    (consecutive(0, 3, 22, CPU) * scale).sum().backward()
    assert scale.grad is not None


def test_what_a_hook_writes_into_a_code_stays_in_that_call() -> None:
    positions, x = Sinusoidal(), torch.zeros(1, 3, 8)
    before = positions(x, start=0)
    handle = positions.code.register_forward_hook(lambda tap, args, code: code.fill_(9))
    assert (positions(x, start=0) == 9).all()
    handle.remove()
    assert torch.equal(positions(x, start=0), before)


def test_learned_adds_a_vector_a_position_and_its_last_one_past_the_table() -> None:
    layer, x = Learned(6, 5).double(), normal(2, 4, 6)
    table = layer.table
    same(layer(x, 0), x + table[:4])
    same(layer(x, 3), x + table[[3, 4, 4, 4]])
    layer(x, 3).sum().backward()
    assert table.grad is not None
    assert table.grad[:, 0].tolist() == [0, 0, 0, 2, 6]


def test_no_position_adds_nothing() -> None:
    x = normal(1, 3, 4)
    assert NoPosition()(x, 7) is x


def test_rotation_by_hand() -> None:
    x = torch.tensor([1.0, 0.0, 0.0, 2.0]).expand(1, 1, 3, 4)
    y = rotate(x, 5)[0, 0]
    for row, p in enumerate((5, 6, 7)):
        slow = p / 100
        expected = [math.cos(p), math.sin(p), -2 * math.sin(slow), 2 * math.cos(slow)]
        assert y[row].tolist() == pytest.approx(expected, abs=1e-5)


def test_rotation_keeps_lengths_and_leaves_position_0() -> None:
    x = normal(2, 3, 10, 8)
    same(rotate(x, 0).norm(dim=-1), x.norm(dim=-1), 1e-6)
    same(rotate(x, 0)[:, :, 0], x[:, :, 0])


def test_products_of_rotated_vectors_depend_on_distance_alone() -> None:
    q, k = normal(1, 1, 1, 8), normal(1, 1, 1, 8, seed=1)
    queries = rotate(q.expand(1, 1, 40, 8), 0)[0, 0]
    keys = rotate(k.expand(1, 1, 40, 8), 0)[0, 0]
    scores = queries @ keys.T
    for distance in (-20, -1, 0, 1, 7):
        line = scores.diagonal(distance)
        same(line, line[0].expand_as(line), 1e-5)
    assert len({round(float(scores.diagonal(d)[0]), 6) for d in range(-10, 10)}) == 20


def test_rotation_from_a_later_start_continues_the_earlier_one() -> None:
    x = normal(1, 2, 6, 4)
    same(rotate(x[:, :, 4:], 4), rotate(x, 0)[:, :, 4:])


def test_alibi_by_hand() -> None:
    bias = alibi(2, 2, 3, CPU)
    assert bias.shape == (1, 2, 2, 3)
    slow, fast = 2**-8, 2**-4  # heads 2 and 1 of 2
    expected = [[-1.0, 0.0, -1.0], [-2.0, -1.0, 0.0]]  # the last query stands at the last key
    same(bias[0, 0], fast * torch.tensor(expected))
    same(bias[0, 1], slow * torch.tensor(expected))


def test_alibi_of_eight_heads_has_the_papers_slopes() -> None:
    bias = alibi(8, 2, 2, CPU)
    assert (-bias[0, :, 0, 1]).tolist() == [2.0**-h for h in range(1, 9)]


def test_alibi_of_one_query_is_the_last_row_of_the_whole() -> None:
    same(alibi(4, 1, 9, CPU), alibi(4, 9, 9, CPU)[:, :, -1:])

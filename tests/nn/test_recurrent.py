"""Recurrence: one step by hand for each cell, and what has to pass through every step."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from helpers import normal, randomised, same, watched
from seq2see.nn.recurrent import GATES, CellKind, Recurrence, at_last, reverse

KINDS: tuple[CellKind, ...] = ("rnn", "gru", "lstm")


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def scalar_cell(kind: CellKind) -> Recurrence:
    """A cell with one feature; gate g = 0, 1, … has W = g + 1, U = -g - 2, b = 0.1 g, b' = 0.2."""
    cell = Recurrence(kind, 1, 1).double()
    gate = torch.arange(float(len(GATES[kind])), dtype=torch.float64)
    cell.weight_input.data = (gate + 1)[:, None]
    cell.weight_hidden.data = (-gate - 2)[:, None]
    cell.bias_input.data, cell.bias_hidden.data = 0.1 * gate, torch.full_like(gate, 0.2)
    return cell


def one_step(cell: Recurrence, x: float, *hidden: float) -> list[float]:
    state = tuple(torch.tensor([[h]], dtype=torch.float64) for h in hidden)
    states, last = cell(torch.tensor([[[x]]], dtype=torch.float64), state)
    assert states.item() == last[0].item()
    return [h.item() for h in last]


def test_rnn_step_by_hand() -> None:
    assert one_step(scalar_cell("rnn"), 0.5, 0.3) == pytest.approx(
        [math.tanh(1 * 0.5 + 0.0 - 2 * 0.3 + 0.2)]
    )


def test_gru_step_by_hand() -> None:
    x, h = 0.5, 0.3
    reset = sigmoid(1 * x + 0.0 - 2 * h + 0.2)
    update = sigmoid(2 * x + 0.1 - 3 * h + 0.2)
    candidate = math.tanh(3 * x + 0.2 + reset * (-4 * h + 0.2))
    expected = (1 - update) * candidate + update * h
    assert one_step(scalar_cell("gru"), x, h) == pytest.approx([expected])


def test_lstm_step_by_hand() -> None:
    x, h, c = 0.5, 0.3, -0.7
    write = sigmoid(1 * x + 0.0 - 2 * h + 0.2)
    forget = sigmoid(2 * x + 0.1 - 3 * h + 0.2)
    candidate = math.tanh(3 * x + 0.2 - 4 * h + 0.2)
    show = sigmoid(4 * x + 0.3 - 5 * h + 0.2)
    cell = forget * c + write * candidate
    assert one_step(scalar_cell("lstm"), x, h, c) == pytest.approx([show * math.tanh(cell), cell])


@pytest.mark.parametrize("kind", KINDS)
def test_reading_in_two_parts_is_reading_at_once(kind: CellKind) -> None:
    cell, x = randomised(Recurrence(kind, 3, 4)), normal(2, 7, 3)
    states, last = cell(x, cell.zero(x))
    first, between = cell(x[:, :3], cell.zero(x))
    second, end = cell(x[:, 3:], between)
    same(torch.cat([first, second], 1), states)
    for a, b in zip(end, last, strict=True):
        same(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_depends_on_the_past_alone(kind: CellKind) -> None:
    cell, x = randomised(Recurrence(kind, 3, 4)), normal(1, 6, 3)
    changed = x.clone()
    changed[:, 3] += 1
    a, b = cell(x, cell.zero(x))[0], cell(changed, cell.zero(x))[0]
    same(a[:, :3], b[:, :3])
    assert bool((a[:, 3:] != b[:, 3:]).any(-1).all())


@pytest.mark.parametrize("kind", KINDS)
def test_every_gate_has_a_tap_that_sees_every_step(kind: CellKind) -> None:
    cell, x = randomised(Recurrence(kind, 3, 4)), normal(2, 5, 3)
    with watched(cell) as seen:
        states, _ = cell(x, cell.zero(x))
    per_step = {*GATES[kind], "hidden"} | ({"cell"} if kind == "lstm" else set())
    assert {name: len(values) for name, values in seen.items()} == {
        **dict.fromkeys(per_step, 5),
        "states": 1,
    }
    assert {tuple(value.shape) for name in per_step for value in seen[name]} == {(2, 4)}
    same(torch.stack(seen["hidden"], 1), states)


def test_an_lstm_whose_forget_gate_is_held_open_keeps_its_cell() -> None:
    cell, x = randomised(Recurrence("lstm", 3, 4)), normal(2, 5, 3)
    cell.taps["forget"].register_forward_hook(lambda *_: torch.ones(2, 4).double())
    cell.taps["input"].register_forward_hook(lambda *_: torch.zeros(2, 4).double())
    start = normal(2, 4, seed=1)
    _, (_, end) = cell(x, (torch.zeros(2, 4).double(), start))
    same(end, start)


def reach(kind: CellKind, steps: int, **options: float) -> float:
    """How much the last state moves with the first input: the mean size of the gradient."""
    torch.manual_seed(0)
    cell, x = Recurrence(kind, 16, 16, **options), torch.randn(8, steps, 16).requires_grad_()
    _, last = cell(x, cell.zero(x))
    (gradient,) = torch.autograd.grad(last[-1].sum(), x)
    return float(gradient[:, 0].norm(dim=-1).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_last_state_knows_of_the_first_input_vanishes_with_distance(
    kind: CellKind,
) -> None:
    assert reach(kind, 40) < 0.1 * reach(kind, 10) < 0.1 * reach(kind, 1)


def test_a_forget_bias_keeps_far_information() -> None:
    assert reach("lstm", 20, forget_bias=1.0) > 100 * reach("lstm", 20, forget_bias=-1.0)


def test_a_large_recurrent_matrix_makes_the_gradient_explode() -> None:
    cell = Recurrence("rnn", 4, 4).double()
    cell.weight_hidden.data.mul_(1.5)
    x = torch.zeros(1, 40, 4, dtype=torch.float64, requires_grad=True)
    _, (last,) = cell(x, cell.zero(x))
    (gradient,) = torch.autograd.grad(last.sum(), x)
    assert float(gradient[0, 0].norm() / gradient[0, -1].norm()) > 1e6


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_matrices_start_orthogonal_and_biases_at_zero(kind: CellKind) -> None:
    cell = Recurrence(kind, 3, 4, forget_bias=1.5)
    for block in cell.weight_hidden.detach().chunk(len(GATES[kind])):
        same(block @ block.T, torch.eye(4), 1e-5)
    biases = dict(zip(GATES[kind], cell.bias_input.detach().chunk(len(GATES[kind])), strict=True))
    for gate, bias in biases.items():
        same(bias, torch.full((4,), 1.5 if gate == "forget" else 0.0))
    same(cell.bias_hidden.detach(), torch.zeros_like(cell.bias_hidden))


def test_reverse_turns_the_real_steps_round_and_leaves_the_padding() -> None:
    x = torch.arange(8.0).view(2, 4, 1)
    turned = reverse(x, torch.tensor([4, 2]))
    assert turned[..., 0].tolist() == [[3, 2, 1, 0], [5, 4, 6, 7]]
    same(reverse(turned, torch.tensor([4, 2])), x)


def test_at_last_takes_the_last_real_step() -> None:
    x: Tensor = torch.arange(8.0).view(2, 4, 1)
    assert at_last(x, torch.tensor([4, 2]))[:, 0].tolist() == [3, 5]


def test_a_vanilla_rnn_begins_where_its_tanh_lets_a_gradient_through() -> None:
    torch.manual_seed(0)
    layer = Recurrence("rnn", 256, 384)
    x = torch.randn(4, 8, 256, requires_grad=True)
    states, _ = layer(x, layer.zero(x))
    assert states.abs().mean() < 0.5  # far from the ends
    last = states[:, -1]
    (gradient,) = torch.autograd.grad(last, x, torch.randn_like(last))
    first, end = gradient[:, 0].norm(), gradient[:, -1].norm()
    assert first > 0.3 * end

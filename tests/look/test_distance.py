"""Gradients over distance: w^k of a scalar recurrence, and the Jacobian of every other network."""

from __future__ import annotations

import pytest
import torch
from opened import PAIRS, SETTINGS, TOKENIZERS, changed, network_of, opened
from torch import Tensor

from helpers import hooks_in, recurrent_settings
from seq2see.data.pairs import Pair
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.distance import distances
from seq2see.look.edit import edited
from seq2see.look.replace import replace
from seq2see.nn.hooks import Hooks, hooked
from seq2see.nn.network import Network


def close(a: Tensor, b: Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(a.double(), b.double(), rtol=tolerance, atol=1e-8)


def linear(name: str, table: str, width: int = 1) -> Translator:
    """A vanilla RNN that stays at 0, where tanh is the identity; it reads by 3 and keeps 0.8."""
    settings = recurrent_settings(
        "rnn", bidirectional=False, attention="none", d_embedding=width, d_hidden=width
    )

    def write(network: Network) -> None:
        network.get_submodule(table).weight.zero_()
        for parameter in network.get_submodule(name).parameters():
            parameter.zero_()
        for at in range(network.decoder.depth):
            start = network.get_submodule(f"decoder.start_{at}")
            start.weight.zero_()
            start.bias.zero_()
        cell = network.get_submodule(name)
        cell.weight_input.copy_(3.0 * torch.eye(width))
        cell.weight_hidden.copy_(0.8 * torch.eye(width).flip(0))

    return changed(opened(settings), write)


@pytest.mark.parametrize(
    ("at", "name", "table"),
    [("encoder", "encoder.0.forwards", "source.table"), ("decoder", "decoder.0", "target.table")],
)
def test_a_scalar_recurrence_forgets_by_its_weight(at: str, name: str, table: str) -> None:
    found = distances(linear(name, table), [Pair("abcdefgh", "abcdef"), Pair("ab", "ab")], at=at)
    longest = 9 if at == "encoder" else 7
    assert len(found) == longest
    close(found.mean, 3 * 0.8 ** torch.arange(longest))
    close(found.spread, torch.zeros(longest))
    assert found.count.tolist() == [2] * 3 + [1] * (longest - 3)
    assert found.exact


def test_the_norm_is_that_of_the_whole_jacobian_and_random_directions_estimate_it() -> None:
    model = linear("encoder.0.forwards", "source.table", width=24)
    exact, rough = (distances(model, "abcdefgh", "a", directions=n) for n in (24, 23))
    close(exact.mean, 24**0.5 * 3 * 0.8 ** torch.arange(9))
    assert (exact.exact, rough.exact) == (True, False)
    close(rough.mean, exact.mean, 0.2)
    assert not torch.equal(rough.mean, exact.mean)
    again = distances(model, "abcdefgh", "a", directions=23)
    assert torch.equal(again.mean, rough.mean)
    other = distances(model, "abcdefgh", "a", directions=23, seed=2)
    assert not torch.equal(other.mean, rough.mean)


def jacobian(model: Translator, pair: Pair, side: str, at: str) -> Tensor:
    """Norms `[late, early]` of the derivative of each state by each input, from torch.autograd."""
    network, values = network_of(model), []
    [source], _ = TOKENIZERS.sources([pair])
    [target] = TOKENIZERS.targets([pair.target], [[]])
    ids = torch.tensor([source]), torch.tensor([[2, *target[:-1]]])
    inputs, state = network.get_submodule(f"{side}.out"), network.get_submodule(at)

    def states(x: Tensor) -> Tensor:
        kept: list[Tensor] = []
        with hooked(Hooks(after=((inputs, lambda _: x), (state, kept.append)))):
            network(ids[0], torch.ones_like(ids[0], dtype=torch.bool), ids[1])
        return kept[0][0]

    with hooked(Hooks(after=((inputs, values.append),))), torch.no_grad():
        network(ids[0], torch.ones_like(ids[0], dtype=torch.bool), ids[1])
    found = torch.autograd.functional.jacobian(states, values[0])  # late d_state row early d_input
    return found[:, :, 0].square().sum((1, 3)).sqrt()


@pytest.mark.parametrize(
    ("kind", "at", "name", "side"),
    [
        ("transformer", "encoder", "encoder.out", "source"),
        ("transformer", "decoder", "decoder.out", "target"),
        ("shared", "encoder.0", "encoder.0.out", "source"),
        ("bilstm", "encoder", "encoder.0.forwards.states", "source"),
        ("bilstm", "encoder.out", "encoder.out", "source"),
        ("bilstm", "decoder.1", "decoder.1.states", "target"),
        ("gru", "decoder.out", "decoder.out", "target"),
    ],
)
@pytest.mark.parametrize("batch_tokens", [8, 8192])
def test_distances_are_those_of_each_pair_s_jacobian(
    kind: str, at: str, name: str, side: str, batch_tokens: int
) -> None:
    model = opened(SETTINGS[kind], batch_tokens=batch_tokens)
    found: dict[int, list[float]] = {}
    for pair in PAIRS:
        table = jacobian(model, pair, side, name)
        last = len(table) - 1
        for late in [last] if name.endswith("states") else range(last + 1):
            ends = late + 1 if side == "target" or name.endswith("states") else last + 1
            for early in range(ends):
                found.setdefault(abs(late - early), []).append(table[late, early].item())
    got = distances(model, PAIRS, at=at)
    each = [torch.tensor(found[gap]).double() for gap in range(len(found))]
    assert got.at == name
    assert got.count.tolist() == [len(values) for values in each]
    close(got.mean, torch.stack([values.mean() for values in each]))
    close(got.spread, torch.stack([values.std(correction=0) for values in each]), 1e-4)


def test_an_edit_is_seen_and_nothing_stays_behind() -> None:
    model = opened("learned")
    network_of(model).requires_grad_(False)
    before = distances(model, PAIRS)
    with edited(model, [replace("encoder.0.self", pattern=lambda q, k: q.pos == k.pos)]):
        during = distances(model, PAIRS)
    close(during.mean[1:], torch.zeros(len(during) - 1))  # each position sees itself alone
    assert bool((before.mean[1:] > 1e-4).all())
    assert torch.equal(distances(model, PAIRS).mean, before.mean)
    assert hooks_in(network_of(model)) == []


@pytest.mark.parametrize(
    ("kind", "at", "message"),
    [
        ("transformer", "encoder.0.self.pattern", "one vector a position"),
        ("transformer", "encoder.0.self", "pair, head, source, feature"),
        ("bilstm", "encoder.0.backwards", "in reverse"),
        ("bilstm", "encoder.0.forwards.cell", "one vector a position"),
        ("gru", "encodr", "Did you mean encoder"),
    ],
)
def test_what_is_no_row_of_states_is_refused(kind: str, at: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        distances(opened(kind), PAIRS, at=at)

"""Taps: their names are public, their hooks read and replace, and export passes through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from helpers import network, normal, recurrent_settings, same, tokens, transformer_settings, watched
from seq2see.nn.network import Network
from seq2see.nn.settings import Settings
from seq2see.nn.tap import Tap, any_watched

REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()
ATTENTION = ("q", "k", "v", "scores", "pattern", "context")
FEED = ("feedforward.hidden", "feedforward.neurons", "around_feedforward.written", "out")
LSTM = ("input", "forget", "candidate", "output", "cell", "hidden", "states")
BOTH = [transformer_settings(), recurrent_settings("lstm")]


def under(prefix: str, *names: str) -> list[str]:
    return [f"{prefix}.{name}" for name in names]


TRANSFORMER_TAPS = [
    *under("source", "positions.code", "tokens", "out"),
    *under("target", "positions.code", "tokens", "out"),
    *under("encoder.0.self", *ATTENTION),
    *under("encoder.0", "around_self.written", *FEED),
    "encoder.out",
    *under("decoder.0.self", *ATTENTION),
    *under("decoder.0.cross", *ATTENTION),
    *under("decoder.0", "around_self.written", "around_cross.written", *FEED),
    "decoder.out",
    "prediction",
]

BILSTM_TAPS = [
    *under("source", "tokens", "out"),
    *under("target", "tokens", "out"),
    *under("encoder.0.forwards", *LSTM),
    *under("encoder.0.backwards", *LSTM),
    "encoder.out",
    *under("decoder.0", *LSTM),
    *under("decoder.cross", "q", "k", "scores", "pattern", "context"),
    "decoder.out",
    "prediction",
]


def taps(net: nn.Module) -> list[str]:
    return [name for name, module in net.named_modules() if isinstance(module, Tap)]


def run(net: Network) -> Tensor:
    return net.logits(net(tokens(2, 4), REAL, tokens(2, 3, seed=1)))


@pytest.mark.parametrize(
    ("settings", "names"),
    [(BOTH[0], TRANSFORMER_TAPS), (BOTH[1], BILSTM_TAPS)],
    ids=["transformer", "lstm"],
)
def test_the_names_of_taps_are_these(settings: Settings, names: list[str]) -> None:
    assert sorted(taps(network(settings))) == sorted(names)


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "lstm"])
def test_every_tap_is_passed(settings: Settings) -> None:
    net = network(settings)
    with watched(net) as seen:
        run(net)
    assert sorted(seen) == sorted(taps(net))
    assert [name for name, values in seen.items() if not values] == []


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "lstm"])
def test_watching_changes_nothing(settings: Settings) -> None:
    net = network(settings)
    plain = run(net)
    with watched(net):
        same(run(net), plain)
    assert torch.equal(run(net), plain)


@pytest.mark.parametrize(
    ("settings", "name"),
    [(s, n) for s, names in zip(BOTH, (TRANSFORMER_TAPS, BILSTM_TAPS), strict=True) for n in names],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hook_replaces_a_value_and_removing_it_restores_it(settings: Any, name: str) -> None:
    net = network(settings)
    before = run(net)
    handle = net.get_submodule(name).register_forward_hook(uneven)
    assert not torch.allclose(run(net), before)
    handle.remove()
    assert torch.equal(run(net), before)


def uneven(_tap: nn.Module, _args: object, value: Tensor) -> Tensor:
    """A change no softmax and no norm can undo."""
    return value + torch.arange(value.numel(), dtype=value.dtype).cos().view_as(value)


def test_patterns_have_the_shape_row_head_query_key() -> None:
    net = network(transformer_settings())
    with watched(net) as seen:
        run(net)
    assert seen["encoder.0.self.pattern"][0].shape == (2, 2, 4, 4)
    assert seen["decoder.0.self.pattern"][0].shape == (2, 2, 3, 3)
    assert seen["decoder.0.cross.pattern"][0].shape == (2, 2, 3, 4)
    assert seen["encoder.0.self.context"][0].shape == (2, 2, 4, 4)


def test_a_head_whose_context_is_zeroed_adds_nothing() -> None:
    net = network(transformer_settings())
    layer = net.encoder.get_submodule("0.self")
    layer.context.register_forward_hook(lambda *_: torch.zeros(2, 2, 4, 4).double())
    x = normal(2, 4, 8)
    mask = REAL[:, None, None]
    y = layer(layer.queries(x), *layer.keys_values(x), mask)
    same(y, layer.output.bias.expand_as(y))


def test_a_tap_hands_its_value_on_and_holds_nothing() -> None:
    tap, x = Tap(), normal(3)
    assert tap(x) is x
    assert list(tap.state_dict()) == []


Register = Callable[[Tap], torch.utils.hooks.RemovableHandle]
REGISTERS: list[Register] = [
    lambda tap: tap.register_forward_hook(lambda *_: None),
    lambda tap: tap.register_forward_pre_hook(lambda *_: None),
    lambda tap: tap.register_full_backward_hook(lambda *_: None),
    lambda tap: tap.register_full_backward_pre_hook(lambda *_: None),
]


@pytest.mark.parametrize("register", REGISTERS, ids=["after", "before", "backward", "backward_pre"])
def test_a_tap_is_watched_as_long_as_a_hook_stands(register: Register) -> None:
    tap = Tap()
    assert not tap.watched
    handle = register(tap)
    assert tap.watched
    assert any_watched([Tap(), tap])
    handle.remove()
    assert not tap.watched
    assert not any_watched([Tap(), tap])


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "lstm"])
def test_a_backward_hook_reads_the_gradient_of_an_inner_value(settings: Settings) -> None:
    net = network(settings)
    name = "encoder.0.self.pattern" if settings.kind == "transformer" else "decoder.0.cell"
    gradients: list[Tensor] = []
    net.get_submodule(name).register_full_backward_hook(
        lambda _m, _i, out: gradients.append(out[0])
    )
    run(net).sum().backward()
    assert len(gradients) == (1 if settings.kind == "transformer" else 3)
    assert all(bool(gradient.any()) for gradient in gradients)


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "lstm"])
def test_export_passes_through_taps(settings: Settings) -> None:
    net = network(settings)
    arguments = tokens(2, 4), REAL, tokens(2, 3, seed=1)
    program = torch.export.export(net, arguments, strict=False)
    other = tokens(2, 4, seed=2), torch.ones(2, 4).bool(), tokens(2, 3, seed=3)
    same(program.module()(*other), net(*other))

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import nn

from helpers import network, same, tokens, transformer_settings
from seq2see.nn import decoder, encoder
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.int8 import Int8Linear
from seq2see.nn.lean import Lean
from seq2see.nn.network import Network
from seq2see.nn.plan import HeadRole
from seq2see.nn.precision import converted
from seq2see.nn.tap import Tap

REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]).bool()
SOURCE = tokens(3, 4)


class NeverLean:
    """Stands for `Lean` and never lets a stack be lean."""

    applies = False

    def __init__(self, *_: Any) -> None:
        pass


def searched(net: Network, width: int) -> list[torch.Tensor]:
    """What five steps of a search see, in which hypotheses change places and a source leaves."""
    state = net.start(net.encode(SOURCE, REAL))
    seen, rows = [], torch.arange(3).repeat_interleave(width)
    with torch.no_grad():
        for step in range(5):
            each = tokens(len(rows) if step else 3, 1, seed=step)[:, 0]
            scores, state = net.step(each, state)
            seen.append(scores)
            if step == 0:
                state = state.select(rows, width)
            elif step == 2:
                rows = torch.arange(2 * width).view(2, width).flip(1).flatten()
                state = state.select(rows, width)
    return [*seen, *(state.source[name] for name in sorted(state.source) if ".past." in name)]


@contextmanager
def tap_calls() -> Iterator[list[Tap]]:
    """Notes each tap that is called; without a hook, which would end all leanness."""
    calls: list[Tap] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Tap, "forward", lambda tap, value: calls.append(tap) or value)
        yield calls


def check_lean(net: Network, calls: list[Tap]) -> None:
    """Checks that of all taps of encoder and decoder those of its start alone were called."""
    blocks = [net.decoder.block(layer) for layer in range(net.decoder.depth)]  # type: ignore
    start = {tap for block in blocks for tap in (block.cross.k, block.cross.v)}
    decoder = set(net.decoder.modules())
    assert {tap for tap in calls if tap in decoder} == start
    assert not any(module in calls for module in net.encoder.modules())


@pytest.fixture
def spelt_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def run(net: Network, width: int) -> list[torch.Tensor]:
        with monkeypatch.context() as patched:
            patched.setattr(decoder, "Lean", NeverLean)
            patched.setattr(encoder, "Lean", NeverLean)
            return searched(net, width)

    return run


COMMON: list[dict[str, Any]] = [
    {},
    {"norm_place": "before", "decoder_layers": 2},
    {"positions": "rotary", "norm": "rms"},
    {"positions": "learned", "norm": "group", "residual": False},
    {"feedforward": "swiglu"},
    {"feedforward": "gelu", "scaled": False},
    {"feedforward": "none", "norm": "none"},
    {"d_key": 6, "d_value": 3, "tied_query_key": True},
]


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("changes", COMMON)
def test_a_lean_search_sees_what_the_blocks_see(
    changes: dict[str, Any], width: int, spelt_out: Any
) -> None:
    net = network(transformer_settings(**changes))
    with tap_calls() as calls:
        found = searched(net, width)
    check_lean(net, calls)
    for one, other in zip(found, spelt_out(net, width), strict=True):
        same(one, other)


@pytest.mark.parametrize("width", [1, 3])
def test_so_does_one_in_eight_bits(width: int, spelt_out: Any) -> None:
    net = converted(network(transformer_settings(d_model=32, d_ff=48)).float(), "int8")
    assert isinstance(net.decoder.block(0).feedforward.widen, Int8Linear)  # type: ignore[union-attr]
    with tap_calls() as calls:
        searched(net, width)
    check_lean(net, calls)
    for one, other in zip(searched(net, width), spelt_out(net, width), strict=True):
        assert torch.equal(one, other)


UNCOMMON: list[dict[str, Any]] = [
    {"positions": "alibi"},
    {"kv_heads": 1},
    {"projections": False},
    {"value_projection": False},
    {"norm": "batch", "decoder_norm": "layer"},
    {"norm": "instance", "decoder_norm": "layer"},
]


@pytest.mark.parametrize("changes", UNCOMMON)
def test_what_is_not_written_out_is_left_to_the_blocks(changes: dict[str, Any]) -> None:
    net = network(transformer_settings(**changes))
    assert not Lean(net.encoder, net.encoder.blocks()).applies  # type: ignore[union-attr]


def test_roles_are_left_to_the_blocks() -> None:
    role = HeadRole(at="decoder.0.self", head=0, role="previous", how="fixed")
    net = network(transformer_settings(roles=(role,)))
    assert not Lean(net.decoder, [net.decoder.block(0)]).applies  # type: ignore[union-attr]


def test_a_subclass_and_another_module_are_left_to_the_blocks() -> None:
    class Doubled(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x)

    net = network(transformer_settings())
    block = net.encoder.blocks()[0]  # type: ignore[union-attr]
    block.feedforward.widen = Doubled(8, 12)  # type: ignore[union-attr]
    assert not Lean(net.encoder, [block]).applies


def test_hooks_on_all_modules_see_every_step() -> None:
    net, calls = network(transformer_settings()), list[Any]()
    handle = nn.modules.module.register_module_forward_hook(
        lambda module, *_: calls.append(module) if isinstance(module, MultiHeadAttention) else None
    )
    try:
        searched(net, 1)
    finally:
        handle.remove()
    assert len(calls) == 1 + 5 * 2  # of the encoder once, of the decoder both in five steps


def test_nothing_is_lean_in_training() -> None:
    net = network(transformer_settings()).train()
    assert not Lean(net.encoder, net.encoder.blocks()).applies  # type: ignore[union-attr]
    net.eval()
    state = net.start(net.encode(SOURCE, REAL))
    _, state = net.step(tokens(3, 1)[:, 0], state)
    net.train()  # in the middle of a search
    with tap_calls() as calls:
        net.step(tokens(3, 1)[:, 0], state)
    assert calls


@pytest.mark.parametrize("width", [1, 3])
def test_a_search_that_somebody_begins_to_watch_goes_on_with_the_blocks(
    width: int, spelt_out: Any
) -> None:
    net = network(transformer_settings(decoder_layers=2))
    expected = spelt_out(net, width)
    watched = net.get_submodule("decoder.1.self.pattern")
    with torch.no_grad():
        state, rows = net.start(net.encode(SOURCE, REAL)), torch.arange(3).repeat_interleave(width)
        for step in range(5):
            if step == 3:
                watched.register_forward_hook(lambda *_: None)
            each = tokens(len(rows) if step else 3, 1, seed=step)[:, 0]
            scores, state = net.step(each, state)
            same(scores, expected[step])
            if step == 0:
                state = state.select(rows, width)
            elif step == 2:
                rows = torch.arange(2 * width).view(2, width).flip(1).flatten()
                state = state.select(rows, width)


@pytest.mark.parametrize("width", [1, 2])
def test_a_long_text_goes_on_with_the_blocks(
    width: int, spelt_out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(transformer_settings())
    expected = spelt_out(net, width)
    monkeypatch.setattr(decoder, "LONG", 5)
    for one, other in zip(searched(net, width), expected, strict=True):
        same(one, other)


def test_no_source_at_all_gives_nothing() -> None:
    net = network(transformer_settings())
    with torch.no_grad():
        state = net.start(net.encode(SOURCE[:0], REAL[:0]))
        for _ in range(3):
            scores, state = net.step(torch.zeros(0, dtype=torch.int64), state)
    assert scores.shape == (0, net.sizes.target)


def test_eight_bits_need_no_inference_mode() -> None:
    net = converted(network(transformer_settings(d_model=32, d_ff=48)).float(), "int8")
    state = net.start(net.encode(SOURCE, REAL))
    for step in range(3):
        scores, state = net.step(tokens(3, 1, seed=step)[:, 0], state)
    assert scores.isfinite().all()


@pytest.mark.parametrize("kind", [Tap, nn.Linear, MultiHeadAttention])
def test_whoever_watches_sees_every_step(kind: type[nn.Module]) -> None:
    net = network(transformer_settings())
    watched = [module for module in net.decoder.modules() if isinstance(module, kind)][-1]
    calls: list[Any] = []
    handle = watched.register_forward_hook(lambda *_: calls.append(None))
    searched(net, 3)
    assert len(calls) >= 5
    handle.remove()
    state = net.start(net.encode(SOURCE, REAL))
    for step in range(4):
        if step == 2:  # in the middle of a search
            calls.clear()
            watched.register_forward_hook(lambda *_: calls.append(None))
        _, state = net.step(tokens(3, 1, seed=step)[:, 0], state)
    assert len(calls) == 2


def test_a_source_without_tokens_is_left_to_the_blocks() -> None:
    net = network(transformer_settings())
    real = torch.tensor([[True, True], [False, False]])
    state = net.start(net.encode(tokens(2, 2), real))
    assert decoder.TERM not in state.source
    for _ in range(3):
        scores, state = net.step(torch.tensor([5, 5]), state)
        assert scores.isfinite().all()

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from helpers import network, same, tokens, transformer_settings
from seq2see.nn import decoder, encoder
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.lean import Lean
from seq2see.nn.network import Network
from seq2see.nn.plan import HeadRole
from seq2see.nn.precision import converted
from seq2see.nn.tap import Tap

REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]).bool()
SOURCE = tokens(3, 4)


class Spelt:
    """Stands for `Lean` and never lets a stack be lean."""

    free = False

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


@pytest.fixture
def spelt_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def run(net: Network, width: int) -> list[torch.Tensor]:
        with monkeypatch.context() as patched:
            patched.setattr(decoder, "Lean", Spelt)
            patched.setattr(encoder, "Lean", Spelt)
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
    calls: list[Any] = []
    taps = [m for m in net.decoder.modules() if isinstance(m, Tap)]
    for tap in taps:  # not a hook, which would end all leanness
        tap.forward = lambda x: calls.append(None) or x  # type: ignore[method-assign]
    found = searched(net, width)
    assert len(calls) < len(taps) * 2  # of five steps
    for one, other in zip(found, spelt_out(net, width), strict=True):
        same(one, other)


@pytest.mark.parametrize("width", [1, 3])
def test_so_does_one_in_eight_bits(width: int, spelt_out: Any) -> None:
    net = converted(network(transformer_settings()).float(), "int8")
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
    assert not Lean(net.encoder, net.encoder.blocks()).free  # type: ignore[union-attr]


def test_roles_are_left_to_the_blocks() -> None:
    role = HeadRole(at="decoder.0.self", head=0, role="previous", how="fixed")
    net = network(transformer_settings(roles=(role,)))
    assert not Lean(net.decoder, [net.decoder.block(0)]).free  # type: ignore[union-attr]


def test_nothing_is_lean_in_training() -> None:
    net = network(transformer_settings()).train()
    assert not Lean(net.encoder, net.encoder.blocks()).free  # type: ignore[union-attr]


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

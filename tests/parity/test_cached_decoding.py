"""Step by step with a cache, in parts, or all at once: the same outputs for every setting."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch

from helpers import network, recurrent_settings, same, tokens, transformer_settings
from seq2see.nn.network import Network
from seq2see.nn.plan import HeadRole
from seq2see.nn.settings import Settings

REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]).bool()
SOURCE, TARGET = tokens(3, 4), tokens(3, 6, seed=1)


def check(settings: Settings) -> None:
    net = network(settings)
    whole = net.logits(net(SOURCE, REAL, TARGET))
    start = net.start(net.encode(SOURCE, REAL))
    state, steps = start, []
    for token in TARGET.unbind(1):
        scores, state = net.step(token, state)
        steps.append(scores)
    same(torch.stack(steps, 1), whole)
    assert state.length == 6
    for cut in (1, 4):
        same(in_two_parts(net, cut), whole)


def in_two_parts(net: Network, cut: int) -> torch.Tensor:
    """A prefix at once, then the rest at once."""
    first, state = net.decode(TARGET[:, :cut], net.start(net.encode(SOURCE, REAL)))
    second, _ = net.decode(TARGET[:, cut:], state)
    return net.logits(torch.cat([first, second], 1))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary", "alibi", "none"])
@pytest.mark.parametrize("norm", ["layer", "rms", "group", "none"])
def test_positions_and_norms(layers: int, positions: Any, norm: Any) -> None:
    place = "after" if norm == "rms" else "before"
    check(
        transformer_settings(
            decoder_layers=layers, positions=positions, norm=norm, norm_place=place
        )
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"kv_heads": 1},
        {"kv_heads": 1, "positions": "rotary"},
        {"heads": 4, "kv_heads": 2, "positions": "alibi"},
        {"d_key": 6, "d_value": 3},
        {"scaled": False},
        {"projections": False},
        {"projections": False, "positions": "rotary"},
        {"tied_query_key": True},
        {"tied_query_key": True, "value_projection": False, "positions": "rotary"},
        {"value_projection": False, "kv_heads": 1, "d_value": 8},
        {"frequencies": 1},
        {"residual": False, "norm_place": "after"},
        {"positions": "learned", "max_positions": 3},
        {"norm": "batch", "decoder_norm": "layer"},
        {"norm": "instance", "decoder_norm": "rms"},
        *({"feedforward": kind} for kind in ("gelu", "swiglu", "linear", "none")),
    ],
    ids=str,
)
def test_other_switches(changes: dict[str, Any]) -> None:
    check(transformer_settings(decoder_layers=2, **changes))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(
    ("kind", "attention"),
    list(product(["rnn", "gru", "lstm"], ["none", "dot", "general", "additive"])),
)
def test_recurrent(layers: int, kind: Any, attention: Any) -> None:
    bidirectional = attention != "dot"
    check(
        recurrent_settings(
            kind, decoder_layers=layers, attention=attention, bidirectional=bidirectional
        )
    )


ANYWHERE = ("previous", "self", "first", "window(1)", "gaussian(-1, 2)", "same_token", "uniform")
WITH_ENDS = ("next", "last", "diagonal(0.2)")


@pytest.mark.parametrize("how", ["fixed", "bias"])
@pytest.mark.parametrize("role", [*ANYWHERE, *WITH_ENDS])
def test_roles(role: str, how: Any) -> None:
    at = ["decoder.1.cross", "encoder.0.self", *(["decoder.0.self"] if role in ANYWHERE else [])]
    roles = tuple(HeadRole(name, 1, role, how) for name in at)
    check(transformer_settings(decoder_layers=2, roles=roles, length_ratio=1.5))


@pytest.mark.parametrize("role", ["previous", "self", "gaussian(-2.5)"])
def test_roles_that_begin_in_query_and_key(role: str) -> None:
    check(transformer_settings(roles=(HeadRole("decoder.0.self", 1, role, "init"),)))


@pytest.mark.parametrize("positions", ["rotary", "alibi"])
def test_roles_beside_other_positions(positions: Any) -> None:
    at = ("decoder.0.self", "decoder.0.cross")
    roles = tuple(HeadRole(name, 0, "same_token", "fixed") for name in at)
    check(transformer_settings(positions=positions, roles=roles))
    check(transformer_settings(tied_query_key=True, value_projection=False, roles=roles))
    check(transformer_settings(kv_heads=1, roles=(HeadRole("decoder.0.self", 1, "previous"),)))

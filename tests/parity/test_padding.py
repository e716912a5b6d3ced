"""What a row gives does not depend on its padding or on the rows beside it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from helpers import VOCABULARY, network, recurrent_settings, same, tokens, transformer_settings
from seq2see.nn.masks import padding
from seq2see.nn.network import Network

TRANSFORMERS: list[dict[str, Any]] = [
    *({"positions": kind} for kind in ("sinusoidal", "learned", "rotary", "alibi", "none")),
    *({"norm": kind, "decoder_norm": "layer"} for kind in ("batch", "instance", "group", "rms")),
    {"norm_place": "after", "encoder_layers": 2, "decoder_layers": 2},
    {"projections": False},
]
RECURRENT: list[dict[str, Any]] = [
    {"kind": "rnn", "attention": "none"},
    {"kind": "gru", "attention": "additive", "encoder_layers": 2},
    {"kind": "lstm", "attention": "general", "encoder_layers": 2, "decoder_layers": 2},
    {"kind": "gru", "attention": "dot", "bidirectional": False},
]
rows = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 5)), min_size=2, max_size=4)
often = settings(max_examples=12, deadline=None, derandomize=True, database=None)


@cache
def built(recurrent: bool, number: int) -> Network:
    if recurrent:
        return network(recurrent_settings(**RECURRENT[number]))
    return network(transformer_settings(**TRANSFORMERS[number]))


def check(net: Network, lengths: list[tuple[int, int]], extra: int) -> None:
    sources, targets = (torch.tensor(side) for side in zip(*lengths, strict=True))
    source = tokens(len(lengths), int(sources.max()) + extra)
    target = tokens(len(lengths), int(targets.max()) + extra, seed=1)
    real = padding(sources, source.shape[1])
    memory = net.encode(source, real)
    together = net(source, real, target)
    other = torch.where(real, source, (source + 1) % VOCABULARY)  # padding may be any token
    same(net(other, real, target), together)
    for row, (s, t) in enumerate(lengths):
        pair = source[row : row + 1, :s], torch.ones(1, s).bool(), target[row : row + 1, :t]
        same(net(*pair)[0], together[row, :t])
        alone = net.encode(*pair[:2])
        same(alone.states[0], memory.states[row, :s])
        if alone.final is not None and memory.final is not None:
            same(alone.final[0], memory.final[row])


@pytest.mark.parametrize("number", range(len(TRANSFORMERS)), ids=lambda n: str(TRANSFORMERS[n]))
def test_transformer(number: int) -> None:
    @often
    @given(rows, st.integers(0, 3))
    def holds(lengths: list[tuple[int, int]], extra: int) -> None:
        check(built(False, number), lengths, extra)

    holds()


@pytest.mark.parametrize("number", range(len(RECURRENT)), ids=lambda n: str(RECURRENT[n]))
def test_recurrent(number: int) -> None:
    @often
    @given(rows, st.integers(0, 3))
    def holds(lengths: list[tuple[int, int]], extra: int) -> None:
        check(built(True, number), lengths, extra)

    holds()


@pytest.mark.parametrize(
    "settings_",
    [
        transformer_settings(norm="instance", decoder_norm="layer"),
        transformer_settings(positions="rotary"),
        recurrent_settings("lstm", encoder_layers=2),
        recurrent_settings("gru", attention="none"),
    ],
    ids=["instance", "rotary", "lstm", "gru"],
)
def test_a_row_without_a_token_is_finite_whatever_stands_in_its_padding(settings_: Any) -> None:
    net = network(settings_)
    real = torch.tensor([[1, 1, 1], [0, 0, 0]]).bool()
    source, target = tokens(2, 3), tokens(2, 4, seed=1)
    y = net(source, real, target)
    assert bool(torch.isfinite(y).all())
    same(net(wider(source), wider(real), target), y)
    other = torch.where(real, source, (source + 1) % VOCABULARY)
    same(net(other, real, target), y)


def wider(x: Tensor) -> Tensor:
    return torch.cat([x, torch.zeros_like(x)], 1)

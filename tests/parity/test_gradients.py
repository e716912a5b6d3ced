"""Every layer's gradient, of its input and of its parameters, is that of finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from helpers import network, normal, randomised, recurrent_settings, tokens, transformer_settings
from seq2see.nn import attention
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.blocks import Block
from seq2see.nn.dropout import Dropout
from seq2see.nn.embedding import Embedding, new_table
from seq2see.nn.encoder import RecurrentEncoder, TransformerEncoder
from seq2see.nn.feedforward import FeedForward
from seq2see.nn.heads import HeadSizes
from seq2see.nn.masks import causal, over_keys
from seq2see.nn.norms import Norm
from seq2see.nn.positions import Learned, rotate
from seq2see.nn.recurrent import Recurrence
from seq2see.nn.state_attention import StateAttention

REAL = torch.tensor([[1, 1, 1], [1, 1, 0]]).bool()


def check(module: nn.Module, run: Callable[..., Tensor], *inputs: Tensor) -> None:
    """Compares slopes along random directions in the space of all inputs and parameters."""
    moving = [x.clone().requires_grad_() for x in inputs]
    # The parameters are moved in place, so `run` sees them move without being handed them.
    torch.manual_seed(0)
    everything = (*moving, *module.parameters())
    assert gradcheck(lambda *all_: run(*all_[: len(moving)]), everything, fast_mode=True)


@pytest.mark.parametrize("long", [1, 512], ids=["fused", "explicit"])
@pytest.mark.parametrize("kv_heads", [1, 2])
def test_multi_head_attention(long: int, kv_heads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "LONG", long)
    layer = randomised(MultiHeadAttention(HeadSizes(4, 2, kv_heads, 2, 3)))
    mask = over_keys(REAL).expand(2, 1, 3, 3).clone()
    mask[0, 0, 1] = False
    check(
        layer,
        lambda x, m: layer(layer.queries(x), *layer.keys_values(m), mask),
        normal(2, 3, 4),
        normal(2, 3, 4, seed=1),
    )


@pytest.mark.parametrize("kind", ["dot", "general", "additive"])
def test_state_attention(kind: Any) -> None:
    layer = randomised(StateAttention(kind, 3, 3))
    check(
        layer,
        lambda q, m: layer(q, layer.keys(m), m, REAL),
        normal(2, 2, 3),
        normal(2, 3, 3, seed=1),
    )


@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_recurrence(kind: Any, explicit: bool) -> None:
    cell = randomised(Recurrence(kind, 2, 3))
    if explicit:
        cell.taps["hidden"].register_forward_hook(lambda *_: None)
    count = 2 if kind == "lstm" else 1

    def run(x: Tensor, *hidden: Tensor) -> Tensor:
        states, last = cell(x, hidden)
        return torch.cat([states, last[-1][:, None]], 1)

    check(cell, run, normal(2, 4, 2), *(normal(2, 3, seed=s) for s in range(1, count + 1)))


@pytest.mark.parametrize("kind", ["relu", "gelu", "swiglu", "linear"])
def test_feed_forward(kind: Any) -> None:
    layer = randomised(FeedForward(kind, 3, 5, 0.0))
    check(layer, layer.forward, normal(2, 2, 3))


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("kind", ["layer", "rms", "batch", "instance", "group", "none"])
def test_norm(kind: Any, padded: bool) -> None:
    layer = randomised(Norm(kind, 8))
    check(layer, lambda x: layer(x, REAL if padded else None), normal(2, 3, 8))


def test_embedding_and_learned_positions() -> None:
    layer = randomised(Embedding(new_table(11, 4), Learned(4, 3), 0.0))
    check(layer, lambda: layer(tokens(2, 5)))


def test_rotation() -> None:
    check(nn.Identity(), lambda x: rotate(x, 3), normal(1, 2, 3, 4))


def test_dropout() -> None:
    layer = Dropout(0.5)

    def run(x: Tensor) -> Tensor:
        torch.manual_seed(0)
        return layer(x)

    assert gradcheck(run, (normal(4, 5).requires_grad_(),))


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("positions", ["none", "rotary", "alibi"])
def test_decoder_block(place: Any, positions: Any) -> None:
    settings = transformer_settings(
        d_model=4, d_ff=5, norm_place=place, positions=positions, feedforward="gelu"
    )
    block = randomised(Block(settings, decoder=True)).eval()
    mask = causal(3, 3, torch.device("cpu"))

    def run(x: Tensor, memory: Tensor) -> Tensor:
        return block.decode(x, mask, (block.cross.keys_values(memory), over_keys(REAL)), None)[0]

    check(block, run, normal(2, 3, 4), normal(2, 3, 4, seed=1))


def test_transformer_encoder() -> None:
    settings = transformer_settings(
        d_model=4, d_ff=5, encoder_layers=2, feedforward="swiglu", norm="instance",
        decoder_norm="layer",
    )  # fmt: skip
    encoder = randomised(TransformerEncoder(settings)).eval()
    check(encoder, lambda x: encoder(x, REAL).states, normal(2, 3, 4))


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_bidirectional_encoder(kind: Any) -> None:
    settings = recurrent_settings(kind, d_embedding=2, d_hidden=2, encoder_layers=2)
    encoder = randomised(RecurrentEncoder(settings)).eval()

    def run(x: Tensor) -> Tensor:
        memory = encoder(x, REAL)
        return torch.cat([memory.states, memory.final], 1)

    check(encoder, run, normal(2, 3, 2))


@pytest.mark.parametrize(
    "settings",
    [
        transformer_settings(d_model=4, d_ff=5, feedforward="gelu", tied="all"),
        recurrent_settings("gru", d_embedding=3, d_hidden=2, tied="all", attention="additive"),
        recurrent_settings("lstm", d_embedding=3, d_hidden=2, decoder_layers=2),
        recurrent_settings("rnn", d_embedding=3, d_hidden=2, attention="none"),
    ],
    ids=["transformer", "gru", "lstm", "rnn"],
)
def test_whole_network(settings: Any) -> None:
    net = network(settings)
    source, target = tokens(2, 3), tokens(2, 3, seed=1)
    check(net, lambda: net.logits(net(source, REAL, target)))

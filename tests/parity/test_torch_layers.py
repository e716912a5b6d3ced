"""With the same weights, every layer gives what torch's own gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from helpers import normal, randomised, recurrent_settings, same, transformer_settings, watched
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.blocks import Block
from seq2see.nn.encoder import RecurrentEncoder, TransformerEncoder
from seq2see.nn.heads import HeadSizes
from seq2see.nn.masks import causal, over_keys
from seq2see.nn.norms import Norm
from seq2see.nn.recurrent import CellKind, Recurrence

CPU = torch.device("cpu")
REAL = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]).bool()
LENGTHS = REAL.sum(1)
TORCH_RNN: dict[CellKind, type[nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
KINDS: tuple[CellKind, ...] = ("rnn", "gru", "lstm")
CAUSAL = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)


def attention_weights_for(torch_layer: nn.MultiheadAttention, ours: MultiHeadAttention) -> None:
    maps = (ours.query, ours.key, ours.value)
    torch_layer.in_proj_weight.data = torch.cat([m.weight.data for m in maps])
    torch_layer.in_proj_bias.data = torch.cat([m.bias.data for m in maps])
    torch_layer.out_proj.load_state_dict(ours.output.state_dict())


def test_multi_head_attention() -> None:
    ours = randomised(MultiHeadAttention(HeadSizes(8, 4, 4, 2, 2)))
    theirs = nn.MultiheadAttention(8, 4, batch_first=True).double()
    attention_weights_for(theirs, ours)
    x, memory = normal(3, 4, 8), normal(3, 5, 8, seed=1)
    with watched(ours) as seen:
        y = ours(ours.queries(x), *ours.keys_values(memory), over_keys(REAL))
    expected, weights = theirs(
        x, memory, memory, key_padding_mask=~REAL, average_attn_weights=False
    )
    same(y, expected)
    same(seen["pattern"][0], weights)


def test_causal_multi_head_attention() -> None:
    ours = randomised(MultiHeadAttention(HeadSizes(8, 2, 2, 4, 4)))
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).double()
    attention_weights_for(theirs, ours)
    x = normal(3, 4, 8)
    expected, _ = theirs(x, x, x, attn_mask=CAUSAL)
    same(ours(ours.queries(x), *ours.keys_values(x), causal(4, 4, CPU)), expected)


def torch_block(ours: Block, place: str, activation: str) -> nn.Module:
    kind = nn.TransformerDecoderLayer if ours.cross is not None else nn.TransformerEncoderLayer
    options: dict[str, Any] = {"dropout": 0.0, "activation": activation, "batch_first": True}
    theirs = kind(8, 2, 12, norm_first=place == "before", **options).double()
    copy_block(theirs, ours)
    return theirs


def copy_block(theirs: nn.Module, ours: Block) -> None:
    attention_weights_for(theirs.self_attn, ours.get_submodule("self"))
    theirs.linear1.load_state_dict(ours.feedforward.widen.state_dict())
    theirs.linear2.load_state_dict(ours.feedforward.narrow.state_dict())
    norms = [ours.around_self, ours.around_feedforward]
    if ours.cross is not None:
        attention_weights_for(theirs.multihead_attn, ours.cross)
        norms.insert(1, ours.around_cross)
    for number, residual in enumerate(norms, start=1):
        theirs.get_submodule(f"norm{number}").load_state_dict(residual.norm.norm.state_dict())


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_layer(place: str, activation: str) -> None:
    settings = transformer_settings(norm_place=place, feedforward=activation, dropout=0.0)
    ours = randomised(Block(settings, decoder=False))
    theirs = torch_block(ours, place, activation)
    x = normal(3, 5, 8)
    y, expected = ours.encode(x, over_keys(REAL), REAL), theirs(x, src_key_padding_mask=~REAL)
    same(y[REAL], expected[REAL])


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_decoder_layer(place: str, activation: str) -> None:
    settings = transformer_settings(norm_place=place, feedforward=activation, dropout=0.0)
    ours = randomised(Block(settings, decoder=True))
    theirs = torch_block(ours, place, activation)
    x, memory = normal(3, 4, 8), normal(3, 5, 8, seed=1)
    seen = ours.cross.keys_values(memory), over_keys(REAL)
    y, _ = ours.decode(x, causal(4, 4, CPU), seen, None)
    same(y, theirs(x, memory, tgt_mask=CAUSAL, memory_key_padding_mask=~REAL))


@pytest.mark.parametrize("place", ["before", "after"])
def test_stack_of_encoder_layers(place: str) -> None:
    settings = transformer_settings(encoder_layers=2, norm_place=place, dropout=0.0)
    ours = randomised(TransformerEncoder(settings))
    first = torch_block(ours.get_submodule("0"), place, "relu")
    last = nn.LayerNorm(8).double() if place == "before" else None
    theirs = nn.TransformerEncoder(first, 2, norm=last, enable_nested_tensor=False)
    for number, layer in enumerate(theirs.layers):
        copy_block(layer, ours.get_submodule(str(number)))
    if last is not None:
        last.load_state_dict(ours.norm.norm.state_dict())
    x = normal(3, 5, 8)
    same(ours(x, REAL).states[REAL], theirs(x, src_key_padding_mask=~REAL)[REAL])


def copy_cell(theirs: nn.RNNBase, ours: Recurrence, suffix: str = "l0") -> None:
    names = {"weight_ih": ours.weight_input, "weight_hh": ours.weight_hidden}
    names |= {"bias_ih": ours.bias_input, "bias_hh": ours.bias_hidden}
    for name, value in names.items():
        getattr(theirs, f"{name}_{suffix}").data = value.data.clone()


def torch_start(hidden: tuple[Tensor, ...]) -> Any:
    first = tuple(h[None] for h in hidden)
    return first if len(first) == 2 else first[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("explicit", [False, True])
def test_recurrence(kind: CellKind, explicit: bool) -> None:
    ours = randomised(Recurrence(kind, 3, 4))
    theirs = TORCH_RNN[kind](3, 4, batch_first=True).double()
    copy_cell(theirs, ours)
    if explicit:
        ours.taps["hidden"].register_forward_hook(lambda *_: None)
    x = normal(2, 6, 3)
    start = tuple(normal(2, 4, seed=1 + s) for s in range(len(ours.zero(x))))
    states, last = ours(x, start)
    expected, end = theirs(x, torch_start(start))
    same(states, expected)
    same(torch.stack(last), torch.cat(end if kind == "lstm" else (end,)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent_encoder(kind: CellKind, layers: int, bidirectional: bool) -> None:
    settings = recurrent_settings(kind, encoder_layers=layers, bidirectional=bidirectional)
    ours = randomised(RecurrentEncoder(settings)).eval()
    theirs = TORCH_RNN[kind](6, 5, layers, batch_first=True, bidirectional=bidirectional).double()
    for layer in range(layers):
        copy_cell(theirs, ours.get_submodule(f"{layer}.forwards"), f"l{layer}")
        if bidirectional:
            copy_cell(theirs, ours.get_submodule(f"{layer}.backwards"), f"l{layer}_reverse")
    x = normal(3, 5, 6)
    packed, end = theirs(pack_padded_sequence(x, LENGTHS, batch_first=True))
    expected, _ = pad_packed_sequence(packed, batch_first=True)
    memory = ours(x, REAL)
    same(memory.states[REAL], expected[REAL])
    last = end[0] if kind == "lstm" else end  # layer and direction, row, feature
    same(memory.final, last.unflatten(0, (layers, -1)).permute(2, 0, 1, 3).flatten(-2))


TORCH_NORMS = {
    "layer": nn.LayerNorm(8),
    "rms": nn.RMSNorm(8, eps=1e-6),
    "group": nn.GroupNorm(4, 8),
    "instance": nn.InstanceNorm1d(8, affine=True),
    "batch": nn.BatchNorm1d(8),
}


@pytest.mark.parametrize("kind", TORCH_NORMS)
@pytest.mark.parametrize("train", [True, False])
def test_norm(kind: Any, train: bool) -> None:
    ours, theirs = randomised(Norm(kind, 8)), TORCH_NORMS[kind].double()
    theirs.load_state_dict(ours.norm.state_dict())
    for earlier in range(2):  # running statistics that differ from their start
        both(ours, theirs, kind, normal(2, 6, 8, seed=earlier))
    ours.train(train), theirs.train(train)
    same(*both(ours, theirs, kind, normal(3, 5, 8, seed=5)))


@pytest.mark.parametrize("kind", TORCH_NORMS)
def test_norm_of_padded_rows(kind: Any) -> None:
    ours, theirs = randomised(Norm(kind, 8)), TORCH_NORMS[kind].double().train()
    theirs.load_state_dict(ours.norm.state_dict())
    x = normal(3, 5, 8)
    y = ours(x, REAL)
    if kind == "instance":
        for row, length in enumerate(LENGTHS[:2].tolist()):  # torch refuses a single position
            same(y[row, :length], theirs(x[row, :length].T[None])[0].T)
    else:
        shaped = x[REAL]
        same(y[REAL], theirs(shaped))


def both(ours: nn.Module, theirs: nn.Module, kind: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """Both outputs for `x`; torch wants the features second where it pools over positions."""
    wide = x.transpose(1, 2) if kind in ("instance", "batch") else x
    if kind == "group":
        return ours(x), theirs(x.flatten(0, 1)).view_as(x)
    y = theirs(wide)
    return ours(x), y.transpose(1, 2) if kind in ("instance", "batch") else y

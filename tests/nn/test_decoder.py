"""From a memory and the tokens so far to the next: the future stays unseen."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch

from helpers import (
    VOCABULARY,
    network,
    normal,
    recurrent_settings,
    same,
    tokens,
    transformer_settings,
    watched,
)
from seq2see.nn import attention, decoder
from seq2see.nn.attention import LONG
from seq2see.nn.norms import POOLS_OVER_TIME, NormKind
from seq2see.nn.recurrent import CellKind
from seq2see.nn.settings import Settings
from seq2see.nn.state import Memory

REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()
POSITIONS = ("sinusoidal", "learned", "rotary", "alibi", "none")
NORMS = sorted(set(get_args(NormKind)) - POOLS_OVER_TIME)
KINDS: tuple[CellKind, ...] = ("rnn", "gru", "lstm")


def future_is_unseen(settings: Settings, *, train: bool = False) -> None:
    net = network(settings).train(train)
    source, target = tokens(2, 4), tokens(2, 6, seed=1)
    whole = net(source, REAL, target)
    for cut in range(1, 6):
        changed = target.clone()
        changed[:, cut:] = (changed[:, cut:] + 1) % VOCABULARY
        y = net(source, REAL, changed)
        same(y[:, :cut], whole[:, :cut], 1e-12)
        assert bool((y[:, cut] != whole[:, cut]).any(-1).all())


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("norm", NORMS)
def test_the_future_never_reaches_the_past_of_a_transformer(positions: Any, norm: Any) -> None:
    for place in ("before", "after"):
        changes = {"positions": positions, "norm": norm, "norm_place": place, "dropout": 0.0}
        future_is_unseen(transformer_settings(decoder_layers=2, **changes), train=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"projections": False},
        {"scaled": False},
        {"kv_heads": 1},
        {"residual": False},
        {"feedforward": "none"},
        {"norm": "batch", "decoder_norm": "layer"},
        {"norm": "instance", "decoder_norm": "group"},
    ],
    ids=str,
)
def test_nor_with_other_switches(changes: dict[str, Any]) -> None:
    future_is_unseen(transformer_settings(**changes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attention", ["none", "general", "additive"])
def test_the_future_never_reaches_the_past_of_a_recurrent_decoder(
    kind: CellKind, attention: Any
) -> None:
    future_is_unseen(recurrent_settings(kind, attention=attention, decoder_layers=2))


def test_causal_weights_stand_on_and_below_the_diagonal() -> None:
    net = network(transformer_settings())
    with watched(net) as seen:
        net(tokens(2, 4), REAL, tokens(2, 6, seed=1))
    pattern = seen["decoder.0.self.pattern"][0]
    assert torch.equal(pattern > 0, torch.ones(6, 6).bool().tril().expand(2, 2, 6, 6))
    same(pattern.sum(-1), torch.ones(2, 2, 6).double())


def test_cross_weights_stand_on_the_real_tokens_of_the_source() -> None:
    for settings in (transformer_settings(), recurrent_settings("lstm")):
        with watched(net := network(settings)) as seen:
            net(tokens(2, 4), REAL, tokens(2, 6, seed=1))
        name = (
            "decoder.0.cross.pattern" if settings.kind == "transformer" else "decoder.cross.pattern"
        )
        pattern = seen[name][0]
        assert torch.equal(pattern > 0, REAL[:, None, None].expand_as(pattern))
        same(pattern.sum(-1), torch.ones(pattern.shape[:-1]).double())


@pytest.mark.parametrize("kind", KINDS)
def test_without_attention_the_fixed_vector_is_all_it_sees_of_the_source(kind: CellKind) -> None:
    target = tokens(2, 3)
    for looks in ("none", "general"):
        net = network(recurrent_settings(kind, attention=looks))
        memory = net.encode(tokens(2, 4), REAL)
        other = Memory(memory.states + normal(2, 4, 10), REAL, memory.final)
        one, _ = net.decode(target, net.start(memory))
        two, _ = net.decode(target, net.start(other))
        assert torch.equal(one, two) is (looks == "none")
        moved = Memory(memory.states, REAL, memory.final + 1)
        three, _ = net.decode(target, net.start(moved))
        assert not torch.allclose(one, three)


@pytest.mark.parametrize("kind", KINDS)
def test_each_decoder_layer_starts_from_the_encoder_layer_beside_it(kind: CellKind) -> None:
    net = network(recurrent_settings(kind, encoder_layers=2, decoder_layers=3))
    memory = net.encode(tokens(2, 4), REAL)
    state = net.start(memory)
    assert memory.final is not None
    for layer, beside in ((0, 0), (1, 1), (2, 1)):
        first = torch.tanh(net.decoder.get_submodule(f"start_{layer}")(memory.final[:, beside]))
        names = [f"{layer}.hidden", *([f"{layer}.cell"] if kind == "lstm" else [])]
        same(torch.cat([state.tensors[name] for name in names], -1), first)


def test_the_readout_joins_state_and_context() -> None:
    net = network(recurrent_settings("gru"))
    with watched(net) as seen:
        y = net(tokens(2, 4), REAL, tokens(2, 6, seed=1))
    joined = torch.cat([seen["decoder.0.states"][0], seen["decoder.cross.context"][0]], -1)
    same(y, torch.tanh(net.decoder.readout(joined)))


def test_a_transformers_state_grows_by_one_position_a_token() -> None:
    net = network(transformer_settings(kv_heads=1, d_key=2, d_value=3))
    state = net.start(net.encode(tokens(2, 4), REAL))
    assert state.length == 0
    for count in (1, 2, 3):
        _, state = net.step(tokens(2, 1)[:, 0], state)
        assert state.length == count
        assert state.source["0.past.k"].shape == (2, 1, count, 2)
        assert state.source["0.past.v"].shape == (2, 1, count, 3)
        assert state.source["0.k"].shape == (2, 1, 4, 2)


def test_a_recurrent_state_keeps_its_size() -> None:
    net = network(recurrent_settings("lstm"))
    state = net.start(net.encode(tokens(2, 4), REAL))
    before = {name: value.shape for name, value in state.tensors.items()}
    _, state = net.step(tokens(2, 1)[:, 0], state)
    assert state.length == 1
    assert {name: value.shape for name, value in state.tensors.items()} == before


@pytest.mark.parametrize("settings", [transformer_settings(), recurrent_settings("lstm")], ids=str)
def test_a_step_leaves_the_state_it_was_given_unchanged(settings: Settings) -> None:
    net = network(settings)
    _, state = net.step(tokens(2, 1)[:, 0], net.start(net.encode(tokens(2, 4), REAL)))
    kept = {name: value.clone() for name, value in state.tensors.items()}
    first, _ = net.step(tokens(2, 1, seed=1)[:, 0], state)
    net.step(tokens(2, 1, seed=2)[:, 0], state)
    again, _ = net.step(tokens(2, 1, seed=1)[:, 0], state)
    assert torch.equal(first, again)
    assert state.tensors.keys() == kept.keys()
    assert all(torch.equal(state.tensors[name], kept[name]) for name in kept)


@pytest.mark.parametrize("positions", ["sinusoidal", "rotary", "alibi"])
def test_a_long_text_is_read_as_if_each_look_were_spelt_out(positions: str) -> None:
    net = network(transformer_settings(positions=positions, decoder_layers=2)).eval()
    memory, target = net.encode(tokens(2, 4), REAL), tokens(2, LONG + 3)
    fused, state = net.decode(target, net.start(memory))
    with watched(net):
        explicit, _ = net.decode(target, net.start(memory))
    same(fused, explicit)
    one, _ = net.decode(target[:, :1], state)
    assert one.isfinite().all()


def test_a_long_text_makes_no_table_of_query_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(queries: int, keys: int, device: torch.device) -> torch.Tensor:
        raise AssertionError(f"{queries} x {keys}")

    net = network(transformer_settings())
    for module in (decoder, attention):
        monkeypatch.setattr(module, "causal", refuse)
    for mode in (True, False):
        net.train(mode)
        net.decode(tokens(2, LONG), net.start(net.encode(tokens(2, 4), REAL)))
    with pytest.raises(AssertionError, match="x"):
        net.decode(tokens(2, LONG - 1), net.start(net.encode(tokens(2, 4), REAL)))

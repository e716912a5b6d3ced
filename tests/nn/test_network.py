"""Encoder and decoder joined: interface, shared matrices, parameter counts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from helpers import (
    VOCABULARY,
    network,
    recurrent_settings,
    same,
    tokens,
    transformer_settings,
)
from seq2see.errors import ConfigError
from seq2see.nn.network import Network, Sizes
from seq2see.nn.settings import Settings, TransformerSettings

REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()
BOTH = [transformer_settings(), recurrent_settings("gru")]

PAPER = TransformerSettings(
    encoder_layers=6,
    decoder_layers=6,
    d_model=512,
    d_ff=2048,
    heads=8,
    feedforward="relu",
    positions="sinusoidal",
    norm_place="after",
    tied="all",
)
"""Base model of Vaswani et al. 2017, table 3; its 37,000 joint tokens: section 5.1."""


def paper_count(d: int, d_ff: int, layers: int, vocabulary: int) -> int:
    """Numbers trained in the 2017 architecture, one by one; the output matrix is the embedding."""
    attention = 4 * (d * d + d)
    feedforward = (d * d_ff + d_ff) + (d_ff * d + d)
    norm = 2 * d
    encoder_layer = attention + feedforward + 2 * norm
    decoder_layer = 2 * attention + feedforward + 3 * norm
    return layers * (encoder_layer + decoder_layer) + vocabulary * d


@pytest.mark.parametrize(("d", "d_ff", "heads"), [(512, 2048, 8), (1024, 4096, 16)])
def test_the_2017_models_have_the_papers_number_of_parameters(
    d: int, d_ff: int, heads: int
) -> None:
    with torch.device("meta"):
        net = Network(replace(PAPER, d_model=d, d_ff=d_ff, heads=heads), Sizes(37000, 37000))
    assert net.parameter_count == paper_count(d, d_ff, 6, 37000)
    millions = {512: 65, 1024: 213}[d]  # the paper's own, rounded, table 3
    assert net.parameter_count / 1e6 == pytest.approx(millions, rel=0.04)


def test_the_2017_model_has_its_parts() -> None:
    with torch.device("meta"):
        net = Network(PAPER, Sizes(37000, 37000))
    names = [name for name, _ in net.named_modules()]
    assert "source.positions.code" in names
    assert not [name for name in names if name.endswith("gate")]
    assert sum(isinstance(module, torch.nn.LayerNorm) for module in net.modules()) == 6 * 2 + 6 * 3


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "gru"])
@pytest.mark.parametrize(("tied", "matrices"), [("all", 1), ("decoder", 2), ("none", 3)])
def test_tied_matrices_are_one(settings: Settings, tied: Any, matrices: int) -> None:
    net = Network(replace(settings, tied=tied), Sizes(VOCABULARY, VOCABULARY))
    tables = [net.source.table.weight, net.target.table.weight, net.output.weight]
    assert len({id(table) for table in tables}) == matrices
    assert (tables[1] is tables[2]) is (tied != "none")
    assert (tables[0] is tables[1]) is (tied == "all")
    loose = Network(replace(settings, tied="none"), Sizes(VOCABULARY, VOCABULARY))
    shared = (3 - matrices) * net.output.weight.numel()
    assert net.parameter_count == loose.parameter_count - shared


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "gru"])
def test_one_matrix_cannot_serve_two_vocabularies(settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"5 source and 7 target.*data\.joint") as refusal:
        Network(replace(settings, tied="all"), Sizes(5, 7))
    assert refusal.value.where == "model.tied"
    Network(replace(settings, tied="decoder"), Sizes(5, 7))


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "gru"])
def test_logits_compare_an_output_with_every_target_vector(settings: Settings) -> None:
    net = network(settings)
    hidden = net(tokens(2, 4), REAL, tokens(2, 3, seed=1))
    scores = net.logits(hidden)
    assert scores.shape == (2, 3, VOCABULARY)
    same(scores, hidden @ net.target.table.weight.T)


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "gru"])
def test_forward_is_encode_start_decode(settings: Settings) -> None:
    net = network(settings)
    source, target = tokens(2, 4), tokens(2, 3, seed=1)
    hidden, state = net.decode(target, net.start(net.encode(source, REAL)))
    same(net(source, REAL, target), hidden)
    assert state.length == 3


@pytest.mark.parametrize(
    "settings",
    [
        *(transformer_settings(positions=p) for p in ("learned", "rotary", "alibi")),
        transformer_settings(feedforward="swiglu", norm="rms", tied="none", kv_heads=1),
        transformer_settings(projections=False, norm_place="after"),
        *(recurrent_settings(k, encoder_layers=2, decoder_layers=2) for k in ("rnn", "lstm")),  # type: ignore[arg-type]
        recurrent_settings("gru", attention="additive", tied="none"),
        recurrent_settings("gru", attention="dot", bidirectional=False),
        recurrent_settings("gru", attention="none"),
    ],
    ids=str,
)
def test_every_parameter_learns(settings: Settings) -> None:
    net = network(settings)
    scores = net.logits(net(tokens(2, 4), REAL, tokens(2, 3, seed=1)))
    torch.nn.functional.cross_entropy(scores.flatten(0, 1), tokens(6, 1, seed=2)[:, 0]).backward()
    # One bias shifts all scores of a query alike, and softmax does not see it.
    idle = {n for n, p in net.named_parameters() if p.grad is None or not bool(p.grad.any())}
    assert {n for n in idle if not n.endswith("key.bias")} == set()
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "gru"])
def test_a_seed_gives_the_same_network(settings: Settings) -> None:
    nets = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        nets.append(Network(settings, Sizes(VOCABULARY, VOCABULARY)).state_dict())
    assert all(torch.equal(nets[0][name], nets[1][name]) for name in nets[0])
    assert any(not torch.equal(nets[0][name], nets[2][name]) for name in nets[0])


def test_matrices_start_in_the_spread_of_their_kind() -> None:
    torch.manual_seed(0)
    settings = transformer_settings(d_model=64, d_ff=128, tied="none")
    net = Network(settings, Sizes(300, 300))
    for name, module in net.named_modules():
        if isinstance(module, torch.nn.Linear):
            fan_out, fan_in = module.weight.shape
            spread = math.sqrt(2 / (fan_in + fan_out)) if name != "output" else fan_in**-0.5
            assert float(module.weight.detach().std()) == pytest.approx(spread, rel=0.06), name
            assert module.bias is None or not bool(module.bias.any()), name


def test_first_predictions_are_close_to_even() -> None:
    torch.manual_seed(0)
    for settings in BOTH:
        net = Network(settings, Sizes(VOCABULARY, VOCABULARY)).eval()
        scores = net.logits(net(tokens(2, 4), REAL, tokens(2, 30, seed=1)))
        loss = torch.nn.functional.cross_entropy(
            scores.flatten(0, 1), tokens(60, 1, seed=2)[:, 0]
        ).item()
        assert loss < math.log(VOCABULARY) + 1


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "gru"])
def test_saved_names_hold_no_tap_and_load_strictly(settings: Settings) -> None:
    one, two = network(settings), Network(settings, Sizes(VOCABULARY, VOCABULARY)).double().eval()
    state = one.state_dict()
    assert set(state) - {"output.weight"} == {name for name, _ in one.named_parameters()}
    two.load_state_dict(state, strict=True)
    arguments = tokens(2, 4), REAL, tokens(2, 3, seed=1)
    assert torch.equal(one(*arguments), two(*arguments))


@pytest.mark.parametrize("settings", BOTH, ids=["transformer", "gru"])
def test_a_few_steps_learn_a_tiny_task(settings: Settings) -> None:
    torch.manual_seed(0)
    net = Network(replace(settings, dropout=0.0), Sizes(VOCABULARY, VOCABULARY))
    source = tokens(6, 3)
    given, wanted = torch.cat([torch.zeros(6, 1).long(), source[:, :2]], 1), source
    optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
    for _ in range(60):
        scores = net.logits(net(source, torch.ones(6, 3).bool(), given))
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), wanted.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3

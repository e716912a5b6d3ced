"""The residual stream: its figures are those of a plain trace, and of streams written by hand."""

from __future__ import annotations

import math

import pytest
import torch
from opened import PAIRS, SETTINGS, changed, given, network_of, opened
from torch import Tensor

from helpers import hooks_in, transformer_settings
from seq2see.data.pairs import Pair
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.edit import edited
from seq2see.look.replace import replace
from seq2see.look.stream import Level, residue, similarity, stream
from seq2see.look.trace import trace
from seq2see.nn.network import Network
from seq2see.nn.roles import uniform

BLOCK = {"encoder": ("self", "feedforward"), "decoder": ("self", "cross", "feedforward")}


def plain(model: Translator, part: str, layer: int) -> list[tuple[str, list[Tensor], list[Tensor]]]:
    """Of each sub-layer: name, the stream after it and what it wrote, by pair, before norms."""
    whole, side = trace(model, PAIRS), {"encoder": "source", "decoder": "target"}[part]
    found = []
    x = [
        whole.pair(i)[f"{side}.out" if not layer else f"{part}.{layer - 1}.out"][0]
        for i in range(3)
    ]
    for name in BLOCK[part]:
        at = f"{part}.{layer}.around_{name}"
        written = [whole.pair(i)[f"{at}.written"][0] for i in range(3)]
        x = [a + b for a, b in zip(x, written, strict=True)]
        found.append((at, x, written))
    return found


@pytest.mark.parametrize("batch_tokens", [8, 8192])
@pytest.mark.parametrize(("part", "layer"), [("encoder", 0), ("encoder", 2), ("decoder", 1)])
def test_levels_are_those_of_a_plain_trace(part: str, layer: int, batch_tokens: int) -> None:
    settings = transformer_settings(encoder_layers=3, decoder_layers=2)
    model = opened(settings, batch_tokens=batch_tokens)
    levels = {level.name: level for level in stream(model, PAIRS)}
    for at, x, written in plain(model, part, layer):
        level, every, wrote = levels[at], torch.cat(x), torch.cat(written)
        assert level.norm == pytest.approx(every.norm(dim=1).mean().item(), rel=1e-4)
        assert level.written == pytest.approx(wrote.norm(dim=1).mean().item(), rel=1e-4)
        share = wrote.norm(dim=1) / (every - wrote).norm(dim=1)
        assert level.share == pytest.approx(share.mean().item(), rel=1e-4)
        cosines = [
            torch.cosine_similarity(a[i], a[j], dim=0).item()
            for a in x
            for i in range(len(a))
            for j in range(i)
        ]
        sizes = [len(a) * (len(a) - 1) // 2 for a in x]
        weights = torch.cat([torch.full((n,), 1 / n) for n in sizes])
        mean = (torch.tensor(cosines) * weights).sum().item() / len(x)
        assert level.similarity == pytest.approx(mean, rel=1e-4, abs=1e-5)
        residues = [((a - a.mean(0)).square().sum() / a.square().sum()).sqrt().item() for a in x]
        assert level.residue == pytest.approx(sum(residues) / len(x), rel=1e-4)
    assert hooks_in(network_of(model)) == []


def test_levels_stand_in_the_order_of_the_network_and_gradients_are_those_of_a_trace() -> None:
    model = opened("transformer")
    network_of(model).requires_grad_(False)
    levels, one = stream(model, PAIRS), given(model)
    names = [level.name for level in levels]
    blocks = {
        part: [f"{part}.{n}.around_{at}" for n in (0, 1) for at in BLOCK[part]] for part in BLOCK
    }
    assert names == ["source.out", *blocks["encoder"], "target.out", *blocks["decoder"]]
    slopes = trace(model, PAIRS, grad=True).grad
    by_name = {level.name: level for level in levels}
    for block, last in (("encoder.1", "source"), ("decoder.0", "target"), ("source", "source")):
        real = one.real if last == "source" else one.wanted != 0
        name = "source.out" if block == "source" else f"{block}.around_feedforward"
        expected = slopes[f"{block}.out"].norm(dim=-1)[real].mean().item()
        assert by_name[name].gradient == pytest.approx(expected, rel=1e-4)
    assert levels[0].written is levels[0].share is None


def test_after_a_norm_the_stream_has_its_length() -> None:
    def plainly(network: Network) -> None:
        for name, parameter in network.named_parameters():
            if ".norm." in name:
                parameter.fill_(float(name.endswith("weight")))

    model = changed(opened(transformer_settings(norm_place="after")), plainly)
    for level in stream(model, PAIRS):
        if level.written is not None:
            assert level.norm == pytest.approx(8**0.5, rel=1e-4)


def test_a_uniform_look_without_residual_makes_all_positions_alike() -> None:
    settings = transformer_settings(residual=False, feedforward="none", norm="none")
    model = opened(settings)
    with edited(model, [replace("encoder.0.self", pattern=uniform())]):
        levels = {level.name: level for level in stream(model, PAIRS)}
    alike = levels["encoder.0.around_self"]
    assert alike.residue < 1e-6
    assert alike.similarity == pytest.approx(1.0)
    assert levels["source.out"].residue > 0.1
    plain_levels = {level.name: level for level in stream(model, PAIRS)}
    assert plain_levels["encoder.0.around_self"].residue > 1e-3


def test_residue_and_similarity_of_small_matrices() -> None:
    x = torch.tensor([[3.0, 0.0], [0.0, 4.0], [3.0, 0.0]])
    assert similarity(x).item() == pytest.approx(1 / 3)
    mean_free = 2 * ((3 - 2) ** 2 + (4 / 3) ** 2) + 2**2 + (8 / 3) ** 2
    assert residue(x).item() == pytest.approx(math.sqrt(mean_free / 34))


def test_one_position_is_not_compared() -> None:
    levels = {level.name: level for level in stream(opened(SETTINGS["alibi"]), [Pair("", "abc")])}
    assert math.isnan(levels["source.out"].similarity)
    assert math.isnan(levels["encoder.0.around_self"].residue)
    assert isinstance(levels["target.out"], Level)
    assert not math.isnan(levels["target.out"].residue)


def test_a_recurrent_network_is_refused() -> None:
    with pytest.raises(ConfigError, match="no residual stream"):
        stream(opened("gru"), PAIRS)

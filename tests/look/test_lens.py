"""Lenses: the last layer is the model itself, and a layer is what a network cut there would be."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from opened import PAIRS, SETTINGS, TOKENIZERS, given, logits, network_of, opened, searching
from torch import nn

from helpers import hooks_in, recurrent_settings, transformer_settings
from seq2see.data.tokenizers import SPECIALS, START
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.ablate import ablate
from seq2see.look.edit import edited
from seq2see.look.lens import decoder_lens, lens
from seq2see.look.trace import log_likelihood, trace

DEEP = {
    "before": SETTINGS["transformer"],
    "after": transformer_settings(encoder_layers=2, decoder_layers=2, norm_place="after"),
    "bilstm": SETTINGS["bilstm"],
    "blind": recurrent_settings("gru", attention="none", encoder_layers=2, decoder_layers=3),
}
EACH = pytest.mark.parametrize("kind", DEEP)


def cut(model: Translator, part: str, depth: int) -> Translator:
    """The same model with the layers of one part above `depth` taken out."""
    network = copy.deepcopy(network_of(model))
    network.get_submodule(part).depth = depth
    return Translator([network], model.tokenizers, model.options)


@EACH
def test_the_last_layer_of_a_decoder_is_what_it_predicts(kind: str) -> None:
    model = opened(DEEP[kind])
    found, whole = lens(model, PAIRS), logits(model)
    assert torch.equal(found.logits[:, -1], whole.float())
    assert found.target == trace(model, PAIRS).target
    likelihood = log_likelihood(whole, given(model).wanted).float()
    torch.testing.assert_close(found.likelihood[:, -1], likelihood)
    assert hooks_in(network_of(model)) == []


@EACH
def test_a_layer_of_a_decoder_is_that_of_a_shorter_one(kind: str) -> None:
    model = opened(DEEP[kind])
    found = lens(model, PAIRS)
    for layer in range(found.logits.shape[1]):
        shorter = trace(cut(model, "decoder", layer + 1), PAIRS)
        torch.testing.assert_close(found.logits[:, layer], shorter["prediction"])
    assert not torch.allclose(found.logits[:, 0], found.logits[:, -1])


def test_a_token_is_settled_from_the_layer_that_writes_it() -> None:
    model = opened(transformer_settings(decoder_layers=3, norm="none", d_model=8))
    network = network_of(model)
    [[first, second, *_]] = TOKENIZERS.targets(["ab"], [[]])
    with torch.no_grad():
        for name in ("target.table", "source.table"):
            network.get_submodule(name).weight.zero_()
        network.output.weight = nn.Parameter(torch.zeros_like(network.output.weight))
        network.output.weight[first, 0] = network.output.weight[second, 1] = 1.0
        for layer in range(3):
            for name in ("self.output", "cross.output", "feedforward.narrow"):
                module = network.get_submodule(f"decoder.{layer}.{name}")
                module.weight.zero_()
                module.bias.zero_()
        network.target.positions = nn.Identity()  # type: ignore[assignment]
        network.target.positions.forward = lambda x, start=0: x  # type: ignore[method-assign]
        network.get_submodule("decoder.0.feedforward.narrow").bias[0] = 1.0  # says a
        network.get_submodule("decoder.1.feedforward.narrow").bias[1] = 3.0  # says b
        network.get_submodule("decoder.2.feedforward.narrow").bias[0] = 1.0  # not enough
    found = lens(model, "ab", "ab")
    assert found.best[0][0][:2] == ("a", "a")
    assert found.best[0][2] == ("b", "b", "b")
    assert found.settled(0) == (None, 1, None)
    others = network.output.out_features - 2
    total = math.log(math.e + 1 + others)
    torch.testing.assert_close(found.scores[0, 0, :2], torch.tensor([1 - total, -total]))


@EACH
def test_the_last_layer_of_an_encoder_is_the_model_itself(kind: str) -> None:
    model = searching(DEEP[kind], max_length=9)
    found = decoder_lens(model, PAIRS)
    plain = [nbest[0].text for nbest in model.translate(PAIRS)]
    assert list(found.texts[-1]) == plain
    scored = torch.tensor([one.score for one in model.score(PAIRS)])
    torch.testing.assert_close(found.likelihood[:, -1], scored, rtol=1e-4, atol=1e-4)
    assert hooks_in(network_of(model)) == []


@EACH
def test_a_layer_of_an_encoder_is_that_of_a_shorter_one(kind: str) -> None:
    model = searching(DEEP[kind], max_length=9)
    found, shorter = decoder_lens(model, PAIRS), cut(model, "encoder", 1)
    if kind in ("bilstm", "blind"):
        # What it starts the upper layers from are the first layer's last states.
        network_of(shorter).decoder.encoder_depth = 1
    assert list(found.texts[0]) == [nbest[0].text for nbest in shorter.translate(PAIRS)]
    scored = torch.tensor([one.score for one in shorter.score(PAIRS)])
    torch.testing.assert_close(found.likelihood[:, 0], scored, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(found.likelihood[:, 0], found.likelihood[:, -1])


def test_an_edit_is_seen_through_both_lenses() -> None:
    model = searching("transformer", max_length=9)
    plain = lens(model, PAIRS), decoder_lens(model, PAIRS)
    with edited(model, [ablate("decoder.1.cross")]):
        seen, likelihood = lens(model, PAIRS).logits, decoder_lens(model, PAIRS).likelihood
    assert torch.equal(seen[:, 0], plain[0].logits[:, 0])
    assert not torch.allclose(seen[:, 1], plain[0].logits[:, 1])
    assert not torch.allclose(likelihood, plain[1].likelihood)


def test_without_a_target_the_whole_model_s_output_is_the_reference() -> None:
    model = searching("transformer", max_length=9)
    best = tuple(nbest[0].tokens for nbest in model.translate(PAIRS))
    sources = [pair.source for pair in PAIRS]
    assert lens(model, sources).target == best
    assert decoder_lens(model, sources).target == best
    assert SPECIALS[START] not in best[0]


@pytest.mark.parametrize(("look", "part"), [(lens, "decoder"), (decoder_lens, "encoder")])
def test_one_recurrent_layer_has_nothing_between(look: object, part: str) -> None:
    with pytest.raises(ConfigError, match=f"model.{part}_layers=2"):
        look(opened("gru"), "abc")  # type: ignore[operator]

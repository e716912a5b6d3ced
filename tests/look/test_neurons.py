"""Neurons: triggers are the greatest values of a plain trace, and written tokens are promoted."""

from __future__ import annotations

import pytest
import torch
from opened import TOKENIZERS, changed, network_of, opened

from helpers import hooks_in, transformer_settings
from seq2see.data.pairs import Pair
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.ablate import ablate
from seq2see.look.edit import edited
from seq2see.look.neurons import neurons
from seq2see.look.trace import trace
from seq2see.nn.network import Network

# The longest one first: batches are laid by length, and pairs are numbered as they are given.
PAIRS = [Pair("decade", "a"), Pair("abc", "cab"), Pair("h", "ghgh")]


def plain(model: Translator, at: str) -> list[list[tuple[float, int, int, str]]]:
    """(value, pair, position, token) of each neuron at every position, the greatest first."""
    seen = trace(model, PAIRS)
    tokens = seen.source if at.startswith("encoder") else seen.read
    found = []
    for neuron in range(12):
        values = [
            (seen.pair(i)[f"{at}.neurons"][0, t, neuron].item(), i, t, token)
            for i in range(len(PAIRS))
            for t, token in enumerate(tokens[i])
        ]
        found.append(sorted(values, reverse=True))
    return found


@pytest.mark.parametrize("at", ["decoder.1.feedforward", "encoder.0.feedforward"])
@pytest.mark.parametrize("kind", ["gelu", "swiglu"])
@pytest.mark.parametrize("batch_tokens", [8, 8192])
def test_triggers_are_the_greatest_of_all_positions(at: str, kind: str, batch_tokens: int) -> None:
    settings = transformer_settings(encoder_layers=2, decoder_layers=2, feedforward=kind)
    model = opened(settings, batch_tokens=batch_tokens)
    found, every = neurons(model, at, PAIRS, keep=3), plain(model, at)
    assert len(found) == 12
    for i, values in enumerate(every):
        triggers = found.triggers(i)
        assert [(one.pair, one.position, one.token) for one in triggers] == [
            v[1:] for v in values[:3]
        ]
        assert [one.value for one in triggers] == pytest.approx(
            [v[0] for v in values[:3]], abs=1e-5
        )
        share = sum(value > 0 for value, *_ in values) / len(values)
        assert found.active[i].item() == pytest.approx(share)
        assert found.positions == len(values)
    assert hooks_in(network_of(model)) == []


def test_a_neuron_written_by_hand_answers_to_its_token_and_promotes_another() -> None:
    [[a, b, c, *_]] = TOKENIZERS.targets(["abc"], [[]])

    def write(network: Network) -> None:
        network.target.table.weight.zero_()
        network.target.table.weight[a, 0] = 1.0
        network.output.weight.zero_()
        network.output.weight[b, 1], network.output.weight[c, 1] = 2.0, -3.0
        for name in ("self.output", "cross.output"):
            network.get_submodule(f"decoder.0.{name}").weight.zero_()
            network.get_submodule(f"decoder.0.{name}").bias.zero_()
        layer = network.get_submodule("decoder.0.feedforward")
        layer.widen.weight[4], layer.widen.bias[4] = 0, -1.0
        layer.widen.weight[4, 0] = 1.0
        layer.narrow.weight[:, 4] = 0
        layer.narrow.weight[1, 4] = 0.5

    settings = transformer_settings(norm="none", positions="none", tied="none")
    found = neurons(changed(opened(settings), write), "decoder.0.feedforward", PAIRS, keep=4)
    # PAIRS are read as <s>a, <s>cab and <s>ghgh; the embedding of a is scaled by the root of 8.
    triggers = found.triggers(4)
    assert [(one.pair, one.position, one.token) for one in triggers[:2]] == [
        (0, 1, "a"),
        (1, 2, "a"),
    ]
    assert [one.value for one in triggers] == pytest.approx([8**0.5 - 1] * 2 + [0, 0])
    assert found.active[4].item() == pytest.approx(2 / 11)
    best, worst = found.promoted(4, 1)[0], found.suppressed(4, 1)[0]
    assert (best.token, best.value) == ("b", 1.0)
    assert (worst.token, worst.value) == ("c", -1.5)


def test_an_edit_is_seen() -> None:
    model = opened("transformer")
    before = neurons(model, "decoder.1.feedforward", PAIRS)
    with edited(model, [ablate("decoder.1.feedforward.neurons")]):
        during = neurons(model, "decoder.1.feedforward", PAIRS)
    assert not bool(during.active.any())
    assert bool(before.active.any())
    assert torch.equal(neurons(model, "decoder.1.feedforward", PAIRS).active, before.active)


@pytest.mark.parametrize(
    ("kind", "at", "message"),
    [
        ("transformer", "decoder.1.fedforward", r"Did you mean decoder\.1\.feedforward\?"),
        ("gru", "decoder.0.feedforward", "no feed-forward layers"),
    ],
)
def test_a_layer_that_is_not_there_is_refused(kind: str, at: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        neurons(opened(kind), at, PAIRS)


def test_an_encoder_s_neuron_promotes_no_token() -> None:
    with pytest.raises(ConfigError, match="of the decoder"):
        neurons(opened("transformer"), "encoder.0.feedforward", PAIRS).promoted(0)
    with pytest.raises(ConfigError, match="1 or more"):
        neurons(opened("transformer"), "encoder.0.feedforward", PAIRS, keep=0)

"""Tiny models to look into, and what several tests ask of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fixtures import copying, joint
from helpers import randomised, recurrent_settings, transformer_settings
from seq2see.data.pairs import Pair
from seq2see.data.store import Tokenizers
from seq2see.decode.options import SearchOptions
from seq2see.decode.score import Given
from seq2see.decode.translate import Translator
from seq2see.look.forced import force
from seq2see.nn.network import Network, Sizes
from seq2see.nn.plan import HeadRole
from seq2see.nn.settings import Settings

TOKENIZERS: Tokenizers = joint(copying(40))
PAIRS = [Pair("abc", "cab"), Pair("h", "ghgh"), Pair("decade", "a")]

SETTINGS: dict[str, Settings] = {
    "transformer": transformer_settings(encoder_layers=2, decoder_layers=2),
    "shared": transformer_settings(heads=4, kv_heads=2, positions="rotary", norm_place="after"),
    "alibi": transformer_settings(positions="alibi", feedforward="swiglu", norm="rms"),
    "learned": transformer_settings(positions="learned", d_key=3, d_value=5),
    "programmed": transformer_settings(
        heads=4,
        length_ratio=0.5,
        roles=(
            HeadRole("encoder.0.self", 0, "previous", "fixed"),
            HeadRole("decoder.0.self", 1, "same_token", "fixed"),
            HeadRole("decoder.0.cross", 2, "same_token"),
            HeadRole("decoder.0.cross", 3, "diagonal(0.3)", "fixed"),
        ),
    ),
    "bilstm": recurrent_settings("lstm", encoder_layers=2, decoder_layers=2),
    "gru": recurrent_settings("gru", bidirectional=False, attention="dot"),
    "rnn": recurrent_settings("rnn", attention="none"),
}


def opened(settings: Settings | str, **options: Any) -> Translator:
    """A model with random parameters in double precision, and its tokenizers."""
    chosen = SETTINGS[settings] if isinstance(settings, str) else settings
    size = TOKENIZERS.source.size
    network = randomised(Network(chosen, Sizes(size, size))).eval()
    return Translator([network], TOKENIZERS, SearchOptions(**({"beam": 2} | options)))


def searching(settings: Settings | str, **options: Any) -> Translator:
    """The same in single precision, in which alone searches are made."""
    model = opened(settings, **options)
    network_of(model).float()
    return model


def network_of(model: Translator) -> Network:
    assert isinstance(model.network, Network)
    return model.network


def changed(model: Translator, change: Callable[[Network], None]) -> Translator:
    """A copy of a model whose network was changed by hand."""
    network = copy.deepcopy(network_of(model))
    with torch.no_grad():
        change(network)
    return Translator([network], model.tokenizers, model.options)


def given(model: Translator, pairs: list[Pair] = PAIRS) -> Given:
    return force(model, pairs).together(network_of(model))


def logits(model: Translator, pairs: list[Pair] = PAIRS) -> Tensor:
    """What the network predicts along the targets of some pairs, all at once."""
    network, one = network_of(model), given(model, pairs)
    with torch.no_grad():
        return network.logits(network(one.source, one.real, one.read))


def stepped(model: Translator, pairs: list[Pair] = PAIRS) -> Tensor:
    """The same token by token, with the decoder's state."""
    network, one = network_of(model), given(model, pairs)
    steps = []
    with torch.no_grad():
        state = network.start(network.encode(one.source, one.real))
        for token in one.read.unbind(1):
            scores, state = network.step(token, state)
            steps.append(scores)
    return torch.stack(steps, 1)

"""A model written by hand, of which it is known what each head does: it copies its source."""

from __future__ import annotations

import math
from collections import Counter

import torch
from torch import Tensor

from fixtures import copying, joint
from helpers import transformer_settings
from seq2see.data.pairs import Pair
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import Translator
from seq2see.nn.network import Network, Sizes

TOKENIZERS = joint(copying(40))
WORDS = ("abab", "cdc", "hgfedcba", "aab", "ecea", "bgbg", "a", "fdff")
PAIRS = [Pair(word, word) for word in WORDS]

PLACES, KINDS = 12, TOKENIZERS.source.size
WIDTH = PLACES + 2 * KINDS
"""A vector holds its position, its token, and the token that is to be written, each one-hot."""

PLACE, TOKEN, WRITTEN = (
    slice(0, PLACES),
    slice(PLACES, PLACES + KINDS),
    slice(PLACES + KINDS, WIDTH),
)
SURE = 400.0
"""A difference of scores that leaves nothing to the other keys, divided by the root of d_key."""

ENCODER, CROSS = "encoder.0.self", "decoder.0.cross"


def handmade() -> Translator:
    """Heads 0 to 3 of the encoder look at the previous, the same, the rare and the first token.

    They write nothing. Head 2 of the cross-attention writes the source token at the position that
    is predicted, and all others nothing.
    """
    settings = transformer_settings(
        d_model=WIDTH, heads=4, d_key=WIDTH, d_value=WIDTH, feedforward="none", norm="none",
        positions="learned", max_positions=PLACES, tied="none", dropout=0.0,
    )  # fmt: skip
    network = Network(settings, Sizes(KINDS, KINDS)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        for side in (network.source, network.target):
            side.table.weight[:, TOKEN] = torch.eye(KINDS) / math.sqrt(WIDTH)
            side.positions.table[:, PLACE] = torch.eye(PLACES)
        network.output.weight[:, WRITTEN] = 20 * torch.eye(KINDS)
        _write_encoder(network.get_submodule(ENCODER))
        _write_cross(network.get_submodule(CROSS))
    return Translator([network], TOKENIZERS, SearchOptions(beam=1))


def _write_encoder(layer: torch.nn.Module) -> None:
    q, k = (_by_head(layer.get_submodule(name).weight) for name in ("query", "key"))
    q[0][PLACE, PLACE] = SURE * torch.eye(PLACES).roll(-1, 0).triu(1)
    k[0][PLACE, PLACE] = torch.eye(PLACES)
    q[1][TOKEN, TOKEN] = SURE * torch.eye(KINDS)
    q[1][PLACE, PLACE] = -SURE * torch.eye(PLACES)
    k[1][PLACE, PLACE] = torch.eye(PLACES)
    k[1][TOKEN, TOKEN] = torch.eye(KINDS)
    rows, _ = TOKENIZERS.sources(PAIRS)
    bias = layer.get_submodule("query").bias.view(4, WIDTH)
    for token, count in Counter(i for row in rows for i in row).items():
        k[2][0, PLACES + token] = -SURE * math.log(count)
    bias[2, 0] = 1.0
    k[3][0, 0] = SURE
    bias[3, 0] = 1.0


def _write_cross(layer: torch.nn.Module) -> None:
    q, k, v = (_by_head(layer.get_submodule(name).weight) for name in ("query", "key", "value"))
    q[2][PLACE, PLACE] = SURE * torch.eye(PLACES)
    k[2][PLACE, PLACE] = torch.eye(PLACES)
    v[2][TOKEN, TOKEN] = torch.eye(KINDS)
    output = layer.get_submodule("output").weight.view(WIDTH, 4, WIDTH)
    output[WRITTEN, 2, TOKEN] = torch.eye(KINDS)


def _by_head(weight: Tensor) -> Tensor:
    return weight.view(4, WIDTH, WIDTH)

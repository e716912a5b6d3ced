"""Heads cut for good: what is left gives what the whole layer gives with them silenced."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers import normal, randomised, same, transformer_settings
from seq2see.config import parse
from seq2see.errors import ConfigError
from seq2see.nn import attention
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.cut import cut
from seq2see.nn.heads import HeadSizes
from seq2see.nn.kept import KeptHeads
from seq2see.nn.network import Network, Sizes
from seq2see.nn.settings import TransformerSettings

REAL = torch.ones(2, 1, 1, 5, dtype=torch.bool)


def whole(kv_heads: int = 4) -> MultiHeadAttention:
    return randomised(MultiHeadAttention(HeadSizes(6, 4, kv_heads, 3, 2))).eval()


def run(layer: MultiHeadAttention) -> Tensor:
    memory = normal(2, 5, 6, seed=1)
    return layer(layer.queries(normal(2, 3, 6)), *layer.keys_values(memory), REAL)


def silenced(layer: MultiHeadAttention, kept: list[int]) -> Tensor:
    """What the layer gives when its output map ignores the other heads."""
    layer = copy.deepcopy(layer)
    for head in set(range(4)) - set(kept):
        layer.output.weight.data[:, 2 * head : 2 * head + 2] = 0
    return run(layer)


@pytest.mark.parametrize("long", [1, 512])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("kept", [[1, 2, 3], [0, 3], [2], []])
def test_cut_is_silenced(
    kept: list[int], kv_heads: int, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "LONG", long)
    layer = whole(kv_heads)
    wanted = silenced(layer, kept)
    cut(layer, kept)
    same(run(layer), wanted)


@pytest.mark.parametrize("kept", [[0, 3], []])
def test_a_map_that_serves_query_and_key_is_cut_once(kept: list[int]) -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(6, 4, 4, 3, 2, tied_query_key=True))).eval()
    wanted = silenced(layer, kept)
    cut(layer, kept)
    assert layer.query is layer.key
    same(run(layer), wanted)


def test_the_weights_are_gone() -> None:
    layer = whole(kv_heads=2)
    cut(layer, [2])  # which reads the second group of keys and values
    shapes = {name: tuple(value.shape) for name, value in layer.named_parameters()}
    assert shapes["query.weight"] == shapes["key.weight"] == (3, 6)
    assert (shapes["value.weight"], shapes["value.bias"]) == ((2, 6), (2,))
    assert (shapes["output.weight"], shapes["output.bias"]) == ((6, 2), (6,))


def test_shared_keys_and_values_stay_while_one_head_reads_them() -> None:
    layer = whole(kv_heads=2)
    cut(layer, [0, 1, 3])
    assert layer.sizes.kv_heads == 2
    cut(layer, [0, 1])
    assert layer.sizes.kv_heads == 1


def test_cutting_twice_is_cutting_once() -> None:
    twice, once = whole(kv_heads=2), whole(kv_heads=2)
    cut(twice, [0, 2, 3])
    cut(twice, [1, 2])
    cut(once, [2, 3])
    assert twice.sizes == once.sizes
    assert twice.sizes.left is not None
    assert twice.sizes.left.numbers == (2, 3)
    same(run(twice), run(once))


def test_what_is_left_can_be_trained() -> None:
    layer = whole()
    cut(layer, [])
    run(layer).sum().backward()
    same(layer.output.bias.grad, torch.full((6,), 6.0, dtype=torch.float64))


def test_settings_build_the_smaller_network() -> None:
    kept = (KeptHeads("encoder.0.self", (1,)), KeptHeads("decoder.0.cross", ()))
    small = Network(transformer_settings(kept=kept), Sizes(11, 11))
    sizes = {name: small.get_submodule(name).sizes.heads for name in small.settings.attentions}
    assert sizes == {"encoder.0.self": 1, "decoder.0.self": 2, "decoder.0.cross": 0}
    large = Network(transformer_settings(), Sizes(11, 11))
    d_model = 8
    # A head of half of d_model: three maps in with biases, and one out.
    head = 3 * (d_model * 4 + 4) + 4 * d_model
    assert large.parameter_count - small.parameter_count == 3 * head


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"at": "encoder.0.cross", "heads": [0]}, "Did you mean"),
        ({"at": "encoder.0.self", "heads": [2]}, "from 0 to 1"),
        ({"at": "encoder.0.self", "heads": [1, 0]}, "rising order"),
        ({"at": "encoder.0.self", "heads": [0, 0]}, "distinct"),
        ({"at": "encoder.0.self", "head": [0]}, r"model\.kept"),
        ({"at": "encoder.0.self"}, r"model\.kept"),
    ],
)
def test_what_cannot_be_kept_is_refused(table: dict[str, Any], message: str) -> None:
    values = {"encoder_layers": 1, "decoder_layers": 1, "d_model": 8, "heads": 2, "kept": [table]}
    with pytest.raises(ConfigError, match=message):
        parse(TransformerSettings, values, "model")


def test_what_contradicts_itself_is_refused() -> None:
    one = KeptHeads("encoder.0.self", (0,))
    with pytest.raises(ConfigError, match="named twice"):
        transformer_settings(kept=(one, one))
    with pytest.raises(ConfigError, match="no weights that could be cut"):
        transformer_settings(kept=(one,), projections=False)
    with pytest.raises(ConfigError, match="stand in the vectors"):
        transformer_settings(kept=(one,), value_projection=False)

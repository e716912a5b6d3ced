from __future__ import annotations

import pytest
import torch

from helpers import transformer_settings
from seq2see.errors import ConfigError
from seq2see.nn.int8 import Int8Linear
from seq2see.nn.network import Network, Sizes
from seq2see.nn.precision import cast, converted

SOURCE = torch.arange(4, 16).view(2, 6)
REAL = torch.ones_like(SOURCE, dtype=torch.bool)


def test_cast_keeps_running_statistics_in_float32() -> None:
    network = Network(transformer_settings(norm="batch", decoder_norm="layer"), Sizes(20, 20))
    assert cast(network, "bfloat16") is network
    inside = {
        f"{name}.{own}"
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.BatchNorm1d)
        for own in (*dict(module.named_parameters()), *dict(module.named_buffers()))
    }
    assert inside
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            expected = torch.float32 if name in inside else torch.bfloat16
            assert tensor.dtype == expected, name


@pytest.mark.parametrize("norm", ["layer", "batch", "rms"])
def test_a_cast_network_trains(norm: str) -> None:
    settings = transformer_settings(norm=norm, decoder_norm="layer")
    network = cast(Network(settings, Sizes(20, 20)), "bfloat16")
    hidden = network(SOURCE, REAL, SOURCE)
    assert hidden.dtype == torch.bfloat16
    hidden.float().sum().backward()
    assert network.target.table.weight.grad.dtype == torch.bfloat16


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_a_converted_network_predicts_nearly_the_same(precision: str) -> None:
    torch.manual_seed(0)
    network = Network(transformer_settings(d_model=32), Sizes(20, 20)).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        exact = network.logits(network(SOURCE, REAL, SOURCE))
        other = converted(network, precision)
        close = other.logits(other(SOURCE, REAL, SOURCE)).float()
    assert 0 < (close - exact).abs().max() < 0.05 * exact.std() * 4
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_a_map_that_serves_query_and_key_is_converted_once(precision: str) -> None:
    torch.manual_seed(0)
    settings = transformer_settings(d_model=32, tied_query_key=True, value_projection=False)
    network = Network(settings, Sizes(20, 20)).eval()
    other = converted(network, precision)
    for layer in (other.encoder.get_submodule("0.self"), other.decoder.get_submodule("0.cross")):
        assert layer.query is layer.key
        assert type(layer.query) is (Int8Linear if precision == "int8" else torch.nn.Linear)
    with torch.no_grad():
        exact = network.logits(network(SOURCE, REAL, SOURCE))
        close = other.logits(other(SOURCE, REAL, SOURCE)).float()
    assert 0 < (close - exact).abs().max() < 0.05 * exact.std() * 4


def test_in_float32_nothing_is_copied() -> None:
    network = Network(transformer_settings(), Sizes(20, 20))
    assert converted(network, "float32") is network


def test_int8_changes_every_linear_layer_and_no_embedding() -> None:
    network = converted(Network(transformer_settings(d_model=32), Sizes(20, 20)), "int8")
    left = [each for each in network.modules() if isinstance(each, torch.nn.Linear)]
    assert all(each.out_features < 16 for each in left)
    assert isinstance(network.output, Int8Linear)
    assert network.target.table.weight.dtype == torch.float32


def test_int8_is_refused_where_it_cannot_be_computed() -> None:
    network = Network(transformer_settings(), Sizes(20, 20)).to("meta")
    with pytest.raises(ConfigError, match=r"int8 on meta.*Decode there in float32"):
        converted(network, "int8")

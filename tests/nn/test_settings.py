"""Every refusal of a setting, and the sizes that follow from zeros."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from seq2see.errors import ConfigError
from seq2see.nn.heads import HeadSizes
from seq2see.nn.settings import RecurrentSettings, TransformerSettings

TRANSFORMER_REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    *(({name: -0.1}, f"model.{name}", "dropout rate") for name in ("dropout", "attention_dropout")),
    ({"feedforward_dropout": 1.0}, "model.feedforward_dropout", "from 0 to below 1"),
    ({"dropout": float("nan")}, "model.dropout", "nan"),
    *(
        ({name: 0}, f"model.{name}", "at least 1")
        for name in ("encoder_layers", "decoder_layers", "d_model", "d_ff", "heads")
    ),
    *(({name: -1}, f"model.{name}", "at least 0") for name in ("kv_heads", "d_key", "d_value")),
    ({"positions": "learned", "max_positions": 0}, "model.max_positions", "at least 1"),
    ({"d_model": 30, "heads": 2, "norm": "group"}, "model.norm", "multiple of 4"),
    ({"d_model": 30, "heads": 2, "decoder_norm": "group"}, "model.norm", "multiple of 4"),
    ({"d_model": 10, "heads": 4}, "model.heads", "not divisible by 4 heads"),
    ({"d_model": 10, "heads": 4, "d_key": 3}, "model.heads", "model.d_value"),
    ({"heads": 4, "kv_heads": 3}, "model.kv_heads", "divisor"),
    ({"heads": 4, "kv_heads": 8}, "model.kv_heads", "cannot share"),
    ({"positions": "rotary", "d_key": 3}, "model.positions", "even"),
    ({"positions": "rotary", "d_model": 12, "heads": 4}, "model.positions", "d_key is 3"),
    ({"projections": False, "kv_heads": 2}, "model.projections", "sizes cannot be chosen"),
    ({"projections": False, "d_key": 8}, "model.projections", "model.d_key"),
    ({"projections": False, "d_value": 8}, "model.projections", "model.d_value"),
    *(
        ({"projections": False, **change}, f"model.{name}", "set model.projections=true")
        for name, change in (
            ("tied_query_key", {"tied_query_key": True}),
            ("value_projection", {"value_projection": False}),
        )
    ),
    ({"tied_query_key": True, "kv_heads": 2}, "model.tied_query_key", "Leave model.kv_heads out"),
    ({"value_projection": False, "kv_heads": 2}, "model.value_projection", "2 values of 64"),
    ({"value_projection": False, "d_value": 8}, "model.value_projection", "Leave model.kv_heads"),
    ({"frequencies": -1}, "model.frequencies", "at least 0"),
    ({"frequencies": 129}, "model.frequencies", "at most 128"),
    ({"frequencies": 2, "positions": "rotary"}, "model.frequencies", "positions=sinusoidal"),
    ({"norm": "batch"}, "model.norm", "the past would see the future"),
    ({"norm": "instance"}, "model.norm", "model.decoder_norm=layer"),
    ({"decoder_norm": "batch"}, "model.norm", "batch normalisation"),
    ({"decoder_norm": "instance"}, "model.norm", "instance normalisation"),
]

RECURRENT_REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"dropout": 1.0}, "model.dropout", "dropout rate"),
    *(
        ({name: 0}, f"model.{name}", "at least 1")
        for name in ("encoder_layers", "decoder_layers", "d_embedding", "d_hidden")
    ),
    ({"attention": "dot"}, "model.attention", "general"),
]


@pytest.mark.parametrize(("changes", "where", "says"), TRANSFORMER_REFUSALS, ids=str)
def test_a_transformer_refuses(changes: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refusal:
        TransformerSettings(**changes)
    assert refusal.value.where == where


@pytest.mark.parametrize(("changes", "where", "says"), RECURRENT_REFUSALS, ids=str)
def test_a_recurrent_network_refuses(changes: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refusal:
        RecurrentSettings("gru", **changes)
    assert refusal.value.where == where


@pytest.mark.parametrize(
    "changes",
    [
        {"d_model": 10, "heads": 4, "d_key": 2, "d_value": 3},
        {"heads": 4, "kv_heads": 1},
        {"norm": "batch", "decoder_norm": "layer"},
        {"norm": "instance", "decoder_norm": "none"},
        {"projections": False},
        {"tied_query_key": True, "value_projection": False},
        {"value_projection": False, "kv_heads": 2, "d_value": 128},
        {"frequencies": 128},
        {"dropout": 0.0, "attention_dropout": 0.99},
        {"positions": "rotary", "d_key": 6},
    ],
    ids=str,
)
def test_a_transformer_accepts(changes: dict[str, Any]) -> None:
    TransformerSettings(**changes)


def test_dot_attention_suits_a_one_directional_encoder() -> None:
    assert RecurrentSettings("rnn", bidirectional=False, attention="dot").d_memory == 256


def test_zeros_are_derived() -> None:
    derived = TransformerSettings(d_model=12, heads=3, attention_dropout=0.2).head_sizes
    assert derived == HeadSizes(12, 3, kv_heads=3, d_key=4, d_value=4, dropout=0.2)
    given = TransformerSettings(d_model=12, heads=4, kv_heads=2, d_key=5, d_value=7, scaled=False)
    assert given.head_sizes == HeadSizes(12, 4, kv_heads=2, d_key=5, d_value=7, scaled=False)


def test_the_decoders_norm_is_the_encoders_unless_given() -> None:
    assert TransformerSettings(norm="rms").norm_in_decoder == "rms"
    assert TransformerSettings(norm="batch", decoder_norm="group").norm_in_decoder == "group"


def test_both_directions_make_up_the_memory() -> None:
    assert RecurrentSettings("lstm", d_hidden=7).d_memory == 14
    assert RecurrentSettings("lstm", d_hidden=7, bidirectional=False).d_memory == 7


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        TransformerSettings().heads = 3  # type: ignore[misc]

"""Settings out of their range are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from seq2see.errors import ConfigError
from seq2see.train.settings import TrainSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", -1), ("minutes", -0.1), ("batch_tokens", -1), ("accumulate", 0), ("rate", -1.0),
        ("warmup", -1), ("weight_decay", -0.1), ("clip", -1.0), ("last", 0), ("validations", 0),
        ("validation_pairs", -1), ("patience", -1), ("save_every", -1.0),
        ("label_smoothing", 1.0), ("label_smoothing", -0.1), ("ema_decay", 1.0), ("decay", 1.0),
        ("beta1", 1.0), ("beta2", -0.5),
    ],
)  # fmt: skip
def test_out_of_range(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainSettings(**{name: value})
    assert caught.value.where == f"train.{name}"
    assert str(value) in caught.value.found
    assert caught.value.expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate", float("nan")),
        ("minutes", float("nan")),
        ("clip", float("nan")),
        ("rate", float("inf")),
        ("epsilon", -1.0),
    ],
)
def test_what_no_run_can_use(name: str, value: float) -> None:
    with pytest.raises(ConfigError):
        TrainSettings(**{name: value})


def test_the_limits_themselves_are_allowed() -> None:
    TrainSettings(steps=0, accumulate=1, label_smoothing=0.0, ema_decay=0.0, last=1, patience=0)

"""Frozen heads stay as they are to the last bit, whatever else is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from helpers import transformer_settings
from seq2see.errors import ConfigError
from seq2see.nn.network import Network, Sizes
from seq2see.nn.slices import head_slices
from seq2see.train.freeze import Frozen
from seq2see.train.loop import Trainer


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_frozen_head_stays_and_the_other_learns(
    make: Callable[..., Trainer], precision: Any
) -> None:
    frozen = ("encoder.0.self:1", "decoder.0.cross:0")
    trainer = make(steps=12, weight_decay=0.5, freeze=frozen, precision=precision)
    masters = trainer.optimizer.masters
    before = {name: value.detach().clone() for name, value in masters.items()}
    trainer.run()
    for at, head in (("encoder.0.self", 1), ("decoder.0.cross", 0)):
        for part in head_slices(trainer.network, at, head):
            assert torch.equal(part.of(masters[part.name]), part.of(before[part.name])), part
        for part in head_slices(trainer.network, at, 1 - head):
            assert not torch.equal(part.of(masters[part.name]), part.of(before[part.name])), part


def test_a_head_is_frozen_where_one_map_serves_query_and_key() -> None:
    settings = transformer_settings(d_model=8, tied_query_key=True, value_projection=False)
    network = Network(settings, Sizes(9, 9))
    frozen = Frozen(network, dict(network.named_parameters()), ["encoder.0.self:1"])
    assert [part.name.split(".", 3)[-1] for _, part in frozen.parts] == [
        "query.weight", "query.bias", "output.weight"
    ]  # fmt: skip


def test_a_resumed_run_keeps_what_was_frozen(make: Callable[..., Trainer]) -> None:
    whole = make(steps=20, freeze=("encoder.0.self:1",))
    whole.run()
    again = make(steps=20, freeze=("encoder.0.self:1",))
    again.network.get_parameter("encoder.0.self.query.weight").data.add_(1.0)
    assert again.resume()
    again.optimizer.update(0.0)
    for name, value in whole.optimizer.masters.items():
        assert torch.equal(value, again.optimizer.masters[name]), name


@pytest.mark.parametrize(
    ("head", "said"),
    [("encoder.0.self", "encoder.0.self:2"), ("encoder.0.self:x", "as encoder"), ("a:0", "no att")],
)
def test_what_is_no_head_is_refused(make: Callable[..., Trainer], head: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make(freeze=(head,))

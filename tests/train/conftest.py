"""Tiny trainers on a corpus to copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import STEPS, Scores

from fixtures import copying, stored
from helpers import transformer_settings
from seq2see.data.batches import Batches, BatchPlan
from seq2see.data.store import Store
from seq2see.nn.network import Network, Sizes
from seq2see.nn.precision import cast
from seq2see.train.loop import Trainer
from seq2see.train.settings import TrainSettings


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("store"), copying(150), copies=2)


@pytest.fixture
def make(store: Store, tmp_path: Path) -> Callable[..., Trainer]:
    def build(
        scores: Scores | None = None, batches: Any = None, dropout: float = 0.0, **changes: Any
    ) -> Trainer:
        usual = {"steps": STEPS, "rate": 0.01, "warmup": 10, "validations": 1, "batch_tokens": 200}
        torch.manual_seed(1)
        size = int(max(store.source.ids.max(), store.target.ids.max())) + 1
        network = Network(transformer_settings(d_model=16, dropout=dropout), Sizes(size, size))
        settings = TrainSettings(**(usual | changes))
        cast(network, "float32" if settings.precision == "auto" else settings.precision)
        batches = batches or Batches(store, BatchPlan(200, 1, 0.1, 2))
        return Trainer(network, batches, settings, (scores or Scores()).judge(), tmp_path / "state")

    return build

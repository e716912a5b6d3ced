"""The first losses of two tiny networks, as recorded: a refactor must not change them.

A change that is meant to alter training (initialisation, dropout, loss, schedule, order of the
batches) renews the record, and says so in the changelog:

    python tests/golden/test_first_losses.py
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import pytest
import torch

from seq2see.data.batches import Batches, BatchPlan
from seq2see.data.pairs import Pair
from seq2see.data.store import Store, Tokenizers
from seq2see.data.tokenizers import Layout, train_tokenizer
from seq2see.nn.network import Network, Sizes
from seq2see.nn.settings import RecurrentSettings, Settings, TransformerSettings
from seq2see.train import loop
from seq2see.train.journal import Validation, Window
from seq2see.train.loop import Judge, Trainer
from seq2see.train.settings import TrainSettings

RECORD = Path(__file__).with_name("losses.json")
STEPS = 10
TOLERANCE = 1e-4
"""Relative; leaves room for other processors and numbers of threads."""

NETWORKS: dict[str, Settings] = {
    "transformer": TransformerSettings(
        encoder_layers=2,
        decoder_layers=2,
        d_model=32,
        d_ff=64,
        heads=4,
        feedforward="relu",
        positions="sinusoidal",
        norm="layer",
        norm_place="before",
        tied="all",
        dropout=0.1,
    ),
    "bilstm+general": RecurrentSettings(
        "lstm",
        bidirectional=True,
        attention="general",
        encoder_layers=1,
        decoder_layers=1,
        d_embedding=32,
        d_hidden=32,
        tied="decoder",
        dropout=0.1,
    ),
}

TRAINING = TrainSettings(
    steps=STEPS,
    batch_tokens=300,
    accumulate=1,
    rate=0.01,
    schedule="inverse-sqrt",
    warmup=5,
    beta1=0.9,
    beta2=0.98,
    epsilon=1e-9,
    weight_decay=0.01,
    clip=1.0,
    label_smoothing=0.1,
    average="ema",
    ema_decay=0.998,
    validations=1,
    precision="float32",
)


@dataclass
class Losses:
    """Observes a run."""

    values: list[float] = field(default_factory=list)

    def window(self, record: Window) -> None:
        self.values.append(record.loss)

    def validation(self, record: Validation) -> None:
        pass


def pairs() -> Iterator[Pair]:
    """Words over four letters and the same words backwards."""
    for length in (1, 2, 3, 4):
        for line, letters in enumerate(product("abcd", repeat=length), 1):
            word = "".join(letters)
            yield Pair(word, word[::-1], (), line)


def first_losses(name: str) -> list[float]:
    """Trains for a few steps on one thread and returns the loss of each."""
    tokenizer = train_tokenizer("characters", ["abcd"], 0, Layout(copies=2))
    threads, window = torch.get_num_threads(), loop._WINDOW
    torch.set_num_threads(1)
    loop._WINDOW = 1
    try:
        with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng():
            store = Store.write(Path(folder) / "store", pairs(), Tokenizers(tokenizer, tokenizer))
            torch.manual_seed(1)
            network = Network(NETWORKS[name], Sizes(tokenizer.size, tokenizer.size))
            batches = Batches(store, BatchPlan(TRAINING.batch_tokens, 1, 0.1, 2))
            judge = Judge("none", True, lambda weights: 0.0, lambda weights, score: None)
            losses = Losses()
            Trainer(network, batches, TRAINING, judge, Path(folder) / "state").run([losses])
            return losses.values
    finally:
        torch.set_num_threads(threads)
        loop._WINDOW = window


@pytest.mark.parametrize("name", NETWORKS)
def test_the_first_losses_are_those_recorded(name: str) -> None:
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))[name]
    found = first_losses(name)
    assert len(found) == len(recorded) == STEPS
    assert found == pytest.approx(recorded, rel=TOLERANCE)


def test_the_record_shows_training() -> None:
    for losses in json.loads(RECORD.read_text(encoding="utf-8")).values():
        assert losses[-1] < losses[0]


if __name__ == "__main__":
    record = {name: [round(loss, 7) for loss in first_losses(name)] for name in NETWORKS}
    RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")

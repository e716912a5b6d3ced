"""The formulas count what torch's own counter finds in a real forward and backward pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from helpers import recurrent_settings, transformer_settings
from seq2see.bench.flops import Load, of_reading, of_training
from seq2see.data.batches import Batch
from seq2see.data.tokenizers import PAD, SPECIALS
from seq2see.nn.network import Network, Sizes
from seq2see.nn.settings import Settings
from seq2see.train.update import losses

SIZES = Sizes(13, 17)

TRANSFORMERS = {
    "usual": transformer_settings(encoder_layers=2, decoder_layers=3),
    "swiglu, shared keys": transformer_settings(
        feedforward="swiglu", kv_heads=1, d_key=3, d_value=5, positions="alibi"
    ),
    "raw": transformer_settings(projections=False, feedforward="none", positions="rotary"),
    "tied": transformer_settings(tied_query_key=True),
    "values as they are": transformer_settings(value_projection=False),
    "one matrix for each": transformer_settings(tied="none", norm="rms", norm_place="after"),
}
RECURRENT = {
    "additive": recurrent_settings("lstm", encoder_layers=2, decoder_layers=2),
    "general": recurrent_settings("gru", attention="general", decoder_layers=2),
    "dot": recurrent_settings("rnn", attention="dot", bidirectional=False, encoder_layers=2),
    "without attention": recurrent_settings("lstm", attention="none"),
}
EVERY = TRANSFORMERS | RECURRENT


def batch(source: list[int], target: list[int]) -> Batch:
    """Pairs of those lengths."""
    ids = [torch.full((len(n), max(n)), PAD) for n in (source, target)]
    for tensor, lengths in zip(ids, (source, target), strict=True):
        for row, length in enumerate(lengths):
            tensor[row, :length] = len(SPECIALS)
    read, wanted = ids
    return Batch(read, read != PAD, wanted, wanted, sum(target), np.arange(len(source)))


@pytest.mark.parametrize("settings", EVERY.values(), ids=EVERY)
def test_training_needs_what_torch_counts(settings: Settings) -> None:
    pairs = batch([5, 5, 5], [7, 7, 7])
    # In double precision, where no recurrence hides its products in one kernel.
    network = Network(settings, SIZES).double().train()
    with FlopCounterMode(display=False) as counter:
        loss, _ = losses(network, pairs, 0.1)
        loss.backward()  # type: ignore[no-untyped-call]
    assert of_training(settings, SIZES, Load.of(pairs)) == counter.get_total_flops()


@pytest.mark.parametrize("settings", EVERY.values(), ids=EVERY)
def test_reading_needs_what_torch_counts(settings: Settings) -> None:
    pairs = batch([4, 4], [6, 6])
    network = Network(settings, SIZES).double().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.logits(network(pairs.source, pairs.real, pairs.target))
    assert of_reading(settings, SIZES, Load.of(pairs)) == counter.get_total_flops()


def test_a_product_is_counted_by_hand() -> None:
    settings = recurrent_settings("rnn", attention="none", bidirectional=False)
    # Of one source and one target token: W x and U h (6 and 5 features to 5) on either side, the
    # first state (5 to 5), the read-out (5 to 6), and the logits (6 to 17).
    by_hand = 2 * (2 * (6 + 5) * 5 + 5 * 5 + 5 * 6 + 6 * 17)
    assert of_reading(settings, SIZES, Load(1, 1, 1, 1, 1, 1)) == by_hand


def test_real_tokens_alone_are_counted() -> None:
    load = Load.of(batch([2, 5], [7, 3]))
    assert load == Load(2, 7, 10, 2 * 2 + 5 * 5, 7 * 7 + 3 * 3, 2 * 7 + 5 * 3)


@pytest.mark.parametrize("settings", EVERY.values(), ids=EVERY)
def test_the_work_of_two_batches_adds_up(settings: Settings) -> None:
    apart = [Load.of(batch(*lengths)) for lengths in (([3], [4]), ([6, 2], [1, 8]))]
    together = Load.of(batch([3, 6, 2], [4, 1, 8]))
    assert of_training(settings, SIZES, together) == sum(
        of_training(settings, SIZES, load) for load in apart
    )

"""From token ids to vectors."""

from __future__ import annotations

import math

import pytest
import torch

from helpers import same, tokens, watched
from seq2see.nn.embedding import Embedding, new_table
from seq2see.nn.positions import Learned, Sinusoidal, sinusoids


def test_a_token_is_looked_up_scaled_and_placed() -> None:
    table, ids = new_table(11, 6), tokens(2, 3)
    x = Embedding(table, Sinusoidal(), 0.0)(ids, 4)
    same(x, math.sqrt(6) * table.weight[ids] + sinusoids(torch.arange(4, 7), 6), 1e-6)


def test_without_positions_it_is_the_scaled_table() -> None:
    table, ids = new_table(11, 6), tokens(2, 3)
    same(Embedding(table, None, 0.0)(ids), math.sqrt(6) * table.weight[ids], 1e-6)


def test_tables_are_drawn_so_that_scaled_embeddings_have_deviation_1() -> None:
    torch.manual_seed(0)
    layer = Embedding(new_table(400, 64), None, 0.0)
    x = layer(torch.arange(400)[None]).detach()
    assert float(x.std()) == pytest.approx(1, rel=0.03)
    assert float(x.mean()) == pytest.approx(0, abs=0.02)


def test_taps_show_the_scaled_tokens_and_what_the_first_layer_reads() -> None:
    layer, ids = Embedding(new_table(11, 6), Sinusoidal(), 0.0), tokens(2, 3)
    with watched(layer) as seen:
        x = layer(ids)
    assert set(seen) == {"tokens", "positions.code", "out"}
    same(seen["tokens"][0], math.sqrt(6) * layer.table.weight[ids], 1e-6)
    same(seen["out"][0], x)
    same(seen["tokens"][0] + seen["positions.code"][0], x)


def test_dropout_thins_the_sum_while_training() -> None:
    torch.manual_seed(0)
    layer = Embedding(new_table(11, 6), Learned(6, 3), 0.5)
    ids = tokens(8, 3)
    whole, thin = layer.eval()(ids), layer.train()(ids)
    kept = thin != 0
    assert 0.3 < float(kept.float().mean()) < 0.7
    same(thin[kept], 2 * whole[kept], 1e-5)

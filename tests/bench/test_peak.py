"""The products that are timed are those of a Transformer, and their operations are counted."""

from __future__ import annotations

import pytest
import torch
from bench_samples import small
from torch.utils.flop_counter import FlopCounterMode

from seq2see.bench.peak import SQUARE, Product, multiplying, products
from seq2see.bench.training import batch_of
from seq2see.train.settings import Precision


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_operations_are_what_torch_counts(count: int, precision: Precision) -> None:
    product = Product("some", count, 5, 7, 3)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        assert multiplying(product, precision)() == product.operations
    assert counter.get_total_flops() == product.operations == 2 * count * 5 * 7 * 3


def test_the_square_is_what_its_name_says() -> None:
    assert SQUARE.operations == 2 * 2048**3
    assert SQUARE.shape == "2048 × 2048 × 2048"
    assert Product("some", 4, 1, 2, 3).shape == "4 of 1 × 2 × 3"


def test_the_products_have_the_sizes_of_the_batch_and_of_the_layers() -> None:
    one = small("tiny")
    sizes = {each.name: each for each in products(one)}
    batch = batch_of(one)
    tokens = sizes["projection"].rows
    assert 0.8 * batch.tokens < tokens < 1.2 * batch.tokens
    assert [
        (each.inner, each.columns) for name, each in sizes.items() if name != "attention scores"
    ] == [(16, 16), (16, 32), (32, 16), (16, one.sizes.target)]
    scores = sizes["attention scores"]
    assert (scores.count, scores.inner) == (len(batch.target) * 2, 8)
    assert scores.count * scores.rows == 2 * tokens

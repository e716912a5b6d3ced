"""How fast matrices are multiplied here: what a network's speed is held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from seq2see.bench.subjects import Subject
from seq2see.bench.timing import Figure, Work
from seq2see.nn.settings import TransformerSettings
from seq2see.train.settings import Precision


@dataclass(frozen=True)
class Product:
    """A matrix product, or several of one shape at a time.

    Args:
        name: where it occurs.
        count: how many there are side by side.
        rows: rows of the left matrix.
        inner: features that are summed over.
        columns: columns of the right matrix.
    """

    name: str
    count: int
    rows: int
    inner: int
    columns: int

    @property
    def operations(self) -> int:
        """Floating-point operations: a multiplication and an addition each."""
        return 2 * self.count * self.rows * self.inner * self.columns

    @property
    def shape(self) -> str:
        """The sizes, as people write them."""
        sizes = f"{self.rows} × {self.inner} × {self.columns}"
        return sizes if self.count == 1 else f"{self.count} of {sizes}"


SQUARE = Product("square", 1, 2048, 2048, 2048)
"""The product whose speed counts as the machine's peak."""


@dataclass(frozen=True)
class Peak:
    """How fast a product was taken.

    Args:
        product: which one.
        precision: of its numbers.
        threads: that shared it.
        flops: floating-point operations a second.
    """

    product: Product
    precision: Precision
    threads: int
    flops: Figure


def products(subject: Subject) -> Iterator[Product]:
    """Lists the products that a Transformer's training consists of, as large as in its batches."""
    settings = subject.settings
    assert isinstance(settings, TransformerSettings)
    lengths = subject.batches.store.target.lengths[subject.typical]
    pairs, length, heads = len(lengths), round(float(lengths.mean())), settings.head_sizes
    tokens, d_model = pairs * length, settings.d_model
    yield Product("projection", 1, tokens, d_model, heads.heads * heads.d_key)
    yield Product("feed-forward, widened", 1, tokens, d_model, settings.d_ff)
    yield Product("feed-forward, narrowed", 1, tokens, settings.d_ff, d_model)
    yield Product("attention scores", pairs * heads.heads, length, heads.d_key, length)
    yield Product("logits", 1, tokens, d_model, subject.sizes.target)


def multiplying(product: Product, precision: Precision) -> Work:
    """Prepares a product whose right matrix lies transposed, as the weights of a layer do."""
    kind: torch.dtype = getattr(torch, precision)
    left = torch.randn(product.count, product.rows, product.inner).to(kind)
    right = torch.randn(product.count, product.columns, product.inner).to(kind)
    out = torch.empty(product.count, product.rows, product.columns, dtype=kind)
    if product.count == 1:
        left, right, out = left[0], right[0], out[0]

    def work() -> float:
        torch.matmul(left, right.mT, out=out)
        return product.operations

    return work

"""Data and settings of a model that trains in a second."""

from __future__ import annotations

import random

SMALL = (
    "model.kind=transformer",
    "model.d_model=16",
    "model.d_ff=32",
    "model.heads=2",
    "model.encoder_layers=1",
    "model.decoder_layers=1",
    "train.precision=float32",
    "train.steps=30",
    "train.warmup=5",
    "train.validations=1",
)


def reversals() -> str:
    """60 words of a to d, each with itself reversed."""
    draw = random.Random(1)
    words: set[str] = set()
    while len(words) < 60:
        words.add("".join(draw.choice("abcd") for _ in range(draw.randint(2, 5))))
    return "".join(f"{word}\t{word[::-1]}\n" for word in sorted(words))

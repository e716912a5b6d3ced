"""Settings of networks small enough for a study: minutes on two cores."""

from __future__ import annotations

WORDS = ("data.source=words", "data.target=words")
"""Texts are cut at blanks, as the links of the tasks of words count."""

TRANSFORMER = (
    "model.kind=transformer",
    "model.d_model=64",
    "model.d_ff=256",
    "model.heads=4",
    "model.encoder_layers=2",
    "model.decoder_layers=2",
)
"""Two layers on each side, 0.25 million parameters and a small vocabulary's embeddings."""

RUN = (
    "train.steps=400",
    "train.batch_tokens=1024",
    "train.warmup=80",
    "train.validations=4",
    "train.optimizer=adamw",  # one rule for all architectures; the default depends on them
)
"""A short run, in which a tenth to a fifth of the updates warm the rate up."""

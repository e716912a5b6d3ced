"""The settings of a model that is small enough for many of it to be trained in minutes."""

from __future__ import annotations

from collections.abc import Iterable

from seq2see.nn.plan import HeadRole

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


def transformer(layers: int = 2, d_model: int = 64, heads: int = 4) -> tuple[str, ...]:
    """Sets a Transformer with as many layers on both sides."""
    return (
        "model.kind=transformer",
        f"model.encoder_layers={layers}",
        f"model.decoder_layers={layers}",
        f"model.d_model={d_model}",
        f"model.d_ff={2 * d_model}",
        f"model.heads={heads}",
        "model.dropout=0.0",
    )


def recurrent(kind: str, width: int = 64) -> tuple[str, ...]:
    """Sets a recurrent network of one layer on both sides.

    Args:
        kind: the architecture's short name, as `lstm+attention`.
        width: features of embeddings and states.
    """
    return (
        f"model.kind={kind}",
        f"model.d_embedding={width}",
        f"model.d_hidden={width}",
        "model.dropout=0.0",
    )


def training(steps: int, batch_tokens: int = 1024, validations: int = 4) -> tuple[str, ...]:
    """Sets a short training; the rate rises for a tenth of it."""
    return (
        f"train.steps={steps}",
        f"train.batch_tokens={batch_tokens}",
        f"train.validations={validations}",
        f"train.warmup={max(1, steps // 10)}",
        "train.ema_decay=0.98",
        "train.precision=float32",
        "train.optimizer=adamw",  # one rule for all architectures; the default depends on them
    )


def roles(given: Iterable[HeadRole]) -> str:
    """Writes roles of heads as a setting."""
    tables = [
        f'{{at="{each.at}", head={each.head}, role="{each.role}", how="{each.how}"'
        f"{_strength(each)}}}"
        for each in given
    ]
    return f"model.roles=[{', '.join(tables)}]"


def _strength(each: HeadRole) -> str:
    if each.how in ("bias", "init"):
        return f", gain={float(each.gain)}"
    if each.how == "guided":
        return f", weight={float(each.weight)}, until={each.until}"
    return ""

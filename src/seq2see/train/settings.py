"""How a network is trained, as one frozen record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from seq2see.errors import ConfigError

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class TrainSettings:
    """The settings of a training run. A 0 that says so is derived from the data.

    Args:
        steps: updates in all; ignored where `minutes` is given (0: derived).
        minutes: time budget in minutes of wall clock, validation included; 0 means none.
        batch_tokens: budget of a batch, in padded tokens of its longer side (0: derived).
        accumulate: batches whose gradients make one update.
        rate: the highest learning rate (0: derived).
        schedule: how the learning rate goes after its warm-up.
        warmup: updates in which the learning rate rises linearly from 0.
        decay: with `wsd`, the last share of the run in which the rate falls to 0.
        optimizer: the update rule: `adamw`, or `muon` for the matrices between tables and AdamW for
            the rest.
        beta1: AdamW's decay of the mean gradient.
        beta2: AdamW's decay of the mean squared gradient.
        epsilon: AdamW's guard against division by zero.
        weight_decay: decoupled weight decay.
        clip: the largest norm of an update's gradient; 0 means no clipping.
        label_smoothing: the share of probability a wanted token gives to all others.
        average: which weights are validated and kept: an exponential moving average (`ema`), the
            mean of the last validations (`last`), or the raw ones (`none`).
        ema_decay: how much of the moving average one update keeps.
        last: how many validations `last` averages over.
        validations: how many times a run is validated, at even distances.
        validation_pairs: how many held-out pairs a validation during training decodes; 0 means all.
        patience: validations without improvement after which training stops; 0 means never, since
            a rate that falls to 0 brings the best weights late, and the best are kept anyhow.
        save_every: seconds between two checkpoints of the training state, beside those at each
            validation.
        precision: arithmetic of the network; `auto` measures which is faster here.
        start: folder of a model to go on from: its weights, with its tokenizers and its network, of
            which only dropout may be set anew; empty: from nothing.
        freeze: heads that are not trained, as `encoder.0.self:2`; a Transformer's only.
        milestones: updates after which the model as it then is, not averaged, is kept as a bundle
            in `training/milestones/N`; 0 is before the first. Where any is named, the last update
            is one too.
    """

    steps: int = 0
    minutes: float = 0.0
    batch_tokens: int = 0
    accumulate: int = 1
    rate: float = 0.0
    schedule: Literal["cosine", "inverse-sqrt", "wsd", "constant"] = "cosine"
    warmup: int = 400
    decay: float = 0.3
    optimizer: Literal["auto", "adamw", "muon"] = "auto"
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-9
    weight_decay: float = 0.01
    clip: float = 1.0
    label_smoothing: float = 0.1
    average: Literal["ema", "last", "none"] = "ema"
    ema_decay: float = 0.998
    last: int = 5
    validations: int = 20
    validation_pairs: int = 1000
    patience: int = 0
    save_every: float = 120.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    start: str = ""
    freeze: tuple[str, ...] = ()
    milestones: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ConfigError(
                    f"found {value}", expected="a finite number", where=f"train.{name}"
                )
        at_least = {
            "steps": 0, "minutes": 0, "batch_tokens": 0, "accumulate": 1, "rate": 0, "warmup": 0,
            "weight_decay": 0, "clip": 0, "last": 1, "validations": 1, "validation_pairs": 0,
            "patience": 0, "save_every": 0,
        }  # fmt: skip
        for name, least in at_least.items():
            if getattr(self, name) < least:
                raise ConfigError(
                    f"found {getattr(self, name)}",
                    expected=f"at least {least}",
                    where=f"train.{name}",
                )
        if any(step < 0 for step in self.milestones):
            raise ConfigError(
                f"found {min(self.milestones)}", expected="updates, from 0 on",
                where="train.milestones",
            )  # fmt: skip
        if self.epsilon <= 0:
            raise ConfigError(f"found {self.epsilon}", expected="above 0", where="train.epsilon")
        for name in ("label_smoothing", "ema_decay", "decay", "beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(
                    f"found {getattr(self, name)}",
                    expected="a number from 0 to below 1",
                    where=f"train.{name}",
                )

"""How the learning rate goes over a run."""

from __future__ import annotations

import math

from seq2see.train.settings import TrainSettings

_WARM_SHARE = 0.1
"""A run bound by time does not know its steps: its warm-up ends after this share at the latest,
and an inverse square root falls from there on as if it had."""


def factor(settings: TrainSettings, step: int, progress: float) -> float:
    r"""Returns the learning rate's share of its peak.

    With warm-up $u = \min(1, t/w)$ at update t, and progress p from 0 to 1:

    $$\mathrm{cosine:}\ u\,\tfrac12(1 + \cos \pi p) \qquad
      \mathrm{inverse\text{-}sqrt:}\ \min(t/w, \sqrt{w/t}) \qquad
      \mathrm{wsd:}\ u \min(1, (1-p)/\mathrm{decay}) \qquad \mathrm{constant:}\ u$$

    Source: inverse-sqrt: Vaswani et al. 2017, eq. 3; cosine: Loshchilov and Hutter 2017, eq. 5;
    wsd: Hu et al. 2024, section 4.2.

    Args:
        settings: kind, warm-up and decay.
        step: the update's number, from 1.
        progress: the share of the run's steps or minutes that had passed before, from 0 to 1.
    """
    progress = min(progress, 1.0)
    heat = step / max(settings.warmup, 1)  # 1 at the end of the warm-up
    if settings.minutes:
        heat = max(heat, progress / _WARM_SHARE)
    warm = min(1.0, heat)
    if settings.schedule == "cosine":
        return warm * 0.5 * (1 + math.cos(math.pi * progress))
    if settings.schedule == "wsd":
        return warm * min(1.0, (1 - progress) / settings.decay) if settings.decay else warm
    if settings.schedule == "inverse-sqrt":
        return min(heat, 1 / math.sqrt(heat))
    return warm

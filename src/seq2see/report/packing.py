"""Arrays as short text: small integers in base64 instead of JSON's decimal digits."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def packed(values: Array, *, low: float = 0.0, high: float = 1.0) -> dict[str, Any]:
    r"""Writes numbers between two bounds as bytes.

    $$\mathrm{round}(255\,(x - \mathrm{low}) / (\mathrm{high} - \mathrm{low}))$$

    A number comes back with an error of (high - low) / 510 at most; outside, as the bound.

    Args:
        values: of any shape.
        low: what the byte 0 stands for.
        high: what the byte 255 stands for.
    """
    span = high - low or 1.0
    scaled = np.rint((np.asarray(values, np.float64) - low) / span * 255)
    return _text(scaled.clip(0, 255).astype("<u1"), "u1", low, span / 255)


def packed_signed(values: Array) -> dict[str, Any]:
    """Writes numbers around 0 as 16-bit integers, in steps of their largest size / 32767."""
    found = np.asarray(values, np.float64)
    step = float(np.abs(found).max(initial=0.0)) / 32767 or 1.0
    return _text(np.rint(found / step).astype("<i2"), "i2", 0.0, step)


def unpacked(record: dict[str, Any]) -> Array:
    """Reads what the two functions above wrote."""
    raw = np.frombuffer(base64.b64decode(record["data"]), "<" + record["type"])
    values: Array = raw.reshape(record["shape"]) * record["step"] + record["low"]
    return values


def _text(integers: Array, kind: str, low: float, step: float) -> dict[str, Any]:
    data = base64.b64encode(np.ascontiguousarray(integers).tobytes()).decode("ascii")
    return {"type": kind, "shape": list(integers.shape), "low": low, "step": step, "data": data}

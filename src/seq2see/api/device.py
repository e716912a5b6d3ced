"""Which device to compute on, chosen the same way from Python and from the shell."""

from __future__ import annotations

import os

import torch

from seq2see.errors import ConfigError


def device_named(name: str) -> str:
    """Returns the device to compute on; `auto` is the GPU where there is one.

    Args:
        name: `auto`, `cpu`, `cuda`, `cuda:1`, …

    Raises:
        ConfigError: there is no such device here; use another one.
    """
    if name == "auto":
        # torchrun gives each process of a machine a number, and so a GPU of its own.
        own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        return own if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name).tolist()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        # torch appends build notes to the line that says what is wrong.
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise ConfigError(
            f"{name!r} cannot be computed on ({reason})",
            where="device",
            mend="Use auto, cpu, or cuda where there is such a GPU",
        ) from error
    return name

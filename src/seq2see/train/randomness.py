"""The state of the random numbers that dropout draws, on a CPU or a GPU."""

from __future__ import annotations

import torch
from torch import Tensor


def random_state(device: torch.device) -> Tensor:
    """Returns the generators' states as bytes: the CPU's, then the GPU's where one computes."""
    state = torch.get_rng_state()
    if device.type != "cuda":
        return state
    return torch.cat([state, torch.cuda.get_rng_state(device)])


def set_random_state(state: Tensor, device: torch.device) -> None:
    """Continues the random numbers from what `random_state` returned on a device of that type."""
    size = len(torch.get_rng_state())
    torch.set_rng_state(state[:size].contiguous())
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[size:].contiguous(), device)

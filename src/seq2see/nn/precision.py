"""The arithmetic that a network computes in."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from seq2see.errors import ConfigError
from seq2see.nn.hooks import copied
from seq2see.nn.int8 import quantise
from seq2see.nn.network import Network

Arithmetic = Literal["float32", "bfloat16", "int8"]
"""What a finished network can decode in; it is trained in one of the first two."""


def cast(network: Network, precision: Arithmetic) -> Network:
    """Turns the network's floating-point weights to `precision`, in place.

    Under `int8` the linear layers have eight-bit weights and all else is float32.
    """
    if precision == "int8":
        quantise(network)
        return network
    network.to(getattr(torch, precision))
    for module in network.modules():
        # Running statistics move by a hundredth a step, which bfloat16 rounds away.
        if isinstance(module, nn.BatchNorm1d):
            module.float()
    return network


def converted(network: Network, precision: Arithmetic) -> Network:
    """Returns a finished network that computes in `precision`; the given one stays as it is.

    Hooks belong to both, so that what watches or edits the one, now or later, does so in the other.

    Raises:
        ConfigError: int8 on a GPU; decode there in another precision.
    """
    if precision == "float32":
        return network
    device = next(network.parameters()).device
    if precision == "int8" and device.type != "cpu":
        raise ConfigError(
            f"int8 on {device}",
            expected="the processor",
            where="precision",
            mend="Decode there in float32 or bfloat16, or set device to cpu",
        )
    return cast(copied(network), precision)

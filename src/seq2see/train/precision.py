"""Which arithmetic is faster here, found by trying."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence

import torch
from torch import nn

from seq2see.data.batches import Batch
from seq2see.nn.network import Network
from seq2see.train.loss import smoothed_loss
from seq2see.train.settings import Precision

_GAIN = 0.9
"""bfloat16 rounds to 8 bits, so it has to save at least a tenth of the time to be chosen."""


def fastest(network: Network, batches: Sequence[Batch]) -> tuple[Precision, dict[str, float]]:
    """Times a forward and a backward pass of each batch in each precision.

    The first batch warms up and the median of three more counts; few batches are taken again. The
    random state is left as it was.

    Returns:
        The faster precision, and the milliseconds a batch took in each that works here.
    """
    times: dict[str, float] = {}
    with torch.random.fork_rng():
        for name in ("float32", "bfloat16"):
            trial = cast(copy.deepcopy(network), name)
            try:
                taken = [_seconds(trial, batches[i % len(batches)]) for i in range(4)]
            except (RuntimeError, NotImplementedError):
                continue  # a kernel that this device lacks in bfloat16
            times[name] = 1000 * sorted(taken[1:])[1]
    faster = times.get("bfloat16", float("inf")) < _GAIN * times["float32"]
    return ("bfloat16" if faster else "float32"), times


def cast(network: Network, precision: str) -> Network:
    """Turns the network's floating-point weights to `precision`, in place."""
    kind: torch.dtype = getattr(torch, precision)
    network.to(kind)
    for module in network.modules():
        # Running statistics move by a hundredth a step, which bfloat16 rounds away.
        if isinstance(module, nn.BatchNorm1d):
            module.float()
    return network


def _seconds(network: Network, batch: Batch) -> float:
    begin = time.perf_counter()
    hidden = network(batch.source, batch.real, batch.target)
    real = batch.wanted != 0
    loss, _ = smoothed_loss(hidden[real], network.output.weight, batch.wanted[real], 0.1)
    (loss / batch.tokens).backward()
    network.zero_grad(set_to_none=True)
    return time.perf_counter() - begin

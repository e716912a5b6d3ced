"""Which arithmetic is faster here, found by trying."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence

import torch

from seq2see.data.batches import Batch
from seq2see.errors import is_out_of_memory
from seq2see.nn.network import Network
from seq2see.nn.precision import cast
from seq2see.train.settings import Precision
from seq2see.train.update import losses

GAIN = 0.9
"""bfloat16 rounds to 8 bits, so it has to save at least a tenth of the time to be chosen."""


def fastest(network: Network, batches: Sequence[Batch]) -> tuple[Precision, dict[str, float]]:
    """Times a forward and a backward pass of each batch in each precision.

    The first batch warms up and the median of three more counts; few batches are taken again. The
    random state is left as it was.

    Args:
        network: on the device that will train it.
        batches: a few typical ones, at least one.

    Returns:
        The faster precision, and the milliseconds a batch took in each that works here.

    Raises:
        RuntimeError: float32 does not work either; what torch said, out of memory perhaps.
    """
    device = next(network.parameters()).device
    moved = [batch.to(device) for batch in batches]
    with torch.random.fork_rng():
        times = {"float32": _milliseconds(network, moved, "float32")}
        try:
            times["bfloat16"] = _milliseconds(network, moved, "bfloat16")
        except (RuntimeError, NotImplementedError) as error:
            if is_out_of_memory(error):
                raise
            # A device may lack a kernel in bfloat16; float32 it is.
    faster = times.get("bfloat16", float("inf")) < GAIN * times["float32"]
    return ("bfloat16" if faster else "float32"), times


def _milliseconds(network: Network, batches: Sequence[Batch], precision: Precision) -> float:
    trial = cast(copy.deepcopy(network), precision)
    taken = [_seconds(trial, batches[i % len(batches)]) for i in range(4)]
    return 1000 * sorted(taken[1:])[1]


def _seconds(network: Network, batch: Batch) -> float:
    begin = time.perf_counter()
    loss, _ = losses(network, batch, 0.1)
    (loss / batch.tokens).backward()
    network.zero_grad(set_to_none=True)
    if batch.source.is_cuda:  # whose kernels run behind the clock's back
        torch.cuda.synchronize()
    return time.perf_counter() - begin

"""Several processes that make each update together; one process alone is a team of one."""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from seq2see.errors import ConfigError


@dataclass(frozen=True)
class Team:
    """The processes that `torchrun` started.

    The batches of an update are dealt out: process r computes batches r, r + size, … of the group.
    An update is therefore the same, up to rounding and dropout, however many processes share it.

    Args:
        rank: this process's number; number 0 validates, writes and prints.
        size: how many processes there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process validates, writes and prints."""
        return self.rank == 0

    def check(self, accumulate: int) -> None:
        """Refuses a group that cannot be dealt out evenly.

        Raises:
            ConfigError: `train.accumulate` is no multiple of the number of processes.
        """
        if accumulate % self.size:
            raise ConfigError(
                f"{accumulate} batches an update cannot be dealt out to {self.size} processes",
                where="train.accumulate",
                mend=f"Set it to a multiple of {self.size}",
            )

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replaces each tensor by its sum over all processes, in one message."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        parts = flat.split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def agree(self, numbers: Sequence[float]) -> list[float]:
        """Returns the leader's numbers to every process, so that all take the same decisions."""
        if self.size == 1:
            return list(numbers)
        said = torch.tensor(numbers, dtype=torch.float64)
        dist.broadcast(said, 0)
        return [float(number) for number in said]

    def collect(self, tensor: Tensor) -> list[Tensor]:
        """Returns every process's tensor, in the order of ranks; all have one shape."""
        if self.size == 1:
            return [tensor]
        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.all_gather(parts, tensor)
        return parts

    def wait(self) -> None:
        """Waits until every process has come here."""
        if self.size > 1:
            dist.barrier()


def join() -> Team:
    """Joins the processes that `torchrun` started; a process started otherwise is alone.

    Numbers travel by gloo, gradients on a GPU by NCCL.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team()
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        atexit.register(dist.destroy_process_group)
    return Team(dist.get_rank(), size)

"""Training windows: a number of updates on the batches whose turn it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from peers.runners.corpus import Batch, Corpus
from peers.runners.ids import PAD
from peers.runners.serve import Job, Ready

Step = Callable[[Batch], None]
Loss = Callable[[Batch], Tensor]

RATE, BETAS, EPSILON, CLIP, SMOOTHING = 1e-4, (0.9, 0.98), 1e-9, 1.0, 0.1
"""AdamW's settings, the largest norm of a gradient, the smoothing of labels: the same for all."""


def training(job: Job, network: nn.Module, step: Step, *packages: str) -> Ready:
    """Warms up and offers windows of `job["steps"]` updates; window n takes the n-th batches.

    Args:
        job: the job.
        network: whose parameters are counted.
        step: makes one update.
        packages: whose versions the record names.
    """
    torch.set_num_threads(job["threads"])
    torch.manual_seed(1)
    corpus = Corpus(Path(job["material"]) / "corpus.npz")
    for number in range(job["warmup"]):
        step(corpus.batch(number))

    def work(window: int) -> dict[str, Any]:
        tokens = 0
        for number in range(window * job["steps"], (window + 1) * job["steps"]):
            batch = corpus.batch(number)
            step(batch)
            tokens += batch.tokens
        return {"amount": tokens}

    count = sum(parameter.numel() for parameter in network.parameters())
    return Ready(work, ("torch", *packages), {"parameters": count})


def plain_loop(job: Job, network: nn.Module, loss: Loss) -> Step:
    """Makes the loop that a toolkit without one of its own is used with.

    Arithmetic in bfloat16 is torch's autocast, as these toolkits' users have it.

    Args:
        job: says the precision.
        network: the network.
        loss: the loss of a batch, a mean over its target tokens.
    """
    network.train()
    optimizer = torch.optim.AdamW(
        network.parameters(), RATE, BETAS, EPSILON, weight_decay=0.01, fused=True
    )

    def step(batch: Batch) -> None:
        with arithmetic(job):
            value = loss(batch)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()

    return step


def arithmetic(job: Job) -> contextlib.AbstractContextManager[Any]:
    """Returns what makes torch compute in the job's precision."""
    if job["precision"] == "float32":
        return contextlib.nullcontext()
    return torch.autocast("cpu", getattr(torch, job["precision"]))


def cross_entropy(logits: Tensor, batch: Batch) -> Tensor:
    """Returns torch's own label-smoothed loss, a mean over the target tokens."""
    return F.cross_entropy(
        logits.float().flatten(0, -2),
        batch.wanted.flatten(),
        ignore_index=PAD,
        label_smoothing=SMOOTHING,
    )

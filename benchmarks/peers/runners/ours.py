"""seq2see itself: its own update, as a run makes it between two validations."""

from __future__ import annotations

from itertools import count

import numpy as np
import torch
from peers.runners.corpus import Batch
from peers.runners.serve import Job, Ready, serve
from peers.runners.training import BETAS, CLIP, EPSILON, RATE, SMOOTHING, Step, training

from seq2see.bundle.folder import network_settings
from seq2see.data import batches
from seq2see.nn.network import Network, Sizes
from seq2see.train.distributed import Team
from seq2see.train.optimizer import Average, Optimizer
from seq2see.train.precision import cast
from seq2see.train.settings import TrainSettings
from seq2see.train.update import Updater


def prepare(job: Job) -> Ready:
    """Sets up the job's task."""
    torch.manual_seed(1)
    size = job["shape"]["vocabulary"]
    network = Network(network_settings(job["model"]), Sizes(size, size))
    cast(network.train(), job["precision"])
    return training(job, network, updating(network), "seq2see")


def updating(network: Network) -> Step:
    """Makes updates by AdamW; the average of the weights, which a run keeps, is kept here too."""
    settings = TrainSettings(
        optimizer="adamw",
        beta1=BETAS[0],
        beta2=BETAS[1],
        epsilon=EPSILON,
        clip=CLIP,
        label_smoothing=SMOOTHING,
    )
    optimizer = Optimizer(network, settings)
    average = Average(optimizer.masters, settings)
    updater, steps = Updater(network, optimizer, settings, Team()), count(1)

    def step(batch: Batch) -> None:
        updater.update([_as_ours(batch)], RATE)
        average.follow(next(steps))

    return step


def _as_ours(batch: Batch) -> batches.Batch:
    lines = np.zeros(len(batch.source), np.int64)
    return batches.Batch(
        batch.source, batch.real, batch.target, batch.wanted, batch.tokens, lines
    )


if __name__ == "__main__":
    serve(prepare)

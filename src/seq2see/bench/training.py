"""How many target tokens a second a network learns from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

from seq2see.bench.flops import Load, of_training
from seq2see.bench.subjects import Subject
from seq2see.bench.timing import Figure, Work
from seq2see.data.batches import Batch
from seq2see.nn.network import Network
from seq2see.train.distributed import Team
from seq2see.train.optimizer import Average, Optimizer
from seq2see.train.settings import Precision, TrainSettings
from seq2see.train.update import Updater

RATE = 1e-6
"""A learning rate at which random ids teach nothing; an update takes as long at any other."""


@dataclass(frozen=True)
class Trained:
    """How fast a network was trained.

    Args:
        network: its name.
        precision: it computed in.
        threads: that shared the work.
        batch: target tokens of an update.
        tokens: target tokens a second.
        operations: floating-point operations that one target token needs.
        utilisation: the share of the peak at that precision and number of threads that these
            operations took; None where there is no peak to compare with.
    """

    network: str
    precision: Precision
    threads: int
    batch: int
    tokens: Figure
    operations: float
    utilisation: float | None


def batch_of(subject: Subject) -> Batch:
    """Lays the subject's typical batch side by side."""
    return subject.batches.collate(np.array(subject.typical))


def operations_of(subject: Subject) -> int:
    """Counts the floating-point operations of an update on the typical batch."""
    return of_training(subject.settings, subject.sizes, Load.of(batch_of(subject)))


def updating(subject: Subject, precision: Precision) -> Work:
    """Prepares updates on the typical batch: what a run does between two validations."""
    update = updates(subject.network(precision), subject.recipe.train)
    return lambda: update(batch_of(subject), RATE)


def updates(network: Network, settings: TrainSettings) -> Callable[[Batch, float], int]:
    """Prepares updates of a network, and of the average of its weights.

    Args:
        network: in training mode and its precision.
        settings: of the optimizer.

    Returns:
        A function that learns from a batch at a learning rate, and tells how many target tokens
        there were.
    """
    optimizer = Optimizer(network, settings)
    average = Average(optimizer.masters, settings)
    updater, steps = Updater(network, optimizer, settings, Team()), count(1)

    def update(batch: Batch, rate: float) -> int:
        tokens = updater.update([batch], rate).tokens
        average.follow(next(steps))
        return tokens

    return update

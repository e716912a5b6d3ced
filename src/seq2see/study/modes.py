"""How a model differs under the statistics it was trained with and those it is used with."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

from torch import nn

from seq2see.api.model import Model
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

LOSS, GAP = "loss (nats a token)", "gap (nats a token)"


def loss(subject: Subject) -> Iterator[Reading]:
    """Reads the negative log-likelihood of the test targets, a mean over their tokens."""
    yield Reading(LOSS, _loss(subject.model, subject))


def gap(subject: Subject) -> Iterator[Reading]:
    """Reads how far the loss in use is from that under the statistics of the batch at hand.

    Batch normalisation alone has two kinds of statistics; with any other norm the gap is 0. Either
    loss may be the higher one: running averages are old, and those of a small batch unsteady. The
    batches are as large as in training.
    """
    apart = _loss(subject.model, subject) - _loss(by_the_batch(subject.model), subject)
    yield Reading(GAP, abs(apart))


def by_the_batch(model: Model) -> Model:
    """Returns a copy whose batch normalisation takes the statistics of each batch, as in training.

    Nothing else is as in training: there is no dropout.
    """
    bundle = model.bundles[0]
    network = copy.deepcopy(bundle.network)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.track_running_stats = False
            module.running_mean = module.running_var = None
    return Model([replace(bundle, network=network)])


def _loss(model: Model, subject: Subject) -> float:
    budget = model.recipe.train.batch_tokens
    scored = model.translator(batch_tokens=budget).score(subject.test)
    tokens = sum(len(one.token_scores) for one in scored)
    return -sum(one.score for one in scored) / tokens

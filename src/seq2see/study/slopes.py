"""The gradient of the loss by single parameters."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seq2see.api.model import Model
from seq2see.data.rows import Pair
from seq2see.decode.score import side_by_side
from seq2see.look.forced import force
from seq2see.look.trace import log_likelihood


def slopes(model: Model, pairs: Sequence[Pair], names: Sequence[str]) -> list[Tensor]:
    r"""Returns $\partial L / \partial \theta$ for each parameter named, without dropout.

    L is the negative log-likelihood of a target token, in nats, a mean over the pairs' tokens.

    Args:
        model: the model.
        pairs: with targets.
        names: of parameters of its network.
    """
    network, translator = model.network, model.translator()
    weights = [network.get_parameter(name) for name in names]
    sums = [torch.zeros_like(weight) for weight in weights]
    forced = force(translator, pairs)
    budget = translator.options.batch_tokens
    for given in side_by_side(network, forced.sources, forced.targets, budget):
        logits = network.logits(network(given.source, given.real, given.read))
        total = -log_likelihood(logits, given.wanted).sum()
        found = torch.autograd.grad(total, weights)
        sums = [each + slope for each, slope in zip(sums, found, strict=True)]
    tokens = sum(map(len, forced.targets))
    return [each / tokens for each in sums]

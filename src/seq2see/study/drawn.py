"""The network as its seed drew it, before training."""

from __future__ import annotations

from dataclasses import replace

import torch

from seq2see.api.model import Model
from seq2see.recipe.build import build_network


def untrained(model: Model) -> Model:
    """Returns the network as it was drawn, before its first update, with the same tokenizers."""
    bundle = model.bundles[0]
    with torch.random.fork_rng(devices=[]):  # drawing sets the seed
        network = build_network(model.recipe, bundle.tokenizers)
    like = next(bundle.network.parameters())
    return Model([replace(bundle, network=network.to(like.device).eval())])

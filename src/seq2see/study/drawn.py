"""The network that training begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from seq2see.api.model import Model
from seq2see.bundle.folder import Bundle, load
from seq2see.config import Tree
from seq2see.data.store import Tokenizers
from seq2see.nn.network import Network
from seq2see.recipe.build import build_network
from seq2see.recipe.run import set_up
from seq2see.recipe.sections import Recipe
from seq2see.study.plan import Begin


def untrained(model: Model) -> Model:
    """Returns the network before its first update, with the same tokenizers.

    It is as the seed drew it, or that of `train.start` where training went on from a model.

    Raises:
        BundleError: the model that it went on from is no longer there.
    """
    bundle = model.bundles[0]
    like = next(bundle.network.parameters())
    network = _first(model.recipe, bundle.tokenizers).to(like.device)
    return Model([replace(bundle, network=network)])


def begun(tree: Tree, begins: Sequence[Begin], folder: Path, device: str = "cpu") -> str:
    """Draws the network of a draft, changes it, and saves it for training to begin with.

    Args:
        tree: the draft.
        begins: changes to the network, in their order.
        folder: where it is saved.
        device: where to compute.

    Returns:
        The folder, for `train.start`.

    Raises:
        Seq2seeError: data or settings are at fault, or a change is not possible.
    """
    run = set_up(tree, folder, device)
    network = _first(run.recipe, run.tokenizers)
    for change in begins:
        change(network)
    Bundle(run.recipe.as_tree(), network, run.tokenizers).save(folder)
    return str(folder)


def _first(recipe: Recipe, tokenizers: Tokenizers) -> Network:
    if recipe.train.start:
        return load(Path(recipe.train.start)).network
    with torch.random.fork_rng(devices=[]):  # drawing sets the seed
        return build_network(recipe, tokenizers).eval()

"""Going on from a saved model: its weights, its tokenizers, its network."""

from __future__ import annotations

from pathlib import Path

from seq2see.bundle.folder import Bundle, load
from seq2see.config import Tree, parse
from seq2see.data.side import Side
from seq2see.data.store import Store
from seq2see.data.tokenizers import UNKNOWN
from seq2see.errors import ConfigError
from seq2see.recipe.chooser import LEFT_TO_US
from seq2see.recipe.sameness import equal
from seq2see.train.settings import TrainSettings

PIECES = ("source", "target", "joint", "vocabulary", "compose", "copies")
"""Settings of `data` that the tokenizers were made by."""

LOOSE = ("dropout", "attention_dropout", "feedforward_dropout")
"""Settings of `model` that no weight depends on."""


def started(tree: Tree) -> tuple[Tree, Bundle | None]:
    """Completes a draft by the settings of the model it goes on from, if it names one.

    Raises:
        BundleError: there is no such model, or its files are damaged.
        ConfigError: the draft asks for another network or other tokenizers; leave that setting out.
    """
    name = parse(TrainSettings, tree.get("train", {}), "train").start
    if not name:
        return tree, None
    bundle = load(Path(name))
    held = {
        "model": dict(bundle.recipe["model"]),
        "data": {key: bundle.recipe["data"][key] for key in PIECES},
    }
    complete = dict(tree)
    for section, settings in held.items():
        written = tree.get(section, {})
        _check_same(section, written, settings, name)
        loose = {key: value for key, value in written.items() if key in LOOSE}
        complete[section] = {**written, **settings, **loose}
    return complete, bundle


def _check_same(section: str, written: Tree, held: Tree, name: str) -> None:
    for key, value in written.items():
        setting = f"{section}.{key}"
        left_to_us = value == "auto" or value == LEFT_TO_US.get(setting, "auto")
        # What is unknown to this kind of network is refused where the recipe is read.
        if key not in held or key in LOOSE or left_to_us or equal(setting, value, held[key]):
            continue
        raise ConfigError(
            f"found {value!r}, but the model in {name} has {held[key]!r}",
            where=setting,
            mend="Leave it out, because who goes on from a model keeps its network and tokenizers;"
            " or leave train.start out",
        )


def noted(bundle: Bundle | None, name: str, store: Store | None = None) -> tuple[str, ...]:
    """Says what a run goes on from, and how much of its data the model's tokenizers do not know.

    Args:
        bundle: the model it goes on from; None where it begins from nothing.
        name: its folder.
        store: the training pairs as ids, where they have been encoded.
    """
    if bundle is None:
        return ()
    notes = [f"the weights, the network and the tokenizers are those of {name}"]
    for side in ("source", "target") if store else ():
        ids: Side = getattr(store, side)
        if unknown := ids.count(UNKNOWN):
            notes.append(f"{unknown:,} of {ids.total:,} {side} pieces are unknown to {name}")
    return tuple(notes)

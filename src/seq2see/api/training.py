"""`train`: one call from a file of pairs to a model."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from seq2see.api.model import Model
from seq2see.config import Tree, override
from seq2see.recipe.draft import draft
from seq2see.recipe.run import carry_out, set_up, take_up
from seq2see.train.journal import Observer


def train(
    data: str | PathLike[str],
    *assignments: str,
    dev: str | PathLike[str] = "",
    out: str | PathLike[str] = "",
    minutes: float = 0.0,
    seed: int = 1,
    resume: bool = False,
    device: str = "cpu",
    observers: Sequence[Observer] = (),
) -> Model:
    """Trains a model on a file of pairs; whatever is not said is chosen from the data.

    Args:
        data: a data file, or a recipe (`.toml`).
        assignments: settings as in the shell, such as `"model.kind=bilstm+attention"`.
        dev: held-out pairs; empty: a part of `data`, chosen by source.
        out: the folder the model is saved in; empty: `runs/` and the data file's name.
        minutes: time budget, to which the learning-rate schedule is fitted; 0: by number of steps.
        seed: where all randomness starts.
        resume: whether to go on with the run in `out`.
        device: where to compute: `cpu`, `cuda`, `cuda:1`, …
        observers: who is told of losses and validations.

    Raises:
        Seq2seeError: data, settings or the run are at fault; the message says how to mend it.
    """
    tree = write_draft(str(data), assignments, dev=str(dev), minutes=minutes, seed=seed)
    folder = Path(out) if str(out) else default_out(tree)
    run = take_up(folder) if resume else set_up(tree, folder)
    return Model([carry_out(run, observers, device, resume=resume)])


def write_draft(
    data: str,
    assignments: Sequence[str] = (),
    *,
    dev: str = "",
    minutes: float = 0.0,
    seed: int | None = None,
    columns: str = "",
) -> Tree:
    """Joins a recipe file or a data file with everything said beside it.

    Raises:
        ConfigError: an unknown section, preset or malformed assignment.
    """
    recipe = Path(data) if data.endswith(".toml") else None
    tree = draft(recipe, assignments)
    said = {
        "data.train": "" if recipe else data,
        "data.dev": dev,
        "data.columns": columns,
        "train.minutes": minutes,
    }
    tree.setdefault("data", {})
    tree.setdefault("train", {})
    for key, value in said.items():
        if value:
            section, name = key.split(".")
            tree[section][name] = value
    if seed is not None:
        tree["seed"] = seed
    return override(tree, ())


def default_out(tree: Tree) -> Path:
    """Returns `runs/NAME` after the training data's file name."""
    name = Path(str(tree["data"].get("train", "model")).split(",")[0]).name
    return Path("runs") / (name.split(".")[0] or "model")

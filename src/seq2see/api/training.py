"""`train`: one call from a file of pairs to a model."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TypedDict, Unpack

from seq2see.api.device import device_named
from seq2see.api.model import Model
from seq2see.config import Tree, nearest, override
from seq2see.errors import ConfigError
from seq2see.recipe.draft import draft
from seq2see.recipe.run import carry_out, set_up, take_up
from seq2see.recipe.sameness import check_same, refuse_to_replace
from seq2see.train.journal import Observer


class TrainingOptions(TypedDict, total=False):
    """What may be said beside data and settings.

    Attributes:
        dev: held-out pairs; empty: a part of `data`, chosen by source.
        out: the folder the model is saved in; empty: `runs/` and the data file's name.
        minutes: time budget, to which the learning-rate schedule is fitted; 0: by number of steps.
        seed: where all randomness starts.
        resume: whether to go on with the run in `out`.
        columns: where source, target and features stand in a TSV.
        device: where to compute: `cpu`, `cuda`, `cuda:1`, …; `auto`, the default, is the GPU where
            there is one.
        observers: who is told of losses and validations.
    """

    dev: str | PathLike[str]
    out: str | PathLike[str]
    minutes: float
    seed: int
    resume: bool
    columns: str
    device: str
    observers: Sequence[Observer]


def train(
    data: str | PathLike[str], *assignments: str, **options: Unpack[TrainingOptions]
) -> Model:
    """Trains a model on a file of pairs; whatever is not said is chosen from the data.

    Args:
        data: a data file, or a recipe (`.toml`).
        assignments: settings as in the shell, such as `"model.kind=bilstm+attention"`.
        options: see `TrainingOptions`.

    Raises:
        Seq2seeError: data, settings or the run are at fault; the message says how to mend it.
    """
    for name in options:
        if name not in TrainingOptions.__annotations__:
            hint = nearest(name, TrainingOptions.__annotations__)
            raise ConfigError("unknown option", where=name, mend=hint)
    tree = write_draft(
        str(data),
        assignments,
        dev=str(options.get("dev", "")),
        minutes=options.get("minutes", 0.0),
        seed=options.get("seed"),
        columns=options.get("columns", ""),
    )
    out, resume = str(options.get("out", "")), options.get("resume", False)
    folder = Path(out) if out else default_out(tree)
    device = device_named(options.get("device", "auto"))
    if resume:
        run = take_up(folder)
        check_same(tree, run.recipe.as_tree(), folder)
    else:
        refuse_to_replace(folder)
        run = set_up(tree, folder, device)
    return Model([carry_out(run, options.get("observers", ()), device, resume=resume)])


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
        ConfigError: an unknown section or preset, a section that is no table, or a malformed
            assignment.
    """
    recipe = Path(data) if data.endswith(".toml") else None
    tree = draft(recipe, assignments)
    said = {
        "data.train": "" if recipe else data,
        "data.dev": dev,
        "data.columns": columns,
        "train.minutes": minutes,
    }
    for section in ("data", "model", "train", "decode"):
        tree.setdefault(section, {})
    for key, value in said.items():
        section, name = key.split(".")
        if value and any(assignment.startswith(f"{key}=") for assignment in assignments):
            raise ConfigError("said twice", where=key, mend="Say it once")
        if value:
            tree[section][name] = value
    if seed is not None:
        tree["seed"] = seed
    return override(tree, ())


def default_out(tree: Tree) -> Path:
    """Returns `runs/NAME` after the training data's file name."""
    name = Path(str(tree["data"].get("train", "model")).split(",")[0]).name
    return Path("runs") / (name.split(".")[0] or "model")

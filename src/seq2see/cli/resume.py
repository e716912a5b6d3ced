"""When a run may begin, and when it may go on: nothing trained is lost, nothing said is ignored."""

from __future__ import annotations

import math
from pathlib import Path

from seq2see.config import Tree
from seq2see.errors import ConfigError
from seq2see.recipe.folder import TrainingFolder

_SECTIONS = ("data", "model", "train", "decode")


def check_draft(tree: Tree, where: str) -> None:
    """Checks what nobody below checks before the data are read.

    Raises:
        ConfigError: a section is no table, the seed is no number, the budget is not finite, or no
            training data are named; the message shows what to write.
    """
    for name in _SECTIONS:
        if not isinstance(tree.get(name, {}), dict):
            raise ConfigError(
                f"found {tree[name]!r}", expected="a section with settings", where=name,
                mend=f"Write {name}.NAME=VALUE{', as model.kind=gru' * (name == 'model')}",
            )  # fmt: skip
    seed, minutes = tree.get("seed", 1), tree["train"].get("minutes", 0)
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise ConfigError(f"found {seed!r}", expected="a whole number from 0", where="seed")
    if isinstance(minutes, float) and not math.isfinite(minutes):
        raise ConfigError(f"found {minutes}", expected="a finite number", where="train.minutes")
    if not tree["data"].get("train"):
        raise ConfigError(
            "no training data are named", where=where, mend="Write data.train=FILE beside it"
        )


def refuse_to_replace(folder: Path) -> None:
    """Refuses to begin where another run or a model stands.

    Raises:
        ConfigError: the folder is taken; resume, or name another one.
    """
    begun = TrainingFolder(folder).begun
    if begun or (folder / "model.safetensors").exists():
        resume = "Go on with it by --resume, or choose" if begun else "Choose"
        raise ConfigError(
            "holds a run that was begun before" if begun else "holds a trained model",
            where=str(folder),
            mend=f"{resume} another folder with --out, or remove this one",
        )

"""When a run may begin, and when it may go on: nothing trained is lost, nothing said is ignored."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from seq2see.config import Tree, nearest
from seq2see.errors import ConfigError
from seq2see.recipe.folder import TrainingFolder

_SECTIONS = ("data", "model", "train", "decode")
_FILES = ("data.train", "data.dev")


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


def check_same(tree: Tree, recorded: Tree, folder: Path) -> None:
    """Checks that a resumed run is given no other settings than it began with.

    Args:
        tree: the draft: what the command line and the recipe file say now.
        recorded: the resolved recipe of the run.
        folder: where the run stands.

    Raises:
        ConfigError: a setting differs or is unknown; leave it out.
    """
    known = _flat(recorded)
    for name, value in _flat(tree).items():
        if name not in known:
            raise ConfigError("unknown setting", where=name, mend=nearest(name, known))
        if not _derived(value) and not _equal(name, value, known[name]):
            raise ConfigError(
                f"found {value!r}, but the run in {folder} has {known[name]!r}",
                where=name,
                mend="Leave it out, because --resume keeps the settings of the run; or begin"
                " another run with another --out",
            )


def _flat(tree: Tree) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        inner = value.items() if isinstance(value, dict) else ()
        flat |= {f"{key}.{name}": each for name, each in inner} or {key: value}
    return {name: value for name, value in flat.items() if not isinstance(value, dict)}


def _derived(value: Any) -> bool:
    """Tells whether a value only says that it is to be derived from the data."""
    return value == "auto" or (not isinstance(value, bool) and value in (0, -1))


def _equal(name: str, value: Any, recorded: Any) -> bool:
    value = {"yes": True, "no": False}.get(value, value) if isinstance(value, str) else value
    if name in _FILES and isinstance(value, str) and isinstance(recorded, str):
        return value == recorded or Path(value).resolve() == Path(recorded).resolve()
    return bool(value == recorded)

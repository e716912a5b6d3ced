"""When a run may begin, and when it may go on: nothing trained is lost, nothing said is ignored."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from seq2see.bundle.folder import WEIGHTS
from seq2see.config import Tree, nearest
from seq2see.errors import ConfigError
from seq2see.files import standing
from seq2see.nn.plan import HeadRole
from seq2see.recipe.chooser import LEFT_TO_US
from seq2see.recipe.folder import TrainingFolder

_FILES = ("data.train", "data.dev", "data.links", "train.start")


def refuse_to_replace(folder: Path) -> None:
    """Refuses to begin where another run or a model stands.

    Raises:
        ConfigError: the folder is taken; resume, or name another one.
    """
    begun = TrainingFolder(folder).begun
    if begun or standing(folder, WEIGHTS).exists():
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
        left_to_us = value == "auto" or value == LEFT_TO_US.get(name, "auto")
        if not left_to_us and not equal(name, value, known[name]):
            raise ConfigError(
                f"found {value!r}, but the run in {folder} has {known[name]!r}",
                where=name,
                mend="Leave it out, because a resumed run keeps its settings; or begin another run"
                " in another folder",
            )


def _flat(tree: Tree) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        inner = value.items() if isinstance(value, dict) else ()
        flat |= {f"{key}.{name}": each for name, each in inner} or {key: value}
    return {name: value for name, value in flat.items() if not isinstance(value, dict)}


def equal(name: str, value: Any, recorded: Any) -> bool:
    """Tells whether a draft says of a setting what a resolved recipe has."""
    if name == "model.roles":
        return _whole(value) == _whole(recorded)
    value = {"yes": True, "no": False}.get(value, value) if isinstance(value, str) else value
    if name in _FILES and isinstance(value, str) and isinstance(recorded, str):
        return value == recorded or Path(value).resolve() == Path(recorded).resolve()
    return bool(value == recorded)


def _whole(roles: Any) -> Any:
    """Fills in what tables of roles leave to be the default."""
    if not isinstance(roles, list) or not all(isinstance(role, dict) for role in roles):
        return roles  # malformed, and so equal to none that were recorded
    defaults = {each.name: each.default for each in fields(HeadRole)}
    return [{**defaults, **role} for role in roles]

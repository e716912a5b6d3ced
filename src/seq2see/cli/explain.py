"""The resolved recipe as TOML that says beside each automatic choice why it was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import tomli_w

from seq2see.recipe.sections import Recipe

Reason = tuple[str, Any, str]


def explained(recipe: Recipe, reasons: Sequence[Reason], notes: Sequence[str]) -> str:
    """Writes a recipe that `seq2see train` reads as it stands.

    Args:
        recipe: the resolved recipe.
        reasons: (setting, value, why) of every automatic choice; they become comments.
        notes: what was left out of the data; they become comments at the top.
    """
    why = {name: reason for name, _, reason in reasons}
    lines = [f"# {_one_line(note)}" for note in notes]
    section = ""
    for line in tomli_w.dumps(recipe.as_tree()).splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        name = f"{section}.{line.partition(' = ')[0]}"
        lines.append(f"{line}  # chosen: {_one_line(why[name])}" if name in why else line)
    return "\n".join(lines)


def chosen(reasons: Iterable[Reason]) -> str:
    """Names every automatic choice on one line."""
    return ", ".join(f"{name}={_written(value)}" for name, value, _ in reasons)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())

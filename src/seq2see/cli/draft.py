"""Takes down what a command was told, and checks it before anything heavy starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seq2see.errors import ConfigError

if TYPE_CHECKING:
    from seq2see.config import Tree


def checked_draft(data: str, assignments: Sequence[str], **said: Any) -> Tree:
    """Joins a recipe or a data file with what was said beside it.

    What is checked here, nobody below checks before the data are read.

    Args:
        data: a data file, or a recipe (`.toml`).
        assignments: `key=value` settings.
        said: options, by the names of `write_draft`.

    Raises:
        ConfigError: a section is unknown or no table, a setting is malformed, the seed is no
            number, the budget is not finite, or no training data are named; the message shows what
            to write.
    """
    from seq2see.api.training import write_draft
    from seq2see.recipe.sections import seed_of

    tree = write_draft(data, assignments, **said)
    seed_of(tree)
    minutes = tree["train"].get("minutes", 0)
    if isinstance(minutes, float) and not math.isfinite(minutes):
        raise ConfigError(f"found {minutes}", expected="a finite number", where="train.minutes")
    if not tree["data"].get("train"):
        raise ConfigError(
            "no training data are named", where=data, mend="Write data.train=FILE beside it"
        )
    return tree

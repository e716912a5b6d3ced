"""When a run may begin, and when it may go on: nothing trained is lost, nothing said is ignored."""

from __future__ import annotations

import math

from seq2see.config import Tree
from seq2see.errors import ConfigError

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

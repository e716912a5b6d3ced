"""A draft whose gaps are being filled, with the reason of every choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seq2see.config import Tree

LEFT_TO_US = {
    "data.copies": -1,
    "data.vocabulary": 0,
    "model.length_ratio": 0,
    "train.steps": 0,
    "train.batch_tokens": 0,
    "train.rate": 0,
}
"""What means "choose for me", where it is not `auto`."""


@dataclass
class Chooser:
    """Fills the gaps of a draft and notes why.

    Args:
        tree: the draft's tables, filled in place.
        reasons: (setting, value, why) of every choice made.
    """

    tree: Tree
    reasons: list[tuple[str, Any, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.written = frozenset(self.tree.get("model", {}))

    def fill(self, section: str, name: str, value: Any, why: str) -> Any:
        """Sets `section.name` unless somebody did and did not leave it to us."""
        table = self.tree.setdefault(section, {})
        left_to_us = LEFT_TO_US.get(f"{section}.{name}", "auto")
        if table.get(name, left_to_us) != left_to_us:
            return table[name]
        table[name] = value
        self.reasons.append((f"{section}.{name}", value, why))
        return value

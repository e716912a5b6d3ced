"""Pieces of text as people see them: blanks show, and each keeps to its own direction."""

from __future__ import annotations

import unicodedata

_UNSEEN = ("Zs", "Zl", "Zp", "Cc", "Cf")
"""Categories of Unicode whose characters leave no ink: blanks, controls, joiners and marks."""


def visible(piece: str) -> str:
    """Writes a piece so that something of it is seen; `token` in `assets/page.js` does the same.

    A piece of nothing but blanks is written as `␣` for each, one of other characters that leave no
    ink as their numbers (`U+200D`). Elsewhere `▁`, by which subwords spell a blank, becomes a low
    line.
    """
    if piece and all(c == "▁" or unicodedata.category(c) in _UNSEEN for c in piece):
        return "".join("␣" if c in " ▁" else f"U+{ord(c):04X}" for c in piece)
    return piece.replace("▁", "_")


def isolated(piece: str) -> str:
    """Writes a piece as `visible` does, kept apart by direction from what stands beside it.

    In a row of pieces of several scripts, one from right to left would else draw the numbers and
    the pieces beside it along.
    """
    return f"\u2068{visible(piece)}\u2069"

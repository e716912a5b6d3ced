"""Draws in the terminal where a model looked for each piece it wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len, set_cell_size

from seq2see.data.tokenizers import END, SPECIALS

if TYPE_CHECKING:
    from seq2see.decode.hypothesis import Pattern
    from seq2see.decode.translate import Translation

LEVELS = (0.05, 0.2, 0.4, 0.6)
"""The least weight of each shade; below the first a cell stays blank. Heads of one layer may look
at different places, so that their mean seldom comes near 1: an even scale would stay pale."""

_END_MARK = SPECIALS[END]

_BLOCKS, _ASCII = " ░▒▓█", " .:*#"
_END_COLUMN, _END_ROW = "$", "end"


def draw(translation: Translation, *, width: int = 80, ascii_only: bool = False) -> str:
    """Draws an alignment: source pieces as columns, target pieces as rows, weights as shades.

    Where the columns do not fit, each target piece stands above the source piece that it looked at
    most.

    Args:
        translation: with its pattern, so searched for with `alignments=True`.
        width: cells of a line at most; a single piece that is wider takes a line for itself.
        ascii_only: whether to keep to ASCII, for terminals that cannot show block characters.

    Returns:
        Lines without a line end behind the last; a sentence where there is nothing to draw.
    """
    if not translation.tokens:
        return "(nothing was written, so no alignment to draw)"
    if translation.pattern is None:
        return "(no attention over the source, so no alignment to draw)"
    columns = [_END_COLUMN if token == _END_MARK else token for token in translation.source_tokens]
    rows = [_END_ROW if token == _END_MARK else token for token in translation.tokens]
    margin = max(map(cell_len, rows), default=0) + 2
    cell = max(1, *map(cell_len, columns)) + 1
    if margin + cell * len(columns) > width:
        return "\n".join(_beneath(columns, rows, translation.pattern, width))
    shades = _ASCII if ascii_only else _BLOCKS
    head = " " * margin + "".join(set_cell_size(name, cell) for name in columns)
    lines = [head.rstrip()]
    for name, weights in zip(rows, translation.pattern, strict=True):
        label = " " * (margin - 2 - cell_len(name)) + name + "  "
        lines.append((label + "".join(_shade(w, shades) * cell for w in weights)).rstrip())
    return "\n".join(lines)


def legend(*, ascii_only: bool = False) -> str:
    """Says what the shades and the end marks of `draw` stand for."""
    shades = _ASCII if ascii_only else _BLOCKS
    scale = "  ".join(f"{s} {least:.0%}" for s, least in zip(shades[1:], LEVELS, strict=True))
    return f"{scale} of the attention or more; {_END_COLUMN} is the end of the source"


def _shade(weight: float, shades: str) -> str:
    return shades[int(np.searchsorted(LEVELS, weight, side="right"))]


def _beneath(
    columns: Sequence[str], rows: Sequence[str], pattern: Pattern, width: int
) -> Iterator[str]:
    """Yields pairs of lines: target pieces, and under each the source piece looked at most."""
    best = [columns[int(np.argmax(weights))] for weights in pattern]
    above, below, used = "", "", 0
    for target, source in zip(rows, best, strict=True):
        cell = max(cell_len(target), cell_len(source)) + 2
        if used and used + cell > width:
            yield from (above.rstrip(), below.rstrip())
            above, below, used = "", "", 0
        above, below = above + set_cell_size(target, cell), below + set_cell_size(source, cell)
        used += cell
    yield from (above.rstrip(), below.rstrip())

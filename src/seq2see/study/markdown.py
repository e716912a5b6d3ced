"""A study's page as Markdown with pictures, for documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import vl_convert

from seq2see.api.record import write_text
from seq2see.errors import BundleError
from seq2see.files import refusing
from seq2see.report.pieces import isolated
from seq2see.report.view import Cell, Chart, Figure, Link, Page, Pieces, Table

_WIDTH, _HEIGHT, _SCALE = 560, 300, 2
_CONFIG: dict[str, Any] = {"background": "white", "font": "sans-serif"}


def write(page: Page, folder: Path) -> Path:
    """Writes `NAME.md` and a PNG for each chart into a folder, and returns the page's path.

    Raises:
        BundleError: the disk is full or the folder cannot be written.
    """
    parts = [f"# {page.question}", f"**{page.answer}**", f"*Caution: {page.caution}*"]
    for figure in page.figures:
        parts.append(f"## {figure.title}")
        if isinstance(figure.drawing, Chart):
            picture = folder / f"{figure.name}.png"
            with refusing(BundleError, picture):
                picture.write_bytes(_png(figure.drawing))
            parts.append(f"![{figure.alt}]({picture.name})")
        if figure.caption:
            parts.append(figure.caption)
        if figure.table is not None:
            parts.append(_table(figure))
    path = folder / f"{page.name}.md"
    write_text(path, "\n\n".join(parts) + "\n")
    return path


def _png(chart: Chart) -> bytes:
    spec = {**chart.spec, "width": _WIDTH, "height": _HEIGHT, "config": _CONFIG}
    picture: bytes = vl_convert.vegalite_to_png(spec, scale=_SCALE)
    return picture


def _table(figure: Figure) -> str:
    found: Table | None = figure.table
    assert found is not None
    lines = [_row(found.heads)]
    lines.append("|" + "|".join("--:" if h in found.numbers else "---" for h in found.heads) + "|")
    for row in found.rows:
        lines.append(_row([_text(cell) for cell in row]))
    return "\n".join(lines)


def _text(cell: Cell) -> str:
    if isinstance(cell, Pieces):
        return ", ".join(f"{isolated(piece)} {said}".strip() for piece, said in cell.each)
    return cell.text if isinstance(cell, Link) else cell


def _row(cells: Sequence[str]) -> str:
    """Writes a row, in which a bar of a cell's own text does not end the cell."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

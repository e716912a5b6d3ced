"""What commands print: tables for people, lines and JSON for programs."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from seq2see.files import finite

_FILE_WIDTH = 240
"""Columns of a table that goes to a file: a score keeps its signature on its line."""


def console() -> Console:
    """Returns a console that prints text as it stands and, into a file, does not wrap it early."""
    width = None if sys.stdout.isatty() else _FILE_WIDTH
    quiet = os.environ.get("RANK", "0") != "0"  # of several processes, the first speaks
    return Console(width=width, quiet=quiet, highlight=False, markup=False, emoji=False)


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()
) -> Table:
    """Makes a table without frame.

    Args:
        heads: the columns' names.
        rows: the cells.
        numbers: the columns that are set flush right and never folded.
    """
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        right = head in numbers
        made.add_column(head, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


def score_table(scores: Iterable[Mapping[str, Any]]) -> Table:
    """Makes a table of scores, each with its 95 % interval and its signature.

    Args:
        scores: records with the fields of `seq2see.evaluate.metrics.Score`.
    """
    heads = ("metric", "value", "95 % interval", "n", "signature")
    rows = (
        (
            score["metric"],
            f"{score['value']:.2f}",
            interval(score["low"], score["high"]),
            f"{score['sources']:,}",
            score["signature"],
        )
        for score in scores
    )
    return table(heads, rows, numbers=heads[1:4])


def interval(low: float, high: float) -> str:
    """Writes an interval, and nothing where there is none."""
    return "" if math.isnan(low) or math.isnan(high) else f"{low:.2f} to {high:.2f}"


def write_lines(lines: Iterable[str]) -> None:
    """Writes lines to standard output at once, in UTF-8 whatever the terminal's encoding is."""
    text = "".join(f"{line}\n" for line in lines)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def write_json(value: Any, indent: int | None = None) -> None:
    """Writes JSON to standard output; what is no number there (NaN, infinite) becomes null."""
    write_lines([json_text(value, indent)])


def json_text(value: Any, indent: int | None = None) -> str:
    """Returns JSON; without an indent, on one line."""
    return json.dumps(finite(value), indent=indent, ensure_ascii=False, allow_nan=False)


def note(text: str) -> None:
    """Tells the person, not the program that reads the output."""
    print(f"note: {text}", file=sys.stderr)

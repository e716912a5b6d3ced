"""`seq2see check`: what is wrong or odd in a file of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seq2see.cli import options

if TYPE_CHECKING:
    from rich.console import Console

    from seq2see.data.diagnosis import Diagnosis, Finding, Overlap, Side

_SHOWN_LINES = 5
_SHOWN_CHARACTERS = 40

Against = Annotated[
    str | None,
    typer.Option(
        metavar="DATA", help="Look in this file, such as a test set, for pairs leaked from DATA."
    ),
]


def check(
    data: options.Data,
    against: Against = None,
    columns: options.DataColumns = "",
    as_json: options.Json = False,
) -> None:
    """Find what is wrong or odd in a file of pairs. Errors in it give exit code 2."""
    from seq2see.cli.output import console, write_json
    from seq2see.data.doctor import examine

    diagnosis = examine(data, options.pair_columns(columns), against=against)
    if as_json:
        write_json(diagnosis.as_dict(), indent=2)
    else:
        _show(console(), diagnosis)
    if diagnosis.errors:
        raise typer.Exit(2)


def _show(screen: Console, diagnosis: Diagnosis) -> None:
    from seq2see.cli.output import table

    summary = diagnosis.summary
    screen.print(
        f"{diagnosis.data}: {summary.lines:,} lines, {summary.pairs:,} pairs,"
        f" {summary.sources:,} distinct sources"
    )
    lengths = ("characters", "mean", "median", "95 %", "longest", "distinct")
    sides = [_side("source", summary.source), _side("target", summary.target)]
    screen.print(table(lengths, sides, numbers=lengths[1:]))
    found = [item for item in diagnosis.findings if item.count]
    screen.print()
    if found:
        heads = ("finding", "severity", "count", "lines", "meaning and mend")
        screen.print(table(heads, map(_row, found), numbers=("count",)))
    else:
        screen.print("nothing wrong or odd")
    if diagnosis.overlap is not None:
        _show_overlap(screen, diagnosis.overlap)


def _side(name: str, side: Side) -> tuple[str, ...]:
    lengths = (f"{side.mean:.1f}", f"{side.median:.0f}", f"{side.p95:.0f}", f"{side.longest:,}")
    return name, *lengths, f"{side.distinct:,}"


def _row(item: Finding) -> tuple[str, ...]:
    lines = ", ".join(map(str, item.lines[:_SHOWN_LINES]))
    lines += ", …" if len(item.lines) > _SHOWN_LINES else ""
    return item.name, item.severity, f"{item.count:,}", lines, f"{item.meaning} {item.mend}."


def _show_overlap(screen: Console, overlap: Overlap) -> None:
    screen.print(f"\nagainst {overlap.against}: {overlap.pairs:,} pairs")
    screen.print(f"sources that stand in both: {overlap.leaked_sources:.2%}")
    screen.print(f"pairs that stand in both: {overlap.leaked_pairs:.2%}")
    for side in ("source", "target"):
        new = getattr(overlap, f"new_{side}")
        shown = f": {ascii_safe(new[:_SHOWN_CHARACTERS])}" if new else ""
        shown += " …" if len(new) > _SHOWN_CHARACTERS else ""
        share = getattr(overlap, f"unseen_{side}")
        screen.print(f"{side} characters never seen: {share:.2%} ({len(new):,} kinds{shown})")


def ascii_safe(characters: str) -> str:
    """Separates characters by blanks, those that do not print as their code points."""
    return " ".join(
        c if c.isprintable() and not c.isspace() else f"U+{ord(c):04X}" for c in characters
    )

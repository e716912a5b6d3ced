"""`seq2see bench`: how fast this machine multiplies, trains and decodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seq2see.cli import options

if TYPE_CHECKING:
    from rich.console import Console

    from seq2see.bench.session import Report
    from seq2see.bench.timing import Figure

_BUSY = 0.3
"""Busy processes a core from which on other programs visibly slow the measurements down."""

Minutes = Annotated[
    float, typer.Option(metavar="M", help="Share M minutes among the measurements.")
]
Out = Annotated[str, typer.Option(metavar="FILE", help="Write the figures as JSON to this file.")]


def bench(minutes: Minutes = 3.0, as_json: options.Json = False, out: Out = "") -> None:
    """Measure how fast this machine trains and decodes, and say how to use it."""
    from rich.console import Console

    from seq2see.bench.session import run
    from seq2see.cli.output import console, json_text, write_json
    from seq2see.errors import ConfigError
    from seq2see.files import refusing, write_text

    if out:
        check_place(Path(out))
    progress = Console(stderr=True, highlight=False, markup=False)
    with progress.status("starting") as line:
        report = run(minutes, watcher=line.update)
    if out:
        with refusing(ConfigError, Path(out), "Free space or choose another file with --out"):
            write_text(Path(out), json_text(asdict(report), indent=1) + "\n")
    if as_json:
        write_json(asdict(report), indent=2)
    else:
        show(console(), report)


def check_place(path: Path) -> None:
    """Makes sure that a file can be written there, before minutes are spent on what it will hold.

    Raises:
        ConfigError: it is a folder, or its folder cannot be made.
    """
    from seq2see.errors import ConfigError
    from seq2see.files import refusing

    mend = "Choose another file with --out"
    if path.is_dir():
        raise ConfigError("is a folder", expected="a file", where=str(path), mend=mend)
    with refusing(ConfigError, path, mend):
        path.parent.mkdir(parents=True, exist_ok=True)


def show(screen: Console, report: Report) -> None:
    """Prints tables, advice, and what there is no figure for."""
    from seq2see.bench.session import count

    machine = report.machine
    screen.print(
        f"{machine['system']}, {machine['instructions']}, {machine['cores']} cores,"
        f" {count(machine['threads'])}; torch {machine['torch']};"
        f" {report.seconds:.0f} of {60 * report.minutes:.0f} s spent",
        soft_wrap=True,
    )
    if machine["load"] is not None and machine["load"] > _BUSY * machine["cores"]:
        screen.print(
            f"the machine was busy (load {machine['load']:.1f} in the minute before), so that an"
            " idle one is faster than this",
            soft_wrap=True,
        )
    screen.print("each figure: the median of n windows; spread: the slowest to the fastest")
    for part in (_show_products, _show_training, _show_decoding, _show_advice):
        part(screen, report)
    if report.missing:
        screen.print("\nnot measured")
        for one in report.missing:
            screen.print(f"  {one.name}: {one.why}", soft_wrap=True)


def _show_products(screen: Console, report: Report) -> None:
    heads = ("matrix product", "shape", "precision", "threads", "GFLOP/s", "spread", "n")
    rows = [
        (p.product.name, p.product.shape, p.precision, str(p.threads), *_cells(p.flops, 1e9))
        for p in report.peaks
    ]
    _print_table(screen, heads, rows, heads[3:])


def _show_training(screen: Console, report: Report) -> None:
    heads = ("training", "batch", "precision", "threads", "tokens/s", "spread", "n", "MFU")
    rows = [
        (
            t.network,
            f"{t.batch:,}",
            t.precision,
            str(t.threads),
            *_cells(t.tokens),
            "" if t.utilisation is None else f"{t.utilisation:.0%}",
        )
        for t in report.training
    ]
    _print_table(screen, heads, rows, (heads[1], *heads[3:]))
    if rows:
        screen.print(
            "batch and tokens/s: target tokens; MFU: the share of the square product's speed at"
            " that precision and number of threads",
            soft_wrap=True,
        )


def _show_decoding(screen: Console, report: Report) -> None:
    heads = ("decoding", "search", "precision", "threads", "sentences/s", "spread", "n")
    rows = [
        (d.network, _search(d.beam), d.precision, str(d.threads), *_cells(d.sentences))
        for d in report.decoding
    ]
    _print_table(screen, heads, rows, heads[3:])


def _search(beam: int) -> str:
    return "greedy" if beam == 1 else f"beam {beam}"


def _show_advice(screen: Console, report: Report) -> None:
    heads = ("train", "precision", "threads", "because")
    rows = [
        (a.network, a.precision or "?", str(a.threads or "?"), "; ".join(a.reasons))
        for a in report.advice
    ]
    _print_table(screen, heads, rows, ("threads",))


def _cells(figure: Figure, unit: float = 1.0) -> tuple[str, str, str]:
    """Writes median, slowest to fastest window, and their number."""
    value, low, high = (_rounded(x / unit) for x in (figure.value, figure.low, figure.high))
    return value, f"{low} to {high}", str(figure.repetitions)


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _print_table(
    screen: Console, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str]
) -> None:
    from seq2see.cli.output import table

    if rows:
        screen.print()
        screen.print(table(heads, rows, numbers=numbers))

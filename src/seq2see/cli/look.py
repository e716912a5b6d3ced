"""`seq2see look`: what is inside a model, as one page that needs no network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from seq2see.cli import options

NEEDED = ("jinja2", "altair", "vl_convert")
"""Packages that make a report, and nothing else here."""

Data = Annotated[
    str,
    typer.Argument(
        metavar="[DATA]",
        show_default=False,
        help="Pairs to look at the model on (default: the held-out pairs of its training).",
    ),
]
Out = Annotated[
    str,
    typer.Option(metavar="FILE", help="Write the report here (default: BUNDLE/report.html)."),
]
Pairs = Annotated[
    int, typer.Option(metavar="N", help="Open N pairs one by one, half of them wrong if there are.")
]
Scored = Annotated[int, typer.Option(metavar="N", help="Decode and score N sources at most.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Draw pairs and sources by this seed.")]


def look(
    bundle: options.Bundle,
    data: Data = "",
    out: Out = "",
    pairs: Pairs = 6,
    scored: Scored = 500,
    seed: Seed = 1,
    columns: options.DataColumns = "",
    device: options.Device = "auto",
) -> None:
    """Write a report on a model: how it learnt, what it writes, what is inside, what fails."""
    from rich.console import Console

    from seq2see.cli.bench import check_place
    from seq2see.cli.output import console
    from seq2see.errors import ConfigError
    from seq2see.files import refusing, write_text
    from seq2see.report.sample import Extent

    check_installed()
    place = Path(out) if out else Path(bundle) / "report.html"
    extent = Extent(pairs=pairs, scored=scored, seed=seed)
    model = options.open_model(bundle, device)
    check_place(place)

    from seq2see.report.compose import compose
    from seq2see.report.html import render
    from seq2see.report.subject import open_subject

    subject = open_subject(model, Path(bundle), data, columns, extent)
    progress = Console(stderr=True, highlight=False, markup=False)
    with progress.status("opening") as line:
        report = compose(subject, watcher=line.update)
    text = render(report)
    with refusing(ConfigError, place, "Free space or choose another file with --out"):
        write_text(place, text)
    screen = console()
    for page in report.pages:
        screen.print(f"{page.title}: {page.answer}", soft_wrap=True)
    size = len(text.encode()) / 1e6
    screen.print(f"\n{place}: {len(report.pages)} pages, {size:.1f} MB", soft_wrap=True)


def check_installed(command: str = "look") -> None:
    """Makes sure that the packages which make a report are there, before anything is computed.

    Args:
        command: what needs them, for the message.

    Raises:
        ConfigError: one is missing; install the extra `look`.
    """
    from seq2see.errors import ConfigError

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the package `{missing[0]}` is not installed",
            where=f"seq2see {command}",
            mend="Run `pip install seq2see[look]`",
        )

"""`seq2see look`: what is inside a model, as one page that needs no network, or live."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seq2see.cli import options

if TYPE_CHECKING:
    from seq2see.report.serve import Server
    from seq2see.report.subject import Subject
    from seq2see.report.view import Report

PORT = 8000
"""Where the live page is served, unless another port is named."""

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
    typer.Option(
        metavar="FILE",
        help="Write the report here (default: BUNDLE/report.html; under --serve: nowhere).",
    ),
]
Pairs = Annotated[
    int, typer.Option(metavar="N", help="Open N pairs one by one, half of them wrong if there are.")
]
Scored = Annotated[int, typer.Option(metavar="N", help="Decode and score N sources at most.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Draw pairs and sources by this seed.")]

Serve = Annotated[
    bool,
    typer.Option(
        "--serve",
        help="Show the report in the browser of this machine, with a page where sources are typed"
        " and heads edited; Ctrl-C ends it.",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        max=65535,
        show_default=False,
        help=f"Under --serve, take this port; 0 takes one that is free (default: {PORT}).",
    ),
]


def look(
    bundle: options.Bundle,
    data: Data = "",
    out: Out = "",
    pairs: Pairs = 6,
    scored: Scored = 500,
    seed: Seed = 1,
    serve: Serve = False,
    port: Port = None,
    columns: options.DataColumns = "",
    device: options.Device = "auto",
) -> None:
    """Write a report on a model: how it learnt, what it writes, what is inside, what fails."""
    from seq2see.cli.bench import check_place
    from seq2see.report.sample import Extent

    check_installed()
    place = None if serve and not out else Path(out) if out else Path(bundle) / "report.html"
    extent = Extent(pairs=pairs, scored=scored, seed=seed)
    with _server(serve, port) as server:
        model = options.open_model(bundle, device)
        if place:
            check_place(place)

        from seq2see.report.subject import open_subject

        subject = open_subject(model, Path(bundle), data, columns, extent)
        report = _composed(subject)
        if place:
            _write(report, place)
        if server:
            _serve(server, report, subject)


def _server(serve: bool, port: int | None) -> AbstractContextManager[Server | None]:
    """Takes the port before the report is made, which may last."""
    from seq2see.errors import ConfigError

    if not serve:
        if port is not None:
            raise ConfigError("a port, and nothing to serve", where="--port", mend="Add --serve")
        return nullcontext()
    from seq2see.report.serve import Server

    return Server(PORT if port is None else port)


def _composed(subject: Subject) -> Report:
    from rich.console import Console

    from seq2see.cli.output import console
    from seq2see.report.compose import compose

    progress = Console(stderr=True, highlight=False, markup=False)
    with progress.status("opening") as line:
        report = compose(subject, watcher=line.update)
    screen = console()
    for page in report.pages:
        screen.print(f"{page.title}: {page.answer}", soft_wrap=True)
    return report


def _write(report: Report, place: Path) -> None:
    from seq2see.cli.output import console
    from seq2see.errors import ConfigError
    from seq2see.files import refusing, write_text
    from seq2see.report.html import render

    text = render(report)
    with refusing(ConfigError, place, "Free space or choose another file with --out"):
        write_text(place, text)
    size = len(text.encode()) / 1e6
    console().print(f"\n{place}: {len(report.pages)} pages, {size:.1f} MB", soft_wrap=True)


def _serve(server: Server, report: Report, subject: Subject) -> None:
    from dataclasses import replace

    from seq2see.cli.output import console
    from seq2see.report.html import render
    from seq2see.report.live import Live
    from seq2see.report.pages import live

    text = render(replace(report, pages=(live.page(subject), *report.pages)))
    answering = Live(subject)
    server.begin(text, answering.answer)
    console().print(f"\n{server.address} shows it; Ctrl-C ends it", soft_wrap=True)
    server.run()
    answering.close()


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

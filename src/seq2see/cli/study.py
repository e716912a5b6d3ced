"""`seq2see study`: a controlled experiment, from the question to the page."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seq2see.cli import options, train
from seq2see.cli.look import check_installed

if TYPE_CHECKING:
    from rich.console import Console

    from seq2see.study.plan import Study
    from seq2see.study.trial import Options

Name = Annotated[
    str,
    typer.Argument(
        metavar="[NAME|FILE.py]",
        show_default=False,
        help="A study's name (see --list), or a Python file that defines STUDY.",
    ),
]
Seeds = Annotated[
    int,
    typer.Option(metavar="N", show_default=False, help="Models a condition (default: 3)."),
]
Minutes = Annotated[
    float,
    typer.Option(
        metavar="M",
        show_default=False,
        help="Fit each training to M minutes (default: as many updates as the study says).",
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        metavar="N", show_default=False, help="Models at a time (default: as many as cores)."
    ),
]
Own = Annotated[
    str,
    typer.Option("--data", metavar="DATA", help="Pairs in the place of the synthetic task."),
]
Out = Annotated[
    str,
    typer.Option(
        metavar="FOLDER",
        help="Keep models and page here (default: runs/study-NAME). Asked for again, a study goes"
        " on where it stopped.",
    ),
]
Listed = Annotated[bool, typer.Option("--list", help="List all studies with their questions.")]


def study(
    context: typer.Context,
    name: Name = "",
    assignments: train.Assignments = None,
    seeds: Seeds = 0,
    minutes: Minutes = 0.0,
    jobs: Jobs = 0,
    own: Own = "",
    dev: train.Dev = "",
    out: Out = "",
    listed: Listed = False,
    device: options.Device = "auto",
) -> None:
    """Answer a question about these models by an experiment, and write its page."""
    from seq2see.api.device import device_named
    from seq2see.cli.output import console
    from seq2see.study.catalogue import OWN, find
    from seq2see.study.trial import Options

    screen = console()
    if listed or not name:
        _list(screen)
        return
    check_installed("study")
    found = find(name)
    _check(found, own, dev, seeds=seeds, jobs=jobs)
    command = shlex.join(["seq2see", *(context.obj or ("study", name))])
    if own:
        name = f"{name}{OWN}"
        found = find(name)
    folder = Path(out) if out else Path("runs") / f"study-{found.name}"
    said = Options(folder, tuple(assignments or ()), minutes, own, dev, device_named(device))
    _conduct(screen, found, name, (seeds or found.seeds, jobs), said, command)


def _check(found: Study, own: str, dev: str, **counts: int) -> None:
    """Refuses what makes no sense, before anything is drawn."""
    from seq2see.errors import ConfigError

    for name, count in counts.items():
        if count < 0:
            raise ConfigError(f"found {count}", expected="1 or more", where=f"--{name}")
    if (own or dev) and not found.real:
        raise ConfigError(
            "this study has its own task",
            where="--data" if own else "--dev",
            mend="Leave --data and --dev out",
        )
    if own and not dev:
        raise ConfigError("own data need held-out pairs", where="--data", mend="Give --dev too")
    if dev and not own:
        raise ConfigError(
            "held-out pairs of no data", where="--dev", mend="Give --data too, or leave --dev out"
        )


def _list(screen: Console) -> None:
    from seq2see.study.catalogue import NAMES, find

    for number, name in enumerate(NAMES, 1):
        screen.print(f"{number:>2}. {name}: {find(name).question}", soft_wrap=True)


def _conduct(
    screen: Console, found: Study, name: str, extent: tuple[int, int], said: Options, command: str
) -> None:
    import torch

    from seq2see.study.carry_out import carry_out
    from seq2see.study.publish import publish

    seeds, jobs = extent
    screen.print(f"question: {found.question}", soft_wrap=True)
    screen.print(f"hypothesis: {found.hypothesis}", soft_wrap=True)
    count = len(found.conditions())
    screen.print(f"{count} conditions x {seeds} seeds, into {said.out}", soft_wrap=True)
    jobs = jobs or torch.get_num_threads()
    results = carry_out(name, seeds, said, jobs, lambda text: screen.print(text, soft_wrap=True))
    verdict, places = publish(found, results, command, said.out)
    screen.print(f"\n{verdict.heading}: {verdict.sentence}", soft_wrap=True)
    screen.print(f"caution: {found.caution}", soft_wrap=True)
    for place in places:
        screen.print(str(place), soft_wrap=True)

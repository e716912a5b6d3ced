"""`seq2see train`: from a file of pairs to a model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seq2see.cli import INTERRUPTED, options
from seq2see.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from seq2see.bundle.folder import Bundle
    from seq2see.config import Tree
    from seq2see.recipe.folder import TrainingFolder
    from seq2see.recipe.run import Run
    from seq2see.train.journal import Observer

DataOrRecipe = Annotated[
    str,
    typer.Argument(
        metavar="DATA|RECIPE.toml",
        help="A TSV, two parallel files as train.en,train.de, JSON lines, each also gzipped,"
        " hf:NAME, or a recipe.",
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Argument(metavar="key=value", help="Settings, as model.kind=gru train.steps=2000."),
]
Dev = Annotated[
    str,
    typer.Option(metavar="DATA", help="Held-out pairs (default: a part of DATA, cut by source)."),
]
Out = Annotated[
    str,
    typer.Option(metavar="BUNDLE", help="Save the model here (default: runs/ and DATA's name)."),
]
Minutes = Annotated[
    float,
    typer.Option(
        metavar="M",
        show_default=False,
        help="Fit the run to M minutes (default: a number of steps that suits the data).",
    ),
]
Seed = Annotated[
    int | None, typer.Option(metavar="N", help="Start all randomness here (default: 1).")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run in BUNDLE, with its settings.")
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain", help="Print the resolved recipe and why each choice was made; do not train."
    ),
]
Boards = Annotated[
    bool, typer.Option("--tensorboard", help="Write TensorBoard files into BUNDLE/training too.")
]


def train(
    context: typer.Context,
    data: DataOrRecipe,
    assignments: Assignments = None,
    dev: Dev = "",
    out: Out = "",
    minutes: Minutes = 0.0,
    seed: Seed = None,
    resume: Resume = False,
    explain: Explain = False,
    device: options.Device = "auto",
    columns: options.DataColumns = "",
    tensorboard: Boards = False,
) -> None:
    """Train a model on a file of pairs. What is not said is chosen from the data."""
    from seq2see.api.device import device_named
    from seq2see.api.training import default_out
    from seq2see.cli.draft import checked_draft

    said = {"dev": dev, "minutes": minutes, "seed": seed, "columns": columns}
    tree = checked_draft(data, assignments or (), **said)
    options.pair_columns(str(tree["data"].get("columns", "")))
    folder = Path(out) if out else default_out(tree)
    if explain:
        _explain(tree, folder, resume)
        return
    where = device_named(device)
    try:
        _train(tree, folder, where, (resume, tensorboard))
    except KeyboardInterrupt:
        typer.echo(_farewell(folder, context.obj or ("train", data)), err=True)
        raise typer.Exit(INTERRUPTED) from None


def _explain(tree: Tree, folder: Path, resume: bool) -> None:
    from seq2see.cli.explain import explained
    from seq2see.cli.output import write_lines
    from seq2see.recipe.run import plan

    if resume:
        recorded = _taken_up(tree, folder)
        write_lines([explained(recorded.recipe, (), ())])
    else:
        write_lines([explained(*plan(tree))])


def _train(tree: Tree, folder: Path, device: str, switches: tuple[bool, bool]) -> None:
    from seq2see.cli.output import console
    from seq2see.cli.progress import Display
    from seq2see.recipe.run import carry_out

    resume, tensorboard = switches
    screen = console()
    run = _taken_up(tree, folder) if resume else _begun(tree, folder, device)
    boards = [_boards(run.folder)] if tensorboard else []
    _announce(screen, run, device)
    with Display(screen) as display:
        bundle = carry_out(run, [display, *boards], device, resume=resume)
    _report(screen, bundle, folder, len(run.dev))


def _begun(tree: Tree, folder: Path, device: str) -> Run:
    from seq2see.recipe.run import set_up
    from seq2see.recipe.sameness import refuse_to_replace
    from seq2see.train.distributed import join

    if join().leads:
        refuse_to_replace(folder)
    return set_up(tree, folder, device)


def _taken_up(tree: Tree, folder: Path) -> Run:
    from seq2see.recipe.run import take_up
    from seq2see.recipe.sameness import check_same

    run = take_up(folder)
    check_same(tree, run.recipe.as_tree(), folder)
    return run


def _boards(folder: TrainingFolder) -> Observer:
    from seq2see.train.journal import TensorBoard

    try:
        return TensorBoard(folder.root / "tensorboard")
    except ImportError as error:
        raise ConfigError(
            "the package `tensorboard` is not installed",
            where="--tensorboard",
            mend="Run `pip install seq2see[tensorboard]`",
        ) from error


def _announce(screen: Console, run: Run, device: str) -> None:
    from seq2see.cli.explain import chosen

    for text in run.notes:
        screen.print(text, soft_wrap=True)
    if run.reasons:
        screen.print(f"chosen: {chosen(run.reasons)}", soft_wrap=True)
    held_out = f"{len(run.dev):,} held-out pairs"
    screen.print(
        f"training on {len(run.store):,} pairs, {held_out}, {device}, into {run.folder.bundle}"
    )


def _report(screen: Console, bundle: Bundle, folder: Path, dev: int) -> None:
    from seq2see.cli.output import score_table

    training = bundle.scores["training"]
    screen.print(
        f"\ntrained {bundle.network.parameter_count:,} parameters in {training['steps']:,} steps,"
        f" {training['seconds'] / 60:.1f} minutes; on {dev:,} held-out pairs:"
    )
    screen.print(score_table(bundle.scores["dev"]))
    place = shlex.quote(str(folder))
    screen.print(f"\nuse it: seq2see translate {place} FILE", soft_wrap=True)


def _farewell(folder: Path, arguments: tuple[str, ...]) -> str:
    """Says how to go on after an interruption."""
    from seq2see.recipe.folder import TrainingFolder

    if not TrainingFolder(folder).begun:
        return "interrupted before the run began; nothing was saved"
    again = [*arguments, *(["--resume"] if "--resume" not in arguments else [])]
    return f"interrupted; go on with: {shlex.join(['seq2see', *again])}"

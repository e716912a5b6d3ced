"""`seq2see compare`: several architectures on the same data and budget, in one table."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from seq2see.cli import options, train

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.table import Table

    from seq2see.api.cell import Begin
    from seq2see.api.comparison import Contest, Outcome
    from seq2see.api.standings import Standing, Trial
    from seq2see.config import Tree
    from seq2see.train.journal import Observer

_INTERRUPTED = 130
_BEGINNINGS = {"new": "", "resumed": ", going on", "finished": ", finished before"}

Models = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="Architectures: transformer, or [bi]rnn|gru|lstm, with +attention, +dot, +general or"
        " +additive behind it if wanted.",
    ),
]
Minutes = Annotated[
    float,
    typer.Option(
        metavar="M",
        show_default=False,
        help="Fit each run to M minutes (default: a number of steps that suits the data).",
    ),
]
Seeds = Annotated[int, typer.Option(metavar="N", help="Train each model with seeds 1 to N.")]
Jobs = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="Train N models at a time, each in a process of its own with its share of the cores.",
    ),
]
Test = Annotated[
    str, typer.Option(metavar="DATA", help="Score on these pairs (default: the held-out ones).")
]
Out = Annotated[
    str,
    typer.Option(
        metavar="FOLDER",
        help="Keep all runs here (default: runs/ and DATA's name and -comparison). Asked for again,"
        " a comparison goes on where it stopped.",
    ),
]
Metrics = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="Score by these, as wer,per; the first decides (default: those that suit the task).",
    ),
]


def compare(
    context: typer.Context,
    data: train.DataOrRecipe,
    assignments: train.Assignments = None,
    models: Models = "rnn,birnn,gru,bilstm,bilstm+attention,transformer",
    minutes: Minutes = 0.0,
    seeds: Seeds = 1,
    jobs: Jobs = 1,
    dev: train.Dev = "",
    test: Test = "",
    columns: options.DataColumns = "",
    out: Out = "",
    metrics: Metrics = "",
    as_json: options.Json = False,
    device: options.Device = "auto",
) -> None:
    """Train several architectures on the same data and budget, and print one table."""
    from seq2see.api.comparison import Contest
    from seq2see.api.device import device_named
    from seq2see.cli.draft import checked_draft

    said = {"dev": dev, "minutes": minutes, "columns": columns}
    tree = checked_draft(data, assignments or (), **said)
    contest = Contest(
        data=data,
        models=_names(models),
        out=Path(out) if out else _default_out(tree),
        assignments=tuple(assignments or ()),
        dev=dev,
        test=test,
        columns=columns,
        minutes=minutes,
        seeds=seeds,
        jobs=jobs,
        metrics=_names(metrics),
        device=device_named(device),
        command=shlex.join(["seq2see", *(context.obj or ("compare", data))]),
    )
    _compare(contest, as_json)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _default_out(tree: Tree) -> Path:
    from seq2see.api.training import default_out

    place = default_out(tree)
    return place.with_name(f"{place.name}-comparison")


def _compare(contest: Contest, as_json: bool) -> None:
    from rich.console import Console

    from seq2see.api.comparison import compare as run
    from seq2see.cli.output import console, write_json

    # What a program reads from standard output is the result alone.
    screen = Console(stderr=True, highlight=False, markup=False) if as_json else console()
    runs = len(contest.models) * contest.seeds
    try:
        with _Screen(screen, runs, alone=contest.jobs == 1) as watcher:
            outcome = run(contest, watcher)
    except KeyboardInterrupt:
        typer.echo(f"interrupted; go on with: {contest.command}", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        write_json(outcome.record.content(outcome.trials, outcome.contrasts), indent=2)
        return
    screen.print()
    screen.print(comparison_table(outcome))
    for line in _legend(outcome):
        screen.print(line, soft_wrap=True)


class _Screen:
    """Follows a comparison on a console; a run that is `alone` shows its progress."""

    def __init__(self, console: Console, runs: int, *, alone: bool) -> None:
        self.console, self.runs, self.alone, self._done = console, runs, alone, 0
        self._display = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._display.close()

    def prepared(self, notes: Sequence[str]) -> None:
        """Prints what was left out of the data or split off."""
        for text in notes:
            self.console.print(text, soft_wrap=True)

    def begins(self, model: str, seed: int, state: Begin) -> Sequence[Observer]:
        """Prints which run comes and shows its progress."""
        from seq2see.cli.progress import Display

        self._done += 1
        place = f"run {self._done} of {self.runs}: {model}, seed {seed}{_BEGINNINGS[state]}"
        self.console.print(place)
        if state == "finished" or not self.alone:
            return []
        return [self._display.enter_context(Display(self.console))]

    def ends(self, trial: Trial) -> None:
        """Prints what the run scored."""
        self._display.close()
        shown = ", ".join(f"{score.metric} {score.value:.2f}" for score in trial.scores)
        self.console.print(f"{trial.model}, seed {trial.seed}: {shown}")


def comparison_table(outcome: Outcome) -> Table:
    """Makes the table: a row a model, at most 80 characters wide for two metrics."""
    from seq2see.cli.output import interval, table

    metrics = [summary.metric for summary in outcome.standings[0].summaries]
    heads = ["model", metrics[0], "95 % interval", *metrics[1:]]
    heads += ["params", "tok/s", "steps", "to best"]
    differences = _to_best(outcome)
    rows = []
    for one in outcome.standings:
        first, *others = one.summaries
        cells = [one.model, f"{first.value:.2f}", interval(first.low, first.high)]
        cells += [f"{summary.value:.2f}" for summary in others]
        rows.append([*cells, *_effort(one), differences[one.model]])
    return table(heads, rows, numbers=heads[1:])


def _effort(one: Standing) -> tuple[str, str, str]:
    count = one.facts["parameters"]
    size = f"{count / 1e6:.1f} M" if count >= 1e5 else f"{count:,.0f}"
    return size, f"{one.facts['tokens_per_second']:,.0f}", f"{one.facts['steps']:,.0f}"


def _to_best(outcome: Outcome) -> dict[str, str]:
    """Writes each model's difference from the best one, with `*` where it is significant."""
    from seq2see.api.standings import best_of

    best = best_of(outcome.standings)
    shown = {best.model: "best"}
    for pair in outcome.contrasts:
        if pair.metric == best.summaries[0].metric and best.model in (pair.first, pair.second):
            other = pair.first if pair.second == best.model else pair.second
            sign = 1 if other == pair.second else -1
            shown[other] = f"{sign * pair.difference:+.2f}{'*' if pair.significant else ' '}"
    return shown


def _legend(outcome: Outcome) -> list[str]:
    from seq2see.api.standings import best_of

    best = best_of(outcome.standings)
    deciding, seeds = best.summaries[0], best.seeds
    direction = "higher" if deciding.higher_is_better else "lower"
    spread = f"of the mean over {seeds} seeds, Student's t" if seeds > 1 else "bootstrap"
    sources = outcome.record.head["sources"]
    tests = f"paired randomisation over {sources:,} sources"
    tests += f" and Welch's test over {seeds} seeds" if seeds > 1 else ""
    return [
        "",
        f"{deciding.metric}: {direction} is better; interval {spread}",
        f"*: differs significantly from {best.model} ({tests}, each p < 0.05, not corrected for"
        " the number of models)",
        "tok/s: target tokens a second in training",
        *(f"{one.metric} signature: {one.signature}" for one in best.summaries),
        f"all runs, pairs and outputs: {outcome.record.path}",
    ]

"""Trains several architectures on the same pairs with the same budget, and compares them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Protocol

from seq2see.api.cell import Begin, Cell, beginning
from seq2see.api.parallel import side_by_side
from seq2see.api.record import Record, write_lines
from seq2see.api.standings import Contrast, Standing, Trial, contrast, stand
from seq2see.api.training import write_draft
from seq2see.config import Tree, parse
from seq2see.data.pairs import Columns, fingerprint_of
from seq2see.errors import ConfigError
from seq2see.evaluate.metrics import metric_named
from seq2see.recipe.choose import choose
from seq2see.recipe.draft import architecture
from seq2see.recipe.intake import Corpus, gather, strict_pairs
from seq2see.recipe.judging import Examination, examine_by
from seq2see.recipe.sections import DataSettings
from seq2see.recipe.survey import survey
from seq2see.train.journal import Observer


@dataclass(frozen=True)
class Contest:
    """What is compared, on what, and with which budget.

    Args:
        data: training pairs, or a recipe (`.toml`).
        models: short names of architectures, see `recipe.draft.architecture`.
        out: the folder of all runs.
        assignments: `key=value` settings that all models share.
        dev: held-out pairs; empty: a part of `data`, the same for all runs, chosen by source.
        test: pairs to score on; empty: the held-out ones.
        columns: where source, target and features stand in a TSV; empty: as the recipe says.
        minutes: time budget of each run; 0: by number of steps.
        seeds: how many runs a model gets, from seed 1 on.
        jobs: how many runs train at a time, each with its share of the threads.
        metrics: names of metrics, the deciding one first; empty: those that suit the task.
        device: where to compute.
        command: how the comparison was asked for, for the record.
    """

    data: str
    models: tuple[str, ...]
    out: Path
    assignments: tuple[str, ...] = ()
    dev: str = ""
    test: str = ""
    columns: str = ""
    minutes: float = 0.0
    seeds: int = 1
    jobs: int = 1
    metrics: tuple[str, ...] = ()
    device: str = "cpu"
    command: str = ""

    def __post_init__(self) -> None:
        if not self.models:
            raise ConfigError("no model", expected="two or more, as rnn,gru", where="--models")
        for name in self.models:
            architecture(name)
            if self.models.count(name) > 1:
                raise ConfigError(f"{name} is named twice", where="--models", mend="Name it once")
        for name in ("seeds", "jobs"):
            if getattr(self, name) < 1:
                raise ConfigError(
                    f"found {getattr(self, name)}", expected="1 or more", where=f"--{name}"
                )
        for name in self.metrics:
            metric_named(name)


class Watcher(Protocol):
    """Somebody who follows a comparison, such as a display."""

    def prepared(self, notes: Sequence[str]) -> None:
        """Is told what was left out of the data or split off."""

    def begins(self, model: str, seed: int, state: Begin) -> Sequence[Observer]:
        """Is told which run comes, and returns who observes its training."""

    def ends(self, trial: Trial) -> None:
        """Is told what a run scored."""


@dataclass(frozen=True)
class Outcome:
    """What a comparison found.

    Args:
        trials: every run.
        standings: a row a model, in the order asked for.
        contrasts: every pair of models by every metric.
        record: the file that holds all of this.
    """

    trials: tuple[Trial, ...]
    standings: tuple[Standing, ...]
    contrasts: tuple[Contrast, ...]
    record: Record


def compare(contest: Contest, watcher: Watcher) -> Outcome:
    """Trains and scores every model with every seed, `contest.jobs` at a time.

    A run that is finished in its folder `OUT/MODEL-seedN` is not trained again, and one that was
    begun goes on, so that a comparison that was stopped continues when it is asked for again. The
    record `OUT/comparison.json` is written after every run.

    Raises:
        ConfigError: a model, metric or setting is wrong, or `out` holds something else, or a
            comparison of other data or settings; found before anything is trained.
        DataError: the data cannot be read.
        TrainingError: a run cannot go on; those finished stand.
    """
    base, corpus = _prepare(contest)
    examination = _examination(contest, base, corpus)
    figures = survey(corpus.train)
    for model in contest.models:  # a setting that does not suit a model is found in a second
        choose(_draft_of(base, model, 1), figures)
    record = _record(contest, base, corpus, len(examination.sources))
    record.write(())
    _write_split(contest, base, corpus)
    watcher.prepared((*corpus.notes, *_left_out(contest, examination)))
    trials: list[Trial] = []
    for trial in _trials(contest, base, examination, watcher):
        trials.append(trial)
        record.write(trials)
        watcher.ends(trial)
    trials.sort(key=lambda trial: (trial.seed, contest.models.index(trial.model)))
    contrasts = contrast(trials, examination.references)
    record.write(trials, contrasts)
    return Outcome(tuple(trials), tuple(stand(trials)), tuple(contrasts), record)


def _trials(
    contest: Contest, base: Tree, examination: Examination, watcher: Watcher
) -> Iterator[Trial]:
    drafts = [
        (model, _draft_of(base, model, seed))
        for seed in range(1, contest.seeds + 1)
        for model in contest.models
    ]
    cells = [
        Cell(model, tree, contest.out / f"{model}-seed{tree['seed']}", contest.device)
        for model, tree in drafts
    ]
    if contest.jobs > 1:

        def begin(cell: Cell) -> None:
            watcher.begins(cell.model, cell.seed, beginning(cell.folder))

        tasks = [(cell, partial(cell.run_unwatched, examination)) for cell in cells]
        yield from (trial for _, trial in side_by_side(tasks, contest.jobs, begin))
        return
    for cell in cells:
        yield cell.run(examination, partial(watcher.begins, cell.model, cell.seed))


def _prepare(contest: Contest) -> tuple[Tree, Corpus]:
    """Reads the data once; without held-out pairs, points the draft to one split for all runs."""
    base = write_draft(
        contest.data,
        contest.assignments,
        dev=contest.dev,
        minutes=contest.minutes,
        columns=contest.columns,
    )
    settings = parse(DataSettings, base["data"], "data")
    corpus = gather(settings, int(base.get("seed", 1)))
    if not settings.dev:
        parts = {part: str(contest.out / "data" / f"{part}.jsonl") for part in ("train", "dev")}
        base["data"] = {**base["data"], **parts}
    return base, corpus


def _record(contest: Contest, base: Tree, corpus: Corpus, sources: int) -> Record:
    """Begins the record, unless the folder holds something else."""
    texts = (
        text for p in chain(corpus.train, corpus.dev) for text in (p.source, p.target, *p.features)
    )
    head = {
        "command": contest.command,
        "models": contest.models,
        "seeds": list(range(1, contest.seeds + 1)),
        "minutes": contest.minutes,
        "jobs": contest.jobs,
        "test": contest.test or base["data"]["dev"],
        "sources": sources,
    }
    record = Record(contest.out, head, {"draft": base, "pairs": f"{fingerprint_of(texts):016x}"})
    record.check()
    return record


def _examination(contest: Contest, base: Tree, corpus: Corpus) -> Examination:
    if not contest.test:
        return examine_by(corpus.dev, contest.metrics)
    columns = parse(DataSettings, base["data"], "data").columns
    return examine_by(strict_pairs(contest.test, Columns.parse(columns)), contest.metrics)


def _left_out(contest: Contest, examination: Examination) -> Iterator[str]:
    if examination.blank:
        yield f"{contest.test}: {examination.blank:,} pairs without text on either side, not scored"


def _draft_of(base: Tree, model: str, seed: int) -> Tree:
    """Puts an architecture into the draft; what a person wrote out about it stands."""
    shared = {k: v for k, v in base.get("model", {}).items() if k not in architecture(model)}
    return {**base, "model": {**shared, **architecture(model)}, "seed": seed}


def _write_split(contest: Contest, base: Tree, corpus: Corpus) -> None:
    folder = contest.out / "data"
    for part, pairs in (("train", corpus.train), ("dev", corpus.dev)):
        if base["data"][part] == str(folder / f"{part}.jsonl"):
            rows = ({"source": p.source, "target": p.target, "features": p.features} for p in pairs)
            write_lines(folder / f"{part}.jsonl", rows)

"""Runs all models of a study, several at a time, and goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial

from seq2see.api.parallel import side_by_side
from seq2see.report.numbers import duration
from seq2see.study.catalogue import find
from seq2see.study.readings import Outcome
from seq2see.study.results import Results
from seq2see.study.trial import Options, Trial, trials

Watcher = Callable[[str], None]
"""Is told what has ended, what it came to, and how long the rest will take."""


def carry_out(reference: str, seeds: int, options: Options, jobs: int, watcher: Watcher) -> Results:
    """Trains and measures every condition with every seed.

    Args:
        reference: the study's name, or a file that holds one.
        seeds: models a condition.
        options: what was said beside the name.
        jobs: models at a time.
        watcher: is told how it goes.

    Raises:
        ConfigError: there is no such study, or a setting is wrong.
        TrainingError: a run cannot go on; what has ended stands, and is not run again.
    """
    study = find(reference)
    every = trials(study, seeds, options)
    found: dict[int, Outcome] = {}
    for i, outcome in _outcomes(reference, seeds, every, jobs):
        found[i] = outcome
        told, left = _told(every[i], outcome), _left(found.values(), len(every), jobs)
        watcher(f"{len(found)} of {len(every)}: {told}{left}")
    return Results(tuple(found[i] for i in sorted(found)))


def _outcomes(
    reference: str, seeds: int, every: list[Trial], jobs: int
) -> Iterator[tuple[int, Outcome]]:
    if jobs == 1:
        yield from ((i, trial.run()) for i, trial in enumerate(every))
        return
    tasks = [
        (i, partial(_alone, reference, i, seeds, trial.options)) for i, trial in enumerate(every)
    ]
    yield from side_by_side(tasks, jobs, lambda _: None)


def _alone(reference: str, place: int, seeds: int, options: Options) -> Outcome:
    """Runs one model in a process of its own, which finds the study anew: it holds functions."""
    return trials(find(reference), seeds, options)[place].run()


def _left(ended: Collection[Outcome], every: int, jobs: int) -> str:
    """Says how long the other models will take, if they take as long as these."""
    rest = every - len(ended)
    seconds = sum(outcome.seconds for outcome in ended) / len(ended) * rest / jobs
    return f", about {duration(seconds)} left" if rest else ""


def _told(trial: Trial, outcome: Outcome) -> str:
    plain = [reading for reading in outcome.readings if reading.at is None and not reading.series]
    shown = ", ".join(f"{reading.measure} {reading.value:.4g}" for reading in plain[:3])
    return f"{trial.condition.name}, seed {trial.seed}: {shown} ({outcome.seconds:.0f} s)"

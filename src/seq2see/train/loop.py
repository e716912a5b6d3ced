"""The loop: batches, updates, validations, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seq2see.data.batches import Batch, Batches, Cursor
from seq2see.errors import BEGIN_ANEW, BundleError, DivergedError, TrainingError
from seq2see.nn.network import Network
from seq2see.train import checkpoint
from seq2see.train.distributed import Team
from seq2see.train.journal import Observer, Validation, Window
from seq2see.train.optimizer import Average, Optimizer, Tensors
from seq2see.train.randomness import random_state, set_random_state
from seq2see.train.schedule import factor
from seq2see.train.settings import TrainSettings
from seq2see.train.update import Step, Updater

ALONE = Team()

_WINDOW = 50
"""Steps between two records of the journal."""


@dataclass(frozen=True)
class Judge:
    """How a run is judged; the loop knows neither metric nor search.

    Args:
        metric: name of the metric.
        higher_is_better: its direction.
        score: takes averaged weights and returns the metric on held-out pairs.
        keep: takes the weights of a validation that was better than all before, and its score.
        mark: takes the weights as they stand at a milestone, not averaged, and the number of
            updates behind them.
    """

    metric: str
    higher_is_better: bool
    score: Callable[[Tensors], float]
    keep: Callable[[Tensors, float], None]
    mark: Callable[[Tensors, int], None] = lambda *_: None


@dataclass
class Progress:
    """Where a run stands; all of it goes into the checkpoint."""

    step: int = 0
    cursor: Cursor = field(default_factory=Cursor)
    seconds: float = 0.0
    validated: int = 0
    best: float | None = None
    since_best: int = 0
    finished: bool = False


class Trainer:
    """Trains a network until its steps or minutes are used up, or patience ends.

    Args:
        network: the network, in the precision it computes in.
        batches: where batches come from.
        settings: the run's settings, all derived ones filled in.
        judge: validation.
        folder: where the training state is kept.
        team: the processes that share each update.
    """

    def __init__(
        self,
        network: Network,
        batches: Batches,
        settings: TrainSettings,
        judge: Judge,
        folder: Path,
        team: Team = ALONE,
    ) -> None:
        team.check(settings.accumulate)
        self.team = team
        self.network, self.batches, self.settings = network, batches, settings
        self.judge, self.folder = judge, folder
        self.optimizer = Optimizer(network, settings)
        self.average = Average(self.optimizer.masters, settings)
        self.updater = Updater(network, self.optimizer, settings, team)
        self.state = Progress()
        self.observers: Sequence[Observer] = ()

    @property
    def progress(self) -> float:
        """The share of the run that has passed."""
        if self.settings.minutes:
            return self.state.seconds / (60 * self.settings.minutes)
        return self.state.step / self.settings.steps

    def resume(self) -> bool:
        """Takes up the saved state; returns whether there was one."""
        saved = checkpoint.load(self.folder)
        if saved is None:
            return False
        tensors, facts = saved
        try:
            self.optimizer.restore(tensors)
            self.average.restore(tensors)
            for name, buffer in self.network.named_buffers():
                buffer.copy_(tensors[f"buffer/{name}"])
            set_random_state(tensors[f"random/{self.team.rank}"], self.updater.device)
            self.state = Progress(**(facts | {"cursor": Cursor(**facts["cursor"])}))
        except (KeyError, TypeError, RuntimeError) as error:
            raise BundleError(
                f"the training state is not of this run ({error})",
                where=str(self.folder),
                mend=BEGIN_ANEW,
            ) from error
        return True

    def run(self, observers: Sequence[Observer] = ()) -> Progress:
        """Trains to the end.

        Raises:
            TrainingError: the loss or the gradient is not finite, memory ran out, or the disk is
                full; the message says what to change, and the last checkpoint stands.
        """
        self.observers = observers
        clock = _Clock(self.state.seconds)
        source = self.batches.after(self.state.cursor)
        window: list[Step] = []
        began, saved = clock.seconds(), clock.seconds()
        self.network.train()
        self._mark()
        while not self.state.finished:
            window.append(self._update(source))
            [self.state.seconds] = self.team.agree([clock.seconds()])
            done = self.progress >= 1
            due = done or self._due()
            full = self.state.step % _WINDOW == 0
            if full or due:
                self._report(window, self.state.seconds - began)
                window, began = [], self.state.seconds
            if due:
                self._validate()
                self._settle(clock)
                began = self.state.seconds
                self.state.finished = done or self._out_of_patience()
            self._mark()  # before the state is saved, so that a killed run has missed none
            # Only between two windows, so that a resumed run writes the same journal.
            if due or (full and self.state.seconds - saved > self.settings.save_every):
                self._save()
                saved = clock.seconds()
        return self.state

    def _settle(self, clock: _Clock) -> None:
        """Counts the validation's own time, and lets the next one wait its full distance."""
        before = self.progress
        [self.state.seconds] = self.team.agree([clock.seconds()])
        grid, spent = self.settings.validations, self.progress - before
        # A validation may take a quarter of the time at most: the dues it ran over are left out.
        self.state.validated = math.floor((self.progress + 3 * spent) * grid)

    def _due(self) -> bool:
        return math.floor(self.progress * self.settings.validations) > self.state.validated

    def _update(self, source: Iterator[tuple[Batch, Cursor]]) -> Step:
        group = []
        for _ in range(self.settings.accumulate):
            batch, self.state.cursor = next(source)
            group.append(batch)
        progress = self.progress  # of the updates before this one, so that the last one counts too
        self.state.step += 1
        rate = self.settings.rate * factor(self.settings, self.state.step, progress)
        try:
            step = self.updater.update(group, rate, self.state.step)
        except TrainingError as error:
            raise type(error)(
                f"in step {self.state.step}, {error.found}; {self._kept()}",
                where=error.where,
                mend=error.mend,
            ) from error
        self.average.follow(self.state.step)
        return step

    def _kept(self) -> str:
        if not checkpoint.stands(self.folder):
            return "nothing had been saved before"
        best = "the best model so far and " if self.state.best is not None else ""
        return f"{best}the checkpoint in {self.folder} stand"

    def _mark(self) -> None:
        wanted = self.settings.milestones
        if self.team.leads and wanted and (self.state.finished or self.state.step in wanted):
            self.judge.mark(self.optimizer.masters, self.state.step)

    def _report(self, window: Sequence[Step], seconds: float) -> None:
        tokens = sum(step.tokens for step in window)
        record = Window(
            step=self.state.step,
            epoch=self.batches.epochs(self.state.cursor),
            progress=self.progress,
            loss=sum(step.loss for step in window) / tokens,
            likelihood=sum(step.likelihood for step in window) / tokens,
            gradient_norm=window[-1].norm,
            rate=window[-1].rate,
            tokens_per_second=tokens / max(seconds, 1e-9),
            seconds=self.state.seconds,
            guided=sum(step.guided for step in window) / len(window),
        )
        for observer in self.observers:
            observer.window(record)

    def _validate(self) -> None:
        weights = self.average.weights()
        if not all(bool(value.isfinite().all()) for value in weights.values()):
            raise DivergedError(
                f"the weights are not finite after step {self.state.step}; {self._kept()}",
                mend="Begin another run, in another folder, with a lower train.rate",
            )
        [score] = self.team.agree([self.judge.score(weights) if self.team.leads else 0.0])
        best, sign = self.state.best, 1 if self.judge.higher_is_better else -1
        better = best is None or sign * score > sign * best
        self.state.since_best = 0 if better else self.state.since_best + 1
        if better:
            self.state.best = score
            if self.team.leads:
                self.judge.keep(weights, score)
        record = Validation(
            self.state.step, self.progress, self.judge.metric, score, better, self.state.seconds
        )
        for observer in self.observers:
            observer.validation(record)

    def _out_of_patience(self) -> bool:
        return 0 < self.settings.patience <= self.state.since_best

    def _save(self) -> None:
        tensors = self.optimizer.tensors() | self.average.tensors()
        tensors |= {f"buffer/{name}": value for name, value in self.network.named_buffers()}
        for rank, state in enumerate(self.team.collect(random_state(self.updater.device))):
            tensors[f"random/{rank}"] = state
        facts: dict[str, Any] = asdict(self.state)
        if self.team.leads:
            checkpoint.save(self.folder, tensors, facts)
        self.team.wait()


class _Clock:
    """Counts the seconds of a run across the processes that shared it."""

    def __init__(self, before: float) -> None:
        self._origin = time.perf_counter() - before

    def seconds(self) -> float:
        return time.perf_counter() - self._origin

"""The loop: batches, updates, validations, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from seq2see.data.batches import Batch, Batches, Cursor
from seq2see.data.tokenizers import PAD
from seq2see.errors import BundleError, TrainingError
from seq2see.nn.network import Network
from seq2see.train import checkpoint
from seq2see.train.distributed import Team
from seq2see.train.journal import Observer, Validation, Window
from seq2see.train.loss import smoothed_loss
from seq2see.train.optimizer import Average, Optimizer, Tensors
from seq2see.train.schedule import factor
from seq2see.train.settings import TrainSettings

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
    """

    metric: str
    higher_is_better: bool
    score: Callable[[Tensors], float]
    keep: Callable[[Tensors, float], None]


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


@dataclass(frozen=True)
class Step:
    """What one update did: sums over its target tokens, in nats."""

    loss: float
    likelihood: float
    tokens: int
    norm: float


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
        self.device = next(network.parameters()).device
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
            torch.set_rng_state(tensors[f"random/{self.team.rank}"])
            self.state = Progress(**(facts | {"cursor": Cursor(**facts["cursor"])}))
        except (KeyError, TypeError, RuntimeError) as error:
            raise BundleError(
                f"the training state is not of this run ({error})",
                where=str(self.folder),
                mend="Train anew without --resume",
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
        self.state.step += 1
        rate = self.settings.rate * factor(self.settings, self.state.step, self.progress)
        try:
            step = self._train_step(group, rate)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise TrainingError(
                f"memory ran out in step {self.state.step}, on {group[0].source.shape[0]} pairs of"
                f" {group[0].source.shape[1]} source and {group[0].target.shape[1]} target tokens",
                where="train.batch_tokens",
                mend=f"Begin anew with half of it (now {self.settings.batch_tokens}) and twice the"
                " train.accumulate",
            ) from error
        if not (math.isfinite(step.loss) and math.isfinite(step.norm)):
            lines = sorted(int(line) for batch in group for line in batch.lines)
            raise TrainingError(
                f"the loss is {step.loss} and the gradient's norm {step.norm} in step"
                f" {self.state.step}; its pairs stand on lines {lines}",
                where=str(self.folder),
                mend="Begin anew with a lower train.rate or a longer train.warmup; the best model"
                " so far and the last checkpoint are kept",
            )
        self.average.follow(self.state.step)
        return step

    def _train_step(self, group: Sequence[Batch], rate: float) -> Step:
        """Makes one update from a group; the loss is divided once by all of its tokens."""
        tokens = sum(batch.tokens for batch in group)
        sums = torch.zeros(2, device=self.device)
        for each in group[self.team.rank :: self.team.size]:
            batch = each.to(self.device)
            hidden = self.network(batch.source, batch.real, batch.target)
            real = batch.wanted != PAD
            loss, likelihood = smoothed_loss(
                hidden[real],
                self.network.output.weight,
                batch.wanted[real],
                self.settings.label_smoothing,
            )
            (loss / tokens).backward()
            self.optimizer.gather()
            sums += torch.stack([loss.detach(), likelihood])
        self.team.add_up([*self.optimizer.gradients(), sums])
        loss_sum, likelihood_sum = sums.tolist()
        norm = self.optimizer.update(rate) if math.isfinite(loss_sum) else math.nan
        return Step(loss_sum, likelihood_sum, tokens, norm)

    def _report(self, window: Sequence[Step], seconds: float) -> None:
        tokens = sum(step.tokens for step in window)
        record = Window(
            step=self.state.step,
            epoch=self.batches.epochs(self.state.cursor),
            progress=self.progress,
            loss=sum(step.loss for step in window) / tokens,
            likelihood=sum(step.likelihood for step in window) / tokens,
            gradient_norm=window[-1].norm,
            rate=self.settings.rate * factor(self.settings, self.state.step, self.progress),
            tokens_per_second=tokens / max(seconds, 1e-9),
            seconds=self.state.seconds,
        )
        for observer in self.observers:
            observer.window(record)

    def _validate(self) -> None:
        weights = self.average.weights()
        if not all(bool(value.isfinite().all()) for value in weights.values()):
            raise TrainingError(
                f"the weights are not finite after step {self.state.step}",
                where=str(self.folder),
                mend="Begin anew with a lower train.rate; the last checkpoint is kept",
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
        for rank, state in enumerate(self.team.collect(torch.get_rng_state())):
            tensors[f"random/{rank}"] = state
        facts: dict[str, Any] = asdict(self.state)
        if self.team.leads:
            checkpoint.save(self.folder, tensors, facts)
        self.team.wait()


def is_out_of_memory(error: BaseException) -> bool:
    """Tells whether an error says that memory ran out, on a CPU or a GPU."""
    signs = ("out of memory", "allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in signs)


class _Clock:
    """Counts the seconds of a run across the processes that shared it."""

    def __init__(self, before: float) -> None:
        self._origin = time.perf_counter() - before

    def seconds(self) -> float:
        return time.perf_counter() - self._origin

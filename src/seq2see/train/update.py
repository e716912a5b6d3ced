"""One update: gradients of a group of batches, one step of the optimizer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seq2see.data.batches import Batch
from seq2see.data.tokenizers import PAD
from seq2see.errors import DivergedError, TrainingError, is_out_of_memory
from seq2see.nn.network import Network
from seq2see.train.distributed import Team
from seq2see.train.guide import Guide, Lesson
from seq2see.train.loss import smoothed_loss
from seq2see.train.optimizer import Optimizer
from seq2see.train.settings import TrainSettings


@dataclass(frozen=True)
class Step:
    """What one update did: sums over its target tokens, in nats.

    Args:
        loss: label-smoothed loss.
        likelihood: plain negative log-likelihood.
        tokens: target tokens without padding.
        norm: norm of the gradient before clipping.
        rate: the learning rate it was made with.
        guided: what guided heads added to the loss; a mean, not a sum.
    """

    loss: float
    likelihood: float
    tokens: int
    norm: float
    rate: float
    guided: float = 0.0


class Updater:
    """Makes updates, alone or in a team.

    Args:
        network: the network, in the precision it computes in.
        optimizer: its optimizer.
        settings: the run's settings.
        team: the processes that share each update.
    """

    def __init__(
        self, network: Network, optimizer: Optimizer, settings: TrainSettings, team: Team
    ) -> None:
        self.network, self.optimizer, self.settings = network, optimizer, settings
        self.team, self.guide = team, Guide(network)
        self.device = next(network.parameters()).device

    def update(self, group: Sequence[Batch], rate: float, number: int = 1) -> Step:
        """Makes one update from a group; the loss is divided once by all of its tokens.

        Args:
            group: the batches, those of other processes included.
            rate: the learning rate.
            number: of the update, from 1.

        Raises:
            TrainingError: memory ran out, or loss or gradient is not finite; nothing was updated.
        """
        try:
            step = self._update(group, rate, number)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise no_memory(group[0], self.settings) from error
        if not (math.isfinite(step.loss) and math.isfinite(step.norm)):
            lines = sorted(int(line) for batch in group for line in batch.lines)
            raise DivergedError(
                f"the loss is {step.loss} and the gradient's norm {step.norm}; the pairs stand on"
                f" lines {lines}",
                mend="Begin another run, in another folder, with a lower train.rate or a longer"
                " train.warmup",
            )
        return step

    def _update(self, group: Sequence[Batch], rate: float, number: int) -> Step:
        tokens = sum(batch.tokens for batch in group)
        lesson = self.guide.lesson(group, number)
        sums = torch.zeros(2 if lesson is None else 3, device=self.device)
        for batch in group[self.team.rank :: self.team.size]:
            sums += self._add_gradients(batch.to(self.device), tokens, lesson)
            self.optimizer.gather()
        self.team.add_up([*self.optimizer.gradients(), sums])
        loss_sum, likelihood_sum, *guided = sums.tolist()
        norm = self.optimizer.update(rate) if math.isfinite(loss_sum) else math.nan
        return Step(loss_sum, likelihood_sum, tokens, norm, rate, *guided)

    def _add_gradients(self, batch: Batch, tokens: int, lesson: Lesson | None) -> Tensor:
        """Adds the gradients of a batch's part of the loss; returns loss, likelihood, guidance."""
        smoothing = self.settings.label_smoothing
        if lesson is None:
            loss, likelihood = losses(self.network, batch, smoothing)
            (loss / tokens).backward()
            return torch.stack([loss.detach(), likelihood])
        with lesson.watching() as patterns:
            loss, likelihood = losses(self.network, batch, smoothing)
        guided = lesson.loss(patterns, batch)
        (loss / tokens + guided).backward()
        return torch.stack([loss.detach(), likelihood, guided.detach()])


def losses(network: Network, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor]:
    """Returns the summed loss of a batch, through which gradients flow, and its likelihood."""
    hidden = network(batch.source, batch.real, batch.target)
    real = batch.wanted != PAD
    return smoothed_loss(hidden[real], network.output.weight, batch.wanted[real], smoothing)


def no_memory(batch: Batch, settings: TrainSettings) -> TrainingError:
    """Says which setting to lower when memory ran out on `batch`."""
    return TrainingError(
        f"memory ran out on {batch.source.shape[0]} pairs of {batch.source.shape[1]} source and"
        f" {batch.target.shape[1]} target tokens",
        where="train.batch_tokens",
        mend=f"Begin another run, in another folder, with half of it (now {settings.batch_tokens})"
        " and twice the train.accumulate",
    )

"""What happened in a run, as JSON lines: one record a step window, one a validation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from seq2see.errors import TrainingError
from seq2see.files import read_lines, refusing, write_text

_MEND = "Free space, then continue with --resume, or choose another folder with --out"


@dataclass(frozen=True)
class Window:
    """The steps since the last record.

    Args:
        step: the last step's number, from 1.
        epoch: how many times all pairs have been seen, as a fraction.
        progress: share of the run's steps or minutes that has passed.
        loss: label-smoothed loss in nats per target token.
        likelihood: plain negative log-likelihood in nats per target token.
        gradient_norm: norm of the last step's gradient before clipping.
        rate: learning rate of the last step.
        tokens_per_second: target tokens without padding.
        seconds: wall clock since the run began, without what was spent in killed processes.
        guided: what guided heads added to the loss, in nats, as a mean over the steps.
    """

    step: int
    epoch: float
    progress: float
    loss: float
    likelihood: float
    gradient_norm: float
    rate: float
    tokens_per_second: float
    seconds: float
    guided: float = 0.0


@dataclass(frozen=True)
class Validation:
    """One validation.

    Args:
        step: the step it followed.
        progress: share of the run that had passed.
        metric: name of the task's metric.
        score: its value, in the metric's own unit.
        best: whether no validation before was better.
        seconds: wall clock since the run began.
    """

    step: int
    progress: float
    metric: str
    score: float
    best: bool
    seconds: float


@runtime_checkable
class Observer(Protocol):
    """Somebody who watches a run: a journal, a progress display."""

    def window(self, record: Window) -> None:
        """Is told of the last steps."""

    def validation(self, record: Validation) -> None:
        """Is told of a validation."""


class Journal:
    """Appends every record to a file of JSON lines.

    Args:
        path: the file.
        after: keep what the file says up to this step and drop the rest, which the resumed run will
            write again.

    Raises:
        TrainingError: the disk is full or the file cannot be written; so do the methods.
    """

    def __init__(self, path: Path, after: int = 0) -> None:
        self.path = path
        kept = [row for row in read_lines(path) if row["step"] <= after] if after else []
        with refusing(TrainingError, path, _MEND):
            write_text(path, "".join(json.dumps(row) + "\n" for row in kept))

    def window(self, record: Window) -> None:
        """Writes a record of kind `train`."""
        self._write("train", asdict(record))

    def validation(self, record: Validation) -> None:
        """Writes a record of kind `validation`."""
        self._write("validation", asdict(record))

    def _write(self, kind: str, record: dict[str, Any]) -> None:
        line = json.dumps({"kind": kind, **record}) + "\n"
        with (
            refusing(TrainingError, self.path, _MEND),
            self.path.open("a", encoding="utf-8", newline="\n") as file,
        ):
            file.write(line)


class TensorBoard:
    """Writes the same records as TensorBoard scalars; needs the extra `tensorboard`."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def window(self, record: Window) -> None:
        """Writes loss, gradient norm, learning rate and speed; guidance where there is any."""
        names = ["loss", "likelihood", "gradient_norm", "rate", "tokens_per_second"]
        for name in [*names, *(["guided"] if record.guided else [])]:
            self._writer.add_scalar(f"train/{name}", getattr(record, name), record.step)
        self._writer.flush()

    def validation(self, record: Validation) -> None:
        """Writes the score."""
        self._writer.add_scalar(f"validation/{record.metric}", record.score, record.step)
        self._writer.flush()

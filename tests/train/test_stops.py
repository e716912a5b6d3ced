"""Runs that cannot go on, and runs on a time budget: what is said, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from runs import Scores
from torch import Tensor

from fixtures import Notebook
from seq2see.data.batches import Batch, Cursor
from seq2see.errors import Seq2seeError, TrainingError
from seq2see.train import checkpoint, loop, update
from seq2see.train.loop import Judge, Trainer


@dataclass
class Poison:
    """A loss that goes wrong in the given step."""

    step: int
    act: Callable[[Tensor], Tensor]
    calls: int = 0

    def __call__(self, *args: Any) -> tuple[Tensor, Tensor]:
        self.calls += 1
        loss, likelihood = REAL_LOSS(*args)
        return (self.act(loss) if self.calls == self.step else loss), likelihood


REAL_LOSS = update.smoothed_loss


def no_memory(_: Tensor) -> Tensor:
    raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried ...")


def no_python_memory(_: Tensor) -> Tensor:
    raise MemoryError


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_run(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    drawn: list[list[int]] = []
    trainer = make(validations=10, steps=100)
    after = trainer.batches.after

    def noted(cursor: Cursor) -> Iterator[tuple[Batch, Cursor]]:
        for batch, behind in after(cursor):
            drawn.append(sorted(batch.lines.tolist()))
            yield batch, behind

    monkeypatch.setattr(trainer.batches, "after", noted)
    monkeypatch.setattr(update, "smoothed_loss", Poison(37, lambda loss: loss * factor))
    with pytest.raises(TrainingError, match="in step 37") as caught:
        trainer.run()
    assert f"lines {drawn[36]}" in caught.value.found
    assert caught.value.found.endswith(f"the checkpoint in {trainer.folder} stand")
    assert "train.rate" in caught.value.mend
    tensors, facts = checkpoint.load(trainer.folder) or ({}, {})
    assert facts["step"] == 30
    assert all(t.isfinite().all() for t in tensors.values() if t.is_floating_point())
    monkeypatch.setattr(update, "smoothed_loss", REAL_LOSS)
    resumed = make(validations=10, steps=100)
    assert resumed.resume()
    assert resumed.run().step == 100


def test_a_gradient_that_is_not_finite_stops_the_run(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_endless_slope(loss: Tensor) -> Tensor:
        return loss + (loss * 0).sqrt()

    monkeypatch.setattr(update, "smoothed_loss", Poison(3, with_endless_slope))
    trainer = make()
    with pytest.raises(TrainingError, match=r"in step 3, .* norm nan") as caught:
        trainer.run()
    assert caught.value.found.endswith("nothing had been saved before")
    assert all(p.isfinite().all() for p in trainer.network.parameters())


@pytest.mark.parametrize("act", [no_memory, no_python_memory])
def test_memory_that_runs_out_names_the_setting(
    make: Callable[..., Trainer],
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Tensor], Tensor],
) -> None:
    monkeypatch.setattr(update, "smoothed_loss", Poison(3, act))
    with pytest.raises(TrainingError, match=r"in step 3, memory ran out") as caught:
        make().run()
    assert caught.value.where == "train.batch_tokens"
    assert "now 200" in caught.value.mend
    assert "train.accumulate" in caught.value.mend


def test_other_errors_stay_what_they_are(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(_: Tensor) -> Tensor:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(update, "smoothed_loss", Poison(1, defect))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        make().run()


def test_a_full_disk_stops_the_run(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(TrainingError, match="No space left"):
        make().run()


@dataclass
class SlowClock:
    """A clock that moves only while the run computes or validates."""

    now: float = 0.0

    def perf_counter(self) -> float:
        return self.now


def test_a_time_budget_ends_the_run_and_shapes_the_schedule(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, notes = SlowClock(), Notebook()
    monkeypatch.setattr(loop, "time", clock)

    def slow(*args: Any) -> tuple[Tensor, Tensor]:
        clock.now += 1.0
        return REAL_LOSS(*args)

    monkeypatch.setattr(update, "smoothed_loss", slow)
    state = make(minutes=2.0, steps=0, validations=4).run([notes])
    assert state.step == 120
    assert [record.step for record in notes.validations] == [30, 60, 90, 120]
    assert notes.windows[-1].progress == pytest.approx(1.0)
    assert notes.windows[-1].rate == pytest.approx(0.0, abs=1e-5)


def test_slow_validations_leave_time_to_train(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, scores = SlowClock(), Scores()
    monkeypatch.setattr(loop, "time", clock)

    def slow(*args: Any) -> tuple[Tensor, Tensor]:
        clock.now += 1.0
        return REAL_LOSS(*args)

    trainer = make(scores, minutes=5.0, steps=0, validations=20)  # one each 15 seconds
    score = trainer.judge.score

    def validate(weights: dict[str, Tensor]) -> float:
        clock.now += 20.0
        return score(weights)

    trainer.judge = Judge("accuracy", True, validate, trainer.judge.keep)
    monkeypatch.setattr(update, "smoothed_loss", slow)
    state = trainer.run()
    assert state.step >= 4 * len(scores.seen)


def test_an_empty_folder_has_nothing_to_resume(make: Callable[..., Trainer]) -> None:
    assert not make().resume()


@pytest.mark.parametrize("what", ["tensors", "facts", "shapes"])
def test_a_foreign_state_is_refused(make: Callable[..., Trainer], what: str) -> None:
    trainer = make()
    trainer.run()
    tensors, facts = checkpoint.load(trainer.folder) or ({}, {})
    foreign = {
        "tensors": ({"a": torch.zeros(1)}, facts),
        "facts": (tensors, {"epochs": 3}),
        "shapes": ({k: t.repeat(2) if t.dim() == 1 else t for k, t in tensors.items()}, facts),
    }
    checkpoint.save(trainer.folder, *foreign[what])
    with pytest.raises(Seq2seeError):
        make().resume()

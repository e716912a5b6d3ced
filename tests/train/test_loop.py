"""The loop: it learns, adds up batches exactly, stops as asked, and keeps the best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fixtures import Notebook, copying, stored, without_timings
from helpers import transformer_settings
from seq2see.data.batches import Batch, Batches, BatchPlan, Cursor
from seq2see.data.store import Store
from seq2see.errors import Seq2seeError, TrainingError
from seq2see.nn.network import Network, Sizes
from seq2see.train import checkpoint, loop
from seq2see.train.loop import Judge, Trainer
from seq2see.train.precision import cast
from seq2see.train.settings import TrainSettings

STEPS = 100


@dataclass
class Scores:
    """A judge that reads its scores from a list and remembers what it was given."""

    values: Iterable[float] = (1.0,) * 1000
    higher_is_better: bool = True
    seen: list[dict[str, Tensor]] = field(default_factory=list)
    kept: list[tuple[dict[str, Tensor], float]] = field(default_factory=list)

    def judge(self) -> Judge:
        values = iter(self.values)

        def score(weights: dict[str, Tensor]) -> float:
            self.seen.append({name: t.detach().clone() for name, t in weights.items()})
            return next(values)

        def keep(weights: dict[str, Tensor], value: float) -> None:
            self.kept.append(({n: t.detach().clone() for n, t in weights.items()}, value))

        return Judge("accuracy", self.higher_is_better, score, keep)


class Given:
    """A stand-in for `Batches` that hands out the batches it was given, round and round."""

    def __init__(self, *batches: Batch) -> None:
        self.batches = batches

    def after(self, cursor: Cursor) -> Iterator[tuple[Batch, Cursor]]:
        index = cursor.index
        while True:
            yield self.batches[index % len(self.batches)], Cursor(0, index + 1)
            index += 1


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("store"), copying(150), copies=2)


@pytest.fixture
def make(store: Store, tmp_path: Path) -> Callable[..., Trainer]:
    def build(
        scores: Scores | None = None, batches: Any = None, dropout: float = 0.0, **changes: Any
    ) -> Trainer:
        usual = {"steps": STEPS, "rate": 0.01, "warmup": 10, "validations": 1, "batch_tokens": 200}
        torch.manual_seed(1)
        size = int(max(store.source.ids.max(), store.target.ids.max())) + 1
        network = Network(transformer_settings(d_model=16, dropout=dropout), Sizes(size, size))
        settings = TrainSettings(**(usual | changes))
        cast(network, "float32" if settings.precision == "auto" else settings.precision)
        batches = batches or Batches(store, BatchPlan(200, 1, 0.1, 2))
        return Trainer(network, batches, settings, (scores or Scores()).judge(), tmp_path / "state")

    return build


def weights(trainer: Trainer) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in trainer.optimizer.masters.items()}


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_learns_to_copy(make: Callable[..., Trainer], precision: str) -> None:
    notes = Notebook()
    make(precision=precision, steps=200).run([notes])
    likelihoods = [record.likelihood for record in notes.windows]
    assert likelihoods == sorted(likelihoods, reverse=True)
    assert likelihoods[-1] < 0.75 * likelihoods[0]


def test_records_say_where_the_run_stands(make: Callable[..., Trainer]) -> None:
    notes = Notebook()
    state = make(steps=120, validations=2, schedule="constant", warmup=100).run([notes])
    assert [record.step for record in notes.windows] == [50, 60, 100, 120]
    assert [record.progress for record in notes.windows] == pytest.approx([5 / 12, 0.5, 5 / 6, 1])
    assert [record.rate for record in notes.windows] == pytest.approx([0.005, 0.006, 0.01, 0.01])
    assert [record.step for record in notes.validations] == [60, 120]
    assert all(r.loss > r.likelihood > 0 and r.gradient_norm > 0 for r in notes.windows)
    seconds = [record.seconds for record in notes.windows]
    assert seconds == sorted(seconds)
    assert (state.step, state.finished) == (120, True)


@pytest.mark.xfail(strict=True, reason="the journal holds the epoch's whole number alone")
def test_an_epoch_is_counted_as_a_fraction(make: Callable[..., Trainer], store: Store) -> None:
    notes = Notebook()
    trainer = make(steps=7)
    per_epoch = len(trainer.batches.epoch(0))
    assert per_epoch < 7 < 2 * per_epoch
    trainer.run([notes])
    assert 1 < notes.windows[0].epoch < 2


def test_two_batches_make_the_update_of_their_union(
    make: Callable[..., Trainer], store: Store
) -> None:
    plain = Batches(store, BatchPlan(10_000))
    small, large = plain.collate(np.arange(3)), plain.collate(np.arange(3, 30))
    assert small.tokens * 3 < large.tokens  # a mean of two means would differ
    union = plain.collate(np.arange(30))
    # Where a gradient is 0 but for rounding, AdamW would make the rounding as large as its rate.
    usual = {"steps": 3, "clip": 0.0, "schedule": "constant", "warmup": 0, "epsilon": 1e-4}
    split = make(batches=Given(small, large), accumulate=2, **usual)
    whole = make(batches=Given(union), accumulate=1, **usual)
    start = weights(whole)
    notes = Notebook(), Notebook()
    split.run([notes[0]])
    whole.run([notes[1]])
    for name, expected in weights(whole).items():
        torch.testing.assert_close(weights(split)[name], expected, rtol=1e-3, atol=1e-4)
        assert not torch.equal(expected, start[name])
    ours, theirs = (each.windows[0] for each in notes)
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-5)
    assert ours.likelihood == pytest.approx(theirs.likelihood, rel=1e-5)
    assert ours.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-3)


def test_the_gradient_of_a_group_does_not_hang_on_its_split(
    make: Callable[..., Trainer], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Batches(store, BatchPlan(10_000))
    parts = [plain.collate(np.arange(a, b)) for a, b in ((0, 2), (2, 9), (9, 30))]
    found = []
    for batches, accumulate in ((parts, 3), ([plain.collate(np.arange(30))], 1)):
        trainer = make(batches=Given(*batches), accumulate=accumulate, steps=1)

        def update(rate: float, trainer: Trainer = trainer) -> float:
            found.append({n: p.grad.clone() for n, p in trainer.optimizer.masters.items()})
            return 1.0

        monkeypatch.setattr(trainer.optimizer, "update", update)
        trainer.run()
    for name, expected in found[1].items():
        torch.testing.assert_close(found[0][name], expected, rtol=1e-4, atol=1e-6)


def test_a_seed_decides_everything(make: Callable[..., Trainer]) -> None:
    runs = []
    for _ in range(2):
        notes, trainer = Notebook(), make(dropout=0.2, validations=4)
        trainer.run([notes])
        records = [asdict(each) for each in (*notes.windows, *notes.validations)]
        runs.append((list(without_timings(records)), weights(trainer)))
    assert runs[0][0] == runs[1][0]
    assert equal(runs[0][1], runs[1][1])


@pytest.mark.parametrize("average", ["ema", "last", "none"])
@pytest.mark.parametrize(("higher", "values"), [(True, [1, 3, 2, 3]), (False, [9, 4, 6, 4])])
def test_the_best_weights_are_kept_not_the_last(
    make: Callable[..., Trainer], average: str, higher: bool, values: list[float]
) -> None:
    scores = Scores(values, higher)
    notes = Notebook()
    state = make(scores, validations=4, average=average, last=2).run([notes])
    assert [score for _, score in scores.kept] == values[:2]
    assert equal(scores.kept[-1][0], scores.seen[1])
    assert not equal(scores.seen[1], scores.seen[3])
    assert [record.best for record in notes.validations] == [True, True, False, False]
    assert state.best == values[1]


@pytest.mark.parametrize(
    ("values", "patience", "validated"),
    [
        ([5, 4, 3, 2, 1], 2, 3),
        ([1, 2, 2, 2, 2], 2, 4),
        ([1, 0, 2, 0, 0], 2, 5),
        ([5, 4, 3, 2, 1], 0, 5),
        ([5, 4, 3, 2, 1], 1, 2),
    ],
)
def test_patience_counts_validations_without_a_better_one(
    make: Callable[..., Trainer], values: list[float], patience: int, validated: int
) -> None:
    scores = Scores(values)
    state = make(scores, validations=5, patience=patience).run()
    assert len(scores.seen) == validated
    assert (state.finished, state.step) == (True, validated * STEPS // 5)
    facts = checkpoint.load(make().folder)
    assert facts is not None
    assert facts[1]["finished"]


@pytest.mark.parametrize("died_at", [1, 2, 3, 4])
def test_patience_outlives_the_process(make: Callable[..., Trainer], died_at: int) -> None:
    values = [3.0, 5.0, 4.0, 4.0, 4.0, 9.0]
    usual = {"validations": 6, "steps": 60, "patience": 3}

    def dying() -> Iterator[float]:
        yield from values[:died_at]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(Scores(dying()), **usual).run()
    trainer = make(Scores(values[died_at:]), **usual)
    assert trainer.resume()
    state = trainer.run()
    assert (state.step, state.best, state.since_best) == (50, 5.0, 3)


def test_a_finished_run_is_not_run_again(make: Callable[..., Trainer]) -> None:
    make(steps=20).run()
    scores = Scores()
    again = make(scores, steps=20)
    assert again.resume()
    assert again.run().step == 20
    assert scores.seen == []


def test_the_validated_weights_are_the_average(make: Callable[..., Trainer]) -> None:
    scores = Scores()
    trainer = make(scores, average="ema")
    trainer.run()
    assert equal(scores.seen[0], trainer.average.mean)
    assert not equal(scores.seen[0], weights(trainer))


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


REAL_LOSS = loop.smoothed_loss


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
    monkeypatch.setattr(loop, "smoothed_loss", Poison(37, lambda loss: loss * factor))
    with pytest.raises(TrainingError, match="in step 37") as caught:
        trainer.run()
    assert f"lines {drawn[36]}" in caught.value.found
    assert "train.rate" in caught.value.mend
    tensors, facts = checkpoint.load(trainer.folder) or ({}, {})
    assert facts["step"] == 30
    assert all(t.isfinite().all() for t in tensors.values() if t.is_floating_point())
    monkeypatch.setattr(loop, "smoothed_loss", REAL_LOSS)
    resumed = make(validations=10, steps=100)
    assert resumed.resume()
    assert resumed.run().step == 100


def test_a_gradient_that_is_not_finite_stops_the_run(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_endless_slope(loss: Tensor) -> Tensor:
        return loss + (loss * 0).sqrt()

    monkeypatch.setattr(loop, "smoothed_loss", Poison(3, with_endless_slope))
    trainer = make()
    with pytest.raises(TrainingError, match="norm nan in step 3"):
        trainer.run()
    assert all(p.isfinite().all() for p in trainer.network.parameters())


@pytest.mark.parametrize("act", [no_memory, no_python_memory])
def test_memory_that_runs_out_names_the_setting(
    make: Callable[..., Trainer],
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Tensor], Tensor],
) -> None:
    monkeypatch.setattr(loop, "smoothed_loss", Poison(3, act))
    with pytest.raises(TrainingError, match="memory ran out in step 3") as caught:
        make().run()
    assert caught.value.where == "train.batch_tokens"
    assert "now 200" in caught.value.mend
    assert "train.accumulate" in caught.value.mend


def test_other_errors_stay_what_they_are(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(_: Tensor) -> Tensor:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(loop, "smoothed_loss", Poison(1, defect))
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

    monkeypatch.setattr(loop, "smoothed_loss", slow)
    state = make(minutes=2.0, steps=0, validations=4).run([notes])
    assert state.step == 120
    assert [record.step for record in notes.validations] == [30, 60, 90, 120]
    assert notes.windows[-1].progress == pytest.approx(1.0)
    assert notes.windows[-1].rate == pytest.approx(0.0, abs=1e-6)


@pytest.mark.xfail(strict=True, reason="a slow validation makes the next one due at once")
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
    monkeypatch.setattr(loop, "smoothed_loss", slow)
    state = trainer.run()
    assert state.step >= 4 * len(scores.seen)


def test_an_empty_folder_has_nothing_to_resume(make: Callable[..., Trainer]) -> None:
    assert not make().resume()


@pytest.mark.xfail(strict=True, reason="a state of another run ends in a bare KeyError or TypeError")
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

"""The loop: it learns, adds up batches exactly, keeps the best and ends by patience."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

import numpy as np
import pytest
import torch
from runs import STEPS, Given, Scores, weights
from torch import Tensor

from fixtures import Notebook, without_timings
from seq2see.data.batches import Batches, BatchPlan
from seq2see.data.store import Store
from seq2see.train import checkpoint
from seq2see.train.loop import Trainer


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
@pytest.mark.parametrize(
    ("higher", "values"), [(True, [1.0, 3.0, 2.0, 3.0]), (False, [9.0, 4.0, 6.0, 4.0])]
)
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
        ([5.0, 4.0, 3.0, 2.0, 1.0], 2, 3),
        ([1.0, 2.0, 2.0, 2.0, 2.0], 2, 4),
        ([1.0, 0.0, 2.0, 0.0, 0.0], 2, 5),
        ([5.0, 4.0, 3.0, 2.0, 1.0], 0, 5),
        ([5.0, 4.0, 3.0, 2.0, 1.0], 1, 2),
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

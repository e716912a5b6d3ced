"""At a milestone the weights are handed on as they stand, and training goes on as without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from seq2see.errors import ConfigError
from seq2see.train.loop import Trainer
from seq2see.train.settings import TrainSettings

Marks = dict[int, dict[str, Tensor]]


def watched(trainer: Trainer) -> Marks:
    found: Marks = {}

    def mark(weights: dict[str, Tensor], step: int) -> None:
        found[step] = {name: value.detach().clone() for name, value in weights.items()}

    trainer.judge = replace(trainer.judge, mark=mark)
    return found


def test_weights_are_those_of_a_run_that_ends_there(make: Callable[..., Trainer]) -> None:
    trainer = make(steps=8, schedule="constant", milestones=(0, 3, 20))
    begun = {name: value.detach().clone() for name, value in trainer.optimizer.masters.items()}
    found = watched(trainer)
    trainer.run()
    short, whole = (make(steps=n, schedule="constant") for n in (3, 8))
    for each in (short, whole):
        each.run()
    ends = {0: begun, 3: short.optimizer.masters, 8: whole.optimizer.masters}
    assert found.keys() == ends.keys()
    for step, weights in ends.items():
        for name, value in weights.items():
            assert torch.equal(found[step][name], value), (step, name)
    moved = [name for name in begun if not torch.equal(found[0][name], found[3][name])]
    assert "encoder.0.self.query.weight" in moved


def test_a_resumed_run_marks_what_it_still_reaches(make: Callable[..., Trainer]) -> None:
    first = make(steps=4, schedule="constant", milestones=(2, 4))
    watched(first)
    first.run()
    again = make(steps=6, schedule="constant", milestones=(2, 4, 6))
    assert again.resume()
    again.state.finished = False
    found = watched(again)
    again.run()
    assert list(found) == [4, 6]
    for name, value in first.optimizer.masters.items():
        assert torch.equal(found[4][name], value)


def test_there_is_no_milestone_before_the_first_update() -> None:
    with pytest.raises(ConfigError, match=r"train\.milestones: found -5"):
        TrainSettings(milestones=(0, -5))

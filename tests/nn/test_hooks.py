"""Hooks of one block: set, meant for one thread, taken away in any order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NoReturn

import pytest
import torch
from torch import Tensor, nn

from helpers import hooks_in
from seq2see.nn.hooks import Hooks, hooked
from seq2see.nn.tap import Tap


def doubling(tap: nn.Module) -> Hooks:
    return Hooks(after=((tap, lambda value: 2 * value),))


def test_a_hook_replaces_or_only_reads() -> None:
    tap, seen = Tap(), []
    reading = Hooks(after=((tap, seen.append),), before=((tap, seen.append),))
    one = torch.ones(1)
    with hooked(doubling(tap), reading):
        assert tap(one).item() == 2
    assert [type(each) for each in seen] == [tuple, Tensor]
    assert seen[1].item() == 2  # later hooks see what earlier ones made
    assert tap(one) is one


def test_other_threads_are_not_meant() -> None:
    tap, one = Tap(), torch.ones(1)
    with ThreadPoolExecutor(1) as pool, hooked(doubling(tap)):
        assert tap(one).item() == 2
        assert pool.submit(tap, one).result().item() == 1


def test_blocks_may_end_in_any_order() -> None:
    tap, one = Tap(), torch.ones(1)
    first, second = ExitStack(), ExitStack()
    first.enter_context(hooked(doubling(tap)))
    second.enter_context(hooked(doubling(tap)))
    assert tap(one).item() == 4
    first.close()
    assert tap(one).item() == 2
    second.close()
    assert tap(one).item() == 1
    assert hooks_in(tap) == []


def test_hooks_are_taken_away_when_one_of_them_cannot_be_set() -> None:
    class Closed(nn.Module):
        def register_forward_hook(self, *_: Any, **__: Any) -> NoReturn:
            raise RuntimeError("closed")

    tap = Tap()
    with pytest.raises(RuntimeError, match="closed"), hooked(doubling(tap), doubling(Closed())):
        pytest.fail("the block must not begin")
    assert hooks_in(tap) == []
    assert not tap.watched

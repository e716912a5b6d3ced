"""Hooks that act in one thread, for the length of one block."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from torch import Tensor, nn

After = Callable[[Tensor], Tensor | None]
"""Is given a module's output; what it returns, if anything, takes the output's place."""

Before = Callable[[tuple[Any, ...]], None]
"""Is given a module's arguments before it runs."""

AnyModule = TypeVar("AnyModule", bound=nn.Module)

_ACTIVE: ContextVar[frozenset[object]] = ContextVar("active hooks", default=frozenset())


@dataclass(frozen=True)
class Hooks:
    """What is to be done at which modules.

    Args:
        after: what acts on outputs, in the order in which it is to act.
        before: what only reads arguments.
    """

    after: Sequence[tuple[nn.Module, After]] = ()
    before: Sequence[tuple[nn.Module, Before]] = ()


@contextmanager
def hooked(*groups: Hooks) -> Iterator[None]:
    """Sets hooks for the block, which act in the thread that entered it and in no other.

    A network's modules belong to all threads, so a hook on them runs in each; a mark among the
    calling thread's context variables tells it whether it is meant. What runs in a copy of the
    context, as `asyncio.to_thread` does, is meant too.
    """
    mark, handles = object(), []
    try:
        for group in groups:
            for module, read in group.before:
                handles.append(module.register_forward_pre_hook(_if_marked(mark, read)))
            for module, act in group.after:
                handles.append(module.register_forward_hook(_if_marked(mark, act)))
        _ACTIVE.set(_ACTIVE.get() | {mark})
        yield
    finally:
        _ACTIVE.set(_ACTIVE.get() - {mark})
        for handle in handles:
            handle.remove()


def hooks_of(module: nn.Module) -> tuple[dict[int, Any], dict[int, Any]]:
    """Returns where a module keeps what `hooked` sets, the hooks before it runs first."""
    return module._forward_pre_hooks, module._forward_hooks


def every_hook_of(module: nn.Module) -> tuple[dict[int, Any], ...]:
    """Returns all places where a module keeps hooks, those on gradients too."""
    return (*hooks_of(module), module._backward_pre_hooks, module._backward_hooks)


def copied(network: AnyModule, shared: Iterable[Tensor] = ()) -> AnyModule:
    """Returns a copy of a network; hooks on its output and arguments belong to both, now and later.

    Args:
        network: the network.
        shared: parameters and buffers that belong to both as well.
    """
    hooks = (each for module in network.modules() for each in hooks_of(module))
    return copy.deepcopy(network, {id(each): each for each in chain(shared, hooks)})


def _if_marked(mark: object, act: Callable[[Any], Any]) -> Callable[..., Any]:
    def hook(*arguments: Any) -> Any:
        # The last argument is the output after a module, and its arguments before it.
        return act(arguments[-1]) if mark in _ACTIVE.get() else None

    return hook

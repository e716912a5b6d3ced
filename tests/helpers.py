"""Tiny networks and batches that several tests need."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from seq2see.nn.network import Network, Sizes
from seq2see.nn.recurrent import CellKind
from seq2see.nn.settings import RecurrentSettings, Settings, TransformerSettings
from seq2see.nn.tap import Tap

VOCABULARY = 11

Module = TypeVar("Module", bound=nn.Module)


def transformer_settings(**changes: Any) -> TransformerSettings:
    """Settings of a Transformer small enough for finite differences."""
    tiny = {"encoder_layers": 1, "decoder_layers": 1, "d_model": 8, "d_ff": 12, "heads": 2}
    return TransformerSettings(**(tiny | changes))


def recurrent_settings(kind: CellKind, **changes: Any) -> RecurrentSettings:
    """Settings of a recurrent network of the same size; embedding and state differ in width."""
    return RecurrentSettings(kind, **({"d_embedding": 6, "d_hidden": 5} | changes))


def randomised(module: Module, seed: int = 0) -> Module:
    """Draws every parameter anew, so that no bias is 0 and no gain is 1; double precision."""
    generator = torch.Generator().manual_seed(seed)
    module.double()
    for parameter in module.parameters():
        values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.data.copy_(values * 0.5)
    return module


def network(settings: Settings) -> Network:
    """A network with random parameters, in evaluation mode and double precision."""
    return randomised(Network(settings, Sizes(VOCABULARY, VOCABULARY))).eval()


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Draws from the standard normal distribution, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def tokens(rows: int, width: int, seed: int = 0) -> Tensor:
    """Draws token ids."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, VOCABULARY, (rows, width), generator=generator)


def same(a: Tensor, b: Tensor, tolerance: float = 1e-10) -> None:
    """Asserts that two tensors agree in shape, type and, within `tolerance`, values."""
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@contextmanager
def watched(module: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Watches every tap of `module` and collects what passes, by tap name."""
    seen: dict[str, list[Tensor]] = {}
    handles = []
    for name, tap in module.named_modules():
        if isinstance(tap, Tap):
            values = seen.setdefault(name, [])
            hook = lambda _tap, _args, value, values=values: values.append(value)  # noqa: E731
            handles.append(tap.register_forward_hook(hook))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def hooks_in(network: nn.Module) -> list[str]:
    """The modules that any hook stands at."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [
        name
        for name, module in network.named_modules()
        if any(getattr(module, kind) for kind in kinds)
    ]


def script(path: Path, name: str) -> ModuleType:
    """Loads a file that is no part of the package, under a name that hides no module of Python."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look up the module of a class
    spec.loader.exec_module(module)
    return module

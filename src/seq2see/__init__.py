"""From a file of pairs to a Transformer you can trust: train it, score it, look inside it, ship it.

import seq2see as s2s

model = s2s.train("pairs.tsv", minutes=10)
model.translate(["hello"])
model.evaluate("test.tsv")
model.save("my-model")
model = s2s.load("my-model")
"""

from __future__ import annotations

import types
from importlib import import_module
from typing import TYPE_CHECKING, Any

from seq2see import errors
from seq2see import train as _package

if TYPE_CHECKING:
    from seq2see.api.model import Model, load
    from seq2see.api.training import train
    from seq2see.look.ablate import ablate
    from seq2see.look.replace import replace
    from seq2see.nn import roles
    from seq2see.nn.roles import role
else:

    class _Train(types.ModuleType):
        """`seq2see.train` is a package and, as the face has it, a function."""

        def __call__(self, *args: Any, **options: Any) -> Any:
            from seq2see.api.training import train

            return train(*args, **options)

    _package.__class__ = _Train
    train = _package

__version__ = "0.1.0"
__all__ = ["Model", "__version__", "ablate", "errors", "load", "replace", "role", "roles", "train"]

_HOMES = {
    "Model": "seq2see.api.model",
    "load": "seq2see.api.model",
    "ablate": "seq2see.look.ablate",
    "replace": "seq2see.look.replace",
    "role": "seq2see.nn.roles",
}


def __getattr__(name: str) -> Any:
    # torch takes seconds to import, and `seq2see --help` does not need it.
    if name == "roles":
        return import_module("seq2see.nn.roles")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'seq2see' has no attribute {name!r}")

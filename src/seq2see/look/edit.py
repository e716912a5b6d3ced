"""A network that works differently for the length of one block, in one thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from seq2see.decode.translate import Translator
from seq2see.look.place import forgotten
from seq2see.nn.hooks import Hooks, hooked


@runtime_checkable
class Edit(Protocol):
    """A change of a network that can be described before there is a network."""

    def hooks(self, translator: Translator) -> Hooks:
        """Makes the hooks that carry it out.

        Raises:
            ConfigError: the network has no such part; the message gives the nearest name.
        """


@contextmanager
def edited(translator: Translator, edits: Sequence[Edit]) -> Iterator[None]:
    """Lets edits hold for the block, in the thread that entered it and in no other.

    All of them are made before the first of them holds, so that reference data is read by the
    network as it is around the block. Where two change the same value, the later one sees what the
    earlier one made of it. However the block ends, the network is as it was.

    Args:
        translator: whose network is edited; whatever else uses that network is edited too.
        edits: what `ablate` and `replace` return.

    Raises:
        ConfigError: a name or a head does not exist; the message gives the right ones. Or the model
            is an ensemble.
    """
    groups = [each.hooks(translator) for each in edits]
    with forgotten(), hooked(*groups):
        yield

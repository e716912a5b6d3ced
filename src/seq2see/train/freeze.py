"""Heads that training leaves as they are, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seq2see.errors import ConfigError
from seq2see.nn.network import Network
from seq2see.nn.slices import head_slices


class Frozen:
    """The parameters of heads that are not trained.

    Their gradients are cleared before the norm of the update is taken, and their values are put
    back after it, since weight decay moves what has no gradient.

    Args:
        network: a Transformer.
        masters: its weights by name, as the optimizer holds them.
        heads: which heads, as `encoder.0.self:2`.

    Raises:
        ConfigError: there is no such head, or it has no parameters to itself.
    """

    def __init__(
        self, network: Network, masters: Mapping[str, Tensor], heads: Sequence[str]
    ) -> None:
        self.parts = [
            (masters[part.name], part)
            for at, head in map(head_named, heads)
            for part in head_slices(network, at, head)
        ]
        self.remember()

    @torch.no_grad()
    def remember(self) -> None:
        """Takes the values of now as those that stay."""
        self.kept = [part.of(master).clone() for master, part in self.parts]

    @torch.no_grad()
    def clear_gradients(self) -> None:
        """Sets their gradients to zero."""
        for master, part in self.parts:
            if master.grad is not None:
                part.of(master.grad).zero_()

    @torch.no_grad()
    def put_back(self) -> None:
        """Gives them the values that stay."""
        for (master, part), kept in zip(self.parts, self.kept, strict=True):
            part.of(master).copy_(kept)


def head_named(text: str) -> tuple[str, int]:
    """Reads `encoder.0.self:2` as the attention and the head.

    Raises:
        ConfigError: it is malformed.
    """
    at, _, head = text.rpartition(":")
    if not at or not head.isdecimal():
        raise ConfigError(
            f"found {text!r}",
            expected="an attention and a head, as encoder.0.self:2",
            where="train.freeze",
        )
    return at, int(head)

"""Where the network is reading, for hooks that have to know: a tap sees only its own value.

Decoding step by step, the first position a tap sees is not the target's first; and a pattern does
not tell a weight that is 0 because it may not be from one that has come out as 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from seq2see.look.names import Attention
from seq2see.nn.hooks import Hooks
from seq2see.nn.network import Network
from seq2see.nn.places import Places, Reading, in_source
from seq2see.nn.state import TensorState
from seq2see.nn.state_attention import StateAttention

_START: ContextVar[int] = ContextVar("first target position", default=0)
_MASK: ContextVar[Tensor | None] = ContextVar("mask", default=None)
_ENCODING: ContextVar[Places | None] = ContextVar("an encoder's places", default=None)
_READING: ContextVar[Reading | None] = ContextVar("what a decoder reads", default=None)


def following_target(network: Network) -> Hooks:
    """Makes hooks that tell `positions` where in the target the network reads on."""

    def read(arguments: tuple[Any, ...]) -> None:
        _START.set(arguments[1])

    return Hooks(before=((network.target, read),))


def following_mask(attention: Attention) -> Hooks:
    """Makes hooks that keep `mask` up to date while the attention computes its pattern."""

    def read(arguments: tuple[Any, ...]) -> None:
        mask = arguments[3]
        _MASK.set(mask[:, None, None] if isinstance(attention, StateAttention) else mask)

    return Hooks(before=((attention, read),))


def following_reading(network: Network) -> Hooks:
    """Makes hooks that keep `places` up to date; while they stand, decoders keep their tokens."""
    ratio = getattr(network.settings, "length_ratio", 0.0) or 1.0

    def encode(arguments: tuple[Any, ...]) -> None:
        _, real, tokens = arguments
        _ENCODING.set(in_source(tokens, real))

    def decode(arguments: tuple[Any, ...]) -> None:
        state: TensorState = arguments[1]
        _READING.set(Reading(state, arguments[2], arguments[2].shape[1], ratio))

    return Hooks(before=((network.encoder, encode), (network.decoder, decode)))


@contextmanager
def forgotten() -> Iterator[None]:
    """Lets go of what was noted, at the end of the block."""
    try:
        yield
    finally:
        _START.set(0)
        _MASK.set(None)
        _ENCODING.set(None)
        _READING.set(None)


def mask() -> Bool[Tensor, "#row #head #query #key"]:
    """Returns where the queries may look in the attention that is running in this thread.

    A row of it may serve several rows in succession.
    """
    now = _MASK.get()
    assert now is not None
    return now


def places(attention: str) -> Places:
    """Returns the places of the attention of that name, which is running in this thread.

    A row of them is a row of its pattern: the hypotheses of a source have a row each.
    """
    if attention.startswith("encoder."):
        encoding = _ENCODING.get()
        assert encoding is not None
        return encoding
    reading = _READING.get()
    assert reading is not None
    if attention.endswith(".self"):
        return reading.own
    width = reading.state.width
    return reading.cross.repeated(width) if width > 1 else reading.cross


def positions(side: str, count: int, device: torch.device) -> Int[Tensor, " position"]:
    """Returns the positions of the `count` values that a tap is seeing on that side."""
    start = _START.get() if side == "target" else 0
    return torch.arange(start, start + count, device=device)

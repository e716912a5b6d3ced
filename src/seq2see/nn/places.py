"""Where queries and keys stand and which tokens they carry, for the roles of an attention."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from seq2see.nn.sides import Side
from seq2see.nn.state import Memory, TensorState

SOURCE, READ = "tokens", "read"
"""Under which names a decoder's state keeps the tokens of the source, and those read so far."""


@dataclass(frozen=True)
class Places:
    """The two sides of an attention as its roles see them.

    Args:
        q: the queries' side.
        k: the keys' side.
    """

    q: Side
    k: Side

    def side_by_side(self, width: int) -> Places:
        """Lays the queries of `width` successive rows side by side, as those of one source."""
        token = self.q.token
        if token is not None:
            token = token.reshape(len(token) // width, -1, 1)
        return Places(Side(self.q.pos.repeat(1, width, 1), self.q.length, token), self.k)

    def repeated(self, width: int) -> Places:
        """Gives each of `width` successive queries' rows its source's row of lengths and keys."""
        q = Side(self.q.pos, self.q.length.repeat_interleave(width, dim=0), self.q.token)
        token = self.k.token
        if token is not None:
            token = token.repeat_interleave(width, dim=0)
        return Places(q, Side(self.k.pos, self.k.length.repeat_interleave(width, dim=0), token))


@dataclass(frozen=True)
class Reading:
    """What a decoder reads at one call: the tokens, and what its state tells of those before.

    Args:
        state: the decoder's state before them.
        tokens: the new tokens; None where no role asks for tokens.
        count: how many new tokens there are.
        ratio: target tokens for one source token, which gives the length of a target that is not
            known yet.
    """

    state: TensorState
    tokens: Int[Tensor, "row target"] | None
    count: int
    ratio: float

    @property
    def own(self) -> Places:
        """The places of self-attention."""
        total = self.state.length + self.count
        positions = self._positions(0, total)
        length = (self._lengths * self.ratio).repeat_interleave(self.state.width)
        return Places(
            Side.queries(positions[self.state.length :], length, self.tokens),
            Side.keys(positions, length, so_far(self.state, self.tokens)),
        )

    @property
    def cross(self) -> Places:
        """The places of attention over the source; lengths and keys once a source."""
        start, lengths = self.state.length, self._lengths
        keys = self._positions(0, self.state.source["real"].shape[1])
        return Places(
            Side.queries(
                self._positions(start, start + self.count), lengths * self.ratio, self.tokens
            ),
            Side.keys(keys, lengths, self.state.source.get(SOURCE)),
        )

    @property
    def _lengths(self) -> Tensor:
        return self.state.source["real"].sum(1).float()

    def _positions(self, start: int, end: int) -> Tensor:
        return torch.arange(start, end, device=self.state.source["real"].device)


@dataclass(frozen=True)
class Keeping:
    """Decides whether a decoder's state keeps the tokens of the source and those read so far.

    It does where a role of the decoder compares tokens, and where somebody watches what the decoder
    reads; elsewhere the state is spared them.

    Args:
        always: whether a role of the decoder compares tokens.
    """

    always: bool

    def of_source(self, decoder: nn.Module, memory: Memory) -> dict[str, Tensor]:
        """Returns what the state is to keep of a source."""
        if memory.tokens is None or not (self.always or decoder._forward_pre_hooks):
            return {}
        return {SOURCE: memory.tokens}

    def of_target(
        self, decoder: nn.Module, state: TensorState, read: Int[Tensor, "row target"] | None
    ) -> dict[str, Tensor]:
        """Returns what the state is to keep of the tokens read after `state`."""
        if read is None or not (self.always or decoder._forward_pre_hooks):
            return {}
        all_read = so_far(state, read)
        return {} if all_read is None else {READ: all_read}


def so_far(
    state: TensorState, read: Int[Tensor, "row target"] | None
) -> Int[Tensor, "row all"] | None:
    """Returns all tokens read, those before `state` included; None where they were not kept."""
    past = state.tensors.get(READ)
    if read is None or past is None:
        # A state that began without its tokens cannot tell them later.
        return None if state.length else read
    return torch.cat([past, read], dim=1)


def in_source(tokens: Int[Tensor, "row source"] | None, real: Bool[Tensor, "row source"]) -> Places:
    """Returns the places of an encoder's self-attention."""
    positions = torch.arange(real.shape[1], device=real.device)
    lengths = real.sum(1).float()
    return Places(Side.queries(positions, lengths, tokens), Side.keys(positions, lengths, tokens))

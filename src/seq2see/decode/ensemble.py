"""Several networks that predict as one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seq2see.decode.search import Searchable
from seq2see.errors import DecodingError
from seq2see.nn.network import Network
from seq2see.nn.state import Memory, State

if TYPE_CHECKING:
    from seq2see.decode.narrowed import Narrowed


@dataclass(frozen=True)
class EnsembleState:
    """The members' states."""

    states: tuple[State, ...]

    def select(self, rows: Int[Tensor, " kept"], width: int = 1) -> EnsembleState:
        """Takes the given rows, in that order; see `State`."""
        return EnsembleState(tuple(state.select(rows, width) for state in self.states))


class Ensemble(nn.Module):
    r"""Averages the probabilities of its members, which may differ in architecture.

    $$\ln p(y \mid x) = \ln \frac{1}{M} \sum_m p_m(y \mid x)$$

    Args:
        members: networks with the same vocabularies.

    Raises:
        DecodingError: no member, or vocabularies of different sizes; name models that were trained
            with the same tokenizers.
    """

    def __init__(self, members: Sequence[Network] | Sequence[Narrowed]) -> None:
        super().__init__()
        sizes = {member.sizes for member in members}
        if len(sizes) != 1:
            found = " and ".join(f"{s.source}/{s.target}" for s in sorted(sizes, key=str))
            raise DecodingError(
                f"members with {found} source/target tokens" if sizes else "no member",
                expected="networks that share their vocabularies",
                where="ensemble",
                mend="Name models that were trained with the same tokenizers",
            )
        self.members = nn.ModuleList(members)

    def networks(self) -> list[Network]:
        """Lists the members, where all of them are networks."""
        return list(self.members)  # type: ignore[arg-type]

    def _each(self) -> list[Searchable]:
        return list(self.members)  # type: ignore[arg-type]

    def encode(
        self, source: Int[Tensor, "row source"], real: Bool[Tensor, "row source"]
    ) -> tuple[Memory, ...]:
        """Reads the sources with every member."""
        return tuple(member.encode(source, real) for member in self._each())

    def start(self, memory: tuple[Memory, ...]) -> EnsembleState:
        """Returns the members' states before the first token."""
        pairs = zip(self._each(), memory, strict=True)
        return EnsembleState(tuple(member.start(each) for member, each in pairs))

    def advance(
        self, tokens: Int[Tensor, " row"], state: EnsembleState
    ) -> tuple[tuple[Any, ...], EnsembleState]:
        """Reads one token a row with every member."""
        pairs = zip(self._each(), state.states, strict=True)
        steps = [member.advance(tokens, each) for member, each in pairs]
        states = EnsembleState(tuple(each for _, each in steps))
        return tuple(hidden for hidden, _ in steps), states

    def predictions(
        self, hidden: tuple[Any, ...], width: int = 1
    ) -> Iterator[Float[Tensor, "part vocabulary"]]:
        """Scores the next token of some rows at a time, by its log-probability."""
        pairs = zip(self._each(), hidden, strict=True)
        # Watched or not, members have to take as many rows at a time.
        each = [torch.cat([*member.predictions(one, width)]) for member, one in pairs]
        yield mean_probability([logits.log_softmax(-1) for logits in each])


def mean_probability(
    log_probabilities: Sequence[Float[Tensor, "*shape vocabulary"]],
) -> Float[Tensor, "*shape vocabulary"]:
    """Averages probabilities given and returned as logarithms."""
    if len(log_probabilities) == 1:
        return log_probabilities[0]
    total = torch.stack(list(log_probabilities)).logsumexp(0)
    return total - math.log(len(log_probabilities))

"""What pruning leaves of an attention: which heads stand, and whose keys and values they read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from seq2see.config import nearest
from seq2see.errors import ConfigError


@dataclass(frozen=True)
class KeptHeads:
    """The heads that stand of one attention, as a recipe writes them.

    Args:
        at: the attention, as `encoder.0.self`.
        heads: numbers of the heads that stand, in rising order, counted before any was cut.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # as in every table of a recipe

    at: str
    heads: tuple[int, ...]


@dataclass(frozen=True)
class Left:
    """What pruning left of an attention's heads.

    Args:
        numbers: the heads that stand, as they were counted before any was cut.
        among: how many there were.
        reads: for each head that stands, which of the standing key-value heads it reads.
    """

    numbers: tuple[int, ...]
    among: int
    reads: tuple[int, ...]

    def serve(self, keys: Tensor) -> Tensor:
        """Gives each head its keys or values: `[row, kv_head, key, d]` to `[row, head, key, d]`."""
        if self.reads == tuple(range(keys.shape[1])):
            return keys
        return keys[:, list(self.reads)]

    def own(self, bias: Tensor) -> Tensor:
        """Takes of a term for all heads, `[row, head, query, key]`, that of those that stand."""
        return bias[:, list(self.numbers)]


def shared(groups: Sequence[int]) -> tuple[list[int], tuple[int, ...]]:
    """Finds which groups of keys and values are still read.

    Args:
        groups: the group that each standing head reads.

    Returns:
        The groups, in rising order, and where each head's group stands among them.
    """
    read = sorted(set(groups))
    return read, tuple(read.index(group) for group in groups)


def check_kept(
    kept: Sequence[KeptHeads],
    attentions: Sequence[str],
    heads: int,
    *,
    projections: bool,
    value_projection: bool = True,
    programmed: Collection[str] = (),
) -> None:
    """Checks what a recipe says of the heads that stand.

    Args:
        kept: what it says.
        attentions: the names of the network's attentions.
        heads: how many heads each had.
        projections: whether heads have weights of their own.
        value_projection: whether their values have, too.
        programmed: the attentions that have heads with roles.

    Raises:
        ConfigError: an attention is unknown (the nearest one is named) or named twice, a head is
            out of range or out of order, there is nothing to cut, or the attention has heads with
            roles, which are told by their numbers.
    """
    where = "model.kept"
    if kept:
        _check_maps(projections, value_projection)
    named = [each.at for each in kept]
    for each in kept:
        if each.at not in attentions:
            mend = nearest(each.at, attentions)
            raise ConfigError("no attention of that name", where=f"{where}, {each.at}", mend=mend)
        if each.at in programmed:
            raise ConfigError(
                "an attention whose heads have roles keeps all of them",
                where=f"{where}, {each.at}",
                mend="Leave it out when pruning, with `at`",
            )
        if named.count(each.at) > 1:
            raise ConfigError("named twice", where=f"{where}, {each.at}", mend="Name it once")
        if list(each.heads) != sorted(set(each.heads) & set(range(heads))):
            raise ConfigError(
                f"found the heads {list(each.heads)}",
                expected=f"distinct numbers from 0 to {heads - 1}, in rising order",
                where=f"{where}, {each.at}",
            )


def _check_maps(projections: bool, value_projection: bool) -> None:
    if not projections:
        raise ConfigError(
            "without projections a head has no weights that could be cut",
            where="model.kept",
            mend="Leave model.kept out",
        )
    if not value_projection:
        raise ConfigError(
            "without a map to values their features stand in the vectors, where none can be cut",
            where="model.kept",
            mend="Leave model.kept out; heads can still be silenced, with `ablate`",
        )

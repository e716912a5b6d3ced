"""Which head is given which role, and how strongly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seq2see.config import nearest
from seq2see.errors import ConfigError
from seq2see.nn.roles import LINKS, named
from seq2see.nn.sides import Role

How = Literal["fixed", "bias", "init", "guided"]

_MEANT_FOR = {"gain": ("bias", "init"), "weight": ("guided",), "until": ("guided",)}
"""Which strengths a setting belongs to: elsewhere it would be ignored in silence."""


@dataclass(frozen=True)
class HeadRole:
    """Gives a head a role.

    Args:
        at: the attention, as `encoder.0.self` or `decoder.1.cross`.
        head: which of its heads, from 0.
        role: what it is to look at, as `previous`, `window(2)` or a role of your own; `links` are
            the alignments of `data.links`.
        how: `fixed`: the role takes the place of the head's pattern, and the head has no query and
            key; `bias`: it is added to the scores, times a gain that is trained; `init`: query and
            key read the positions alone and begin in the role; `guided`: a loss pulls the pattern
            towards it.
        gain: for `bias`, what the gain begins with; for `init`, how far the score of the place
            looked at stands above those beside it (for `gaussian`, times what its curve falls in
            one position).
        weight: of the loss of a guided head, beside a loss of 1 a target token.
        until: the last step in which a guided head is pulled; 0: it is never let go.
        shift: for `links`, whether a target token is aligned by the query that has read it, one
            later than the query that predicts it.
    """

    at: str
    head: int
    role: str
    how: How = "bias"
    gain: float = 6.0
    weight: float = 0.05
    until: int = 0
    shift: bool = False

    def __post_init__(self) -> None:
        for name in ("gain", "weight"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise self.error(f"{name} {value}", expected="a finite number above 0")
        if self.until < 0:
            raise self.error(f"until {self.until}", expected="a step, or 0 for never")
        for name, strengths in _MEANT_FOR.items():
            default = type(self).__dataclass_fields__[name].default
            if self.how not in strengths and getattr(self, name) != default:
                raise self.error(
                    f"{name} {getattr(self, name)} means nothing to a head that is {self.how}",
                    mend=f"Leave it out: it is for {' and '.join(strengths)}",
                )
        if self.role != LINKS:
            if self.shift:
                raise self.error("shift", mend="Leave it out: it is for the role links")
            self.function  # noqa: B018  # a misspelt role is an error here
            return
        if self.how != "guided" or not self.at.endswith(".cross"):
            raise self.error(
                "links are given for the training pairs alone, so that a head cannot look at them",
                mend='Use how = "guided", at an attention over the source such as decoder.0.cross',
            )

    @property
    def function(self) -> Role:
        """The role itself.

        Raises:
            UnknownRoleError: no such role has been defined.
            ConfigError: its arguments are wrong, or it is `links`, which are given with the data.
        """
        return named(self.role)

    @property
    def programmes(self) -> bool:
        """Whether the network itself differs by it; guidance is a matter of training alone."""
        return self.how != "guided"

    def error(self, found: str, *, expected: str = "", mend: str = "") -> ConfigError:
        """Makes an error that says where it stands."""
        where = f"model.roles, head {self.head} of {self.at}"
        return ConfigError(found, expected=expected, where=where, mend=mend)

    def __str__(self) -> str:
        strength = {
            "fixed": "fixed",
            "bias": f"bias, gain {self.gain:g}",
            "init": f"init, gain {self.gain:g}",
            "guided": f"guided, weight {self.weight:g}"
            + (f", until step {self.until:,}" if self.until else "")
            + (", shifted" if self.shift else ""),
        }[self.how]
        return f"head {self.head} of {self.at}: {self.role} ({strength})"


@dataclass(frozen=True)
class Frame:
    """What the heads of a network stand in, as far as a role depends on it.

    Args:
        attentions: the names of all attentions.
        heads: heads of each.
        d_key: features of a query or key.
        shared: whether several heads share one key and value.
        projections: whether queries and keys are linear maps.
        tied: whether one map serves both.
        positions: how a token knows where it stands.
        frequencies: how many sinusoids a position has (0: all).
    """

    attentions: Sequence[str]
    heads: int
    d_key: int
    shared: bool
    projections: bool
    tied: bool
    positions: str
    frequencies: int

    def check(self, roles: Sequence[HeadRole]) -> None:
        """Checks that every head named is there and can take on its role.

        Raises:
            ConfigError: it cannot; the message says why and what can be done.
        """
        taken = set()
        for each in roles:
            self._check_head(each)
            self._check_future(each)
            self._check_weights(each)
            if (each.at, each.head) in taken:
                raise each.error("two roles for one head", mend="Leave one of them out")
            taken.add((each.at, each.head))

    def _check_head(self, each: HeadRole) -> None:
        if each.at not in self.attentions:
            mend = nearest(each.at, self.attentions)
            raise each.error(f"no attention is named {each.at!r}", mend=mend)
        if not 0 <= each.head < self.heads:
            raise each.error(f"head {each.head}", expected=f"heads from 0 to {self.heads - 1}")

    def _check_future(self, each: HeadRole) -> None:
        decoder_self = each.at.startswith("decoder.") and each.at.endswith(".self")
        if not decoder_self:
            return
        if each.function.leaps_ahead:
            raise each.error(
                f"{each.role} looks at what the decoder has not read yet: under the causal mask"
                " nothing of it is left",
                mend="Take previous or self, or give the role to a head of the encoder",
            )
        if each.function.ends:
            raise each.error(
                f"{each.role} asks where the text ends, which a decoder does not know before it"
                " has written it",
                mend="Give the role to a head of the encoder or of an attention over the source",
            )

    def _check_weights(self, each: HeadRole) -> None:
        if each.how not in ("fixed", "init"):
            return
        if self.shared:
            raise each.error(
                f"{each.how} changes a head's own key, and here heads share their keys",
                mend="Leave model.kv_heads out, or use bias or guided",
            )
        if not self.projections:
            raise each.error(
                f"{each.how} changes the maps to query and key, and there are none",
                mend="Set model.projections=true, or use bias or guided",
            )
        if each.how == "init":
            self._check_init(each)

    def _check_init(self, each: HeadRole) -> None:
        if self.tied:
            raise each.error(
                "init writes different maps to query and key, and here one map serves both",
                mend="Set model.tied_query_key=false, or use bias, fixed or guided",
            )
        if self.frequencies:
            raise each.error(
                f"init reads all sinusoids of a position, and {self.frequencies} are left",
                mend="Leave model.frequencies out, or use bias, fixed or guided",
            )
        if self.positions != "sinusoidal":
            raise each.error(
                f"init turns the sinusoids of the positions, and they are {self.positions}",
                mend="Set model.positions=sinusoidal, or use bias",
            )
        if each.at.endswith(".cross"):
            raise each.error(
                "init needs one row of positions for queries and keys, and an attention over the"
                " source has two",
                mend="Use bias or guided",
            )
        if self.d_key < 2 or each.function.offset is None:
            raise each.error(
                f"{each.role} cannot be written into the maps of {self.d_key} features",
                expected="previous, next, self or gaussian, with at least 2 features",
                mend="Use bias, fixed or guided for other roles",
            )

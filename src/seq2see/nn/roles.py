"""Roles: functions of positions and tokens that say where a query ought to look."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, overload

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seq2see.config import nearest
from seq2see.errors import ConfigError

P = ParamSpec("P")

_AHEAD = 8
"""Positions on which a role is tried to see whether a causal mask leaves anything of it."""


@dataclass(frozen=True)
class Side:
    """The queries or the keys as a role sees them, shaped to broadcast against the other side.

    Args:
        pos: positions from 0; `[1, query, 1]` for queries, `[1, 1, key]` for keys.
        length: how many tokens each row has, end mark included, `[row, 1, 1]`. A decoder does not
            know how long its target will be: there it is the source's length times the corpus's
            ratio of target to source lengths, in training as in decoding.
        token: token ids, `[row, query, 1]` or `[row, 1, key]`. A decoder's queries and keys carry
            the token read at their position, not the one they predict.
    """

    pos: Int[Tensor, "1 query key"]
    length: Float[Tensor, "row 1 1"]
    token: Int[Tensor, "row query key"] | None = None

    @classmethod
    def queries(
        cls,
        pos: Int[Tensor, " query"],
        length: Float[Tensor, " row"],
        token: Int[Tensor, "row query"] | None = None,
    ) -> Side:
        """Shapes the queries' side."""
        shaped = None if token is None else token[:, :, None]
        return cls(pos[None, :, None], length[:, None, None], shaped)

    @classmethod
    def keys(
        cls,
        pos: Int[Tensor, " key"],
        length: Float[Tensor, " row"],
        token: Int[Tensor, "row key"] | None = None,
    ) -> Side:
        """Shapes the keys' side."""
        shaped = None if token is None else token[:, None, :]
        return cls(pos[None, None, :], length[:, None, None], shaped)


Weigh = Callable[[Side, Side], Tensor]
"""Gives each pair of a query and a key a weight, 0 or more; broadcasts to `[row, query, key]`."""


@dataclass(frozen=True)
class Role:
    """A named function of queries and keys.

    Args:
        name: how a recipe writes it, such as `window(2)`.
        weigh: the weights it gives.
        tokens: whether it compares tokens, so that `Side.token` is filled in.
    """

    name: str
    weigh: Weigh
    tokens: bool = False

    def __call__(self, q: Side, k: Side) -> Float[Tensor, "row query key"]:
        """Returns the weights as numbers, not yet masked and not normalised.

        Raises:
            ConfigError: the weights do not broadcast to queries and keys, or one is below 0 or not
                finite.
        """
        weights = torch.as_tensor(self.weigh(q, k)).to(torch.float32)
        shape = torch.broadcast_shapes(q.pos.shape, k.pos.shape, q.length.shape)
        if not bool((torch.isfinite(weights) & (weights >= 0)).all()):
            raise ConfigError(
                "a weight that is below 0 or not finite",
                expected="weights from 0 on, which are divided by their sum",
                where=f"role {self.name}",
            )
        try:
            return weights.broadcast_to(shape)
        except RuntimeError as error:
            raise ConfigError(
                f"weights of shape {list(weights.shape)}",
                expected=f"what broadcasts to [row, query, key], here {list(shape)}",
                where=f"role {self.name}",
            ) from error

    def __str__(self) -> str:
        return self.name

    @property
    def leaps_ahead(self) -> bool:
        """Whether all it looks at lies in the future, so that a causal mask leaves nothing."""
        if self.tokens:
            return False
        pos = torch.arange(_AHEAD)
        length = torch.tensor([float(_AHEAD)])
        weights = self(Side.queries(pos, length), Side.keys(pos, length))[0]
        return bool(weights.any()) and not bool(weights.tril().any())


_MAKERS: dict[str, Callable[..., Role]] = {}


@overload
def role(weigh: Weigh) -> Role: ...
@overload
def role(*, tokens: bool) -> Callable[[Weigh], Role]: ...
def role(weigh: Weigh | None = None, *, tokens: bool = True) -> Role | Callable[[Weigh], Role]:
    """Makes a role of a function of queries and keys, and lets recipes name it.

        @role
        def same_letter_before(q, k):
            return (q.token == k.token) & (k.pos < q.pos)

    A saved model holds the role's name and never its code: it opens where a role of that name has
    been defined.

    Args:
        weigh: the function; takes two `Side`s and returns weights, 0 or more.
        tokens: whether it reads `Side.token`; False spares keeping the tokens while decoding.
    """

    def made(function: Weigh) -> Role:
        new = Role(function.__name__, function, tokens)
        _MAKERS[new.name] = lambda: new
        return new

    return made if weigh is None else made(weigh)


def named(text: str) -> Role:
    """Returns the role that a recipe writes as `previous`, `window(2)` or `gaussian(1, width=2)`.

    Raises:
        ConfigError: there is no such role (the nearest one is named), or its arguments are wrong.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        call = tree if isinstance(tree, ast.Call) else ast.Call(tree, [], [])
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        values = [ast.literal_eval(value) for value in call.args]
        options = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise ConfigError(
            f"found {text!r}", expected="a role, as previous or window(2)", where="role"
        ) from error
    if name not in _MAKERS:
        hint = nearest(name, _MAKERS)
        mend = f"{hint}; or define it with @seq2see.role before the model is opened"
        raise ConfigError(f"no role is named {name or text!r}", where="role", mend=mend)
    try:
        return _MAKERS[name](*values, **options)
    except TypeError as error:
        given = inspect.signature(_MAKERS[name])
        raise ConfigError(f"found {text!r}", expected=f"{name}{given}", where="role") from error


def _listed(make: Callable[P, Role]) -> Callable[P, Role]:
    _MAKERS[make.__name__] = make
    return make


@_listed
def previous() -> Role:
    """Looks at the position before; the first query looks nowhere."""
    return Role("previous", lambda q, k: k.pos == q.pos - 1)


@_listed
def next() -> Role:
    """Looks at the position after; not for a decoder's self-attention, which has not read it."""
    return Role("next", lambda q, k: k.pos == q.pos + 1)


@_listed
def self() -> Role:
    """Looks at the query's own position."""
    return Role("self", lambda q, k: k.pos == q.pos)


@_listed
def first() -> Role:
    """Looks at the first position."""
    return Role("first", lambda _, k: k.pos == 0)


@_listed
def last() -> Role:
    """Looks at the last position, which holds the end mark; not for a decoder's self-attention."""
    return Role("last", lambda _, k: k.pos == k.length - 1)


@_listed
def window(size: int = 1) -> Role:
    """Looks alike at all positions at most `size` away."""
    return Role(f"window({size})", lambda q, k: (k.pos - q.pos).abs() <= size)


@_listed
def gaussian(offset: float = 0.0, width: float = 1.0) -> Role:
    r"""Looks at what stands `offset` positions after the query, and around it.

    $$R_{ij} = \exp(-(j - i - \mathrm{offset})^2 / 2\,\mathrm{width}^2)$$

    Source: You et al. 2020, section 3.
    """
    _check_above_zero("gaussian", width=width)

    def weigh(q: Side, k: Side) -> Tensor:
        return (-((k.pos - q.pos - offset) ** 2) / (2 * width**2)).exp()

    return Role(f"gaussian({offset}, {width})", weigh)


@_listed
def diagonal(width: float = 0.1) -> Role:
    r"""Looks at the same share of the way: for texts whose order is kept.

    $$R_{ij} = \exp(-(i/T - j/S)^2 / 2\,\mathrm{width}^2)$$

    with S keys and T queries. Source: Tachibana et al. 2018, section 3.2.

    Args:
        width: in shares of the length.
    """
    _check_above_zero("diagonal", width=width)

    def weigh(q: Side, k: Side) -> Tensor:
        return (-((q.pos / q.length - k.pos / k.length) ** 2) / (2 * width**2)).exp()

    return Role(f"diagonal({width})", weigh)


@_listed
def same_token() -> Role:
    """Looks at all positions that hold the query's own token."""

    def weigh(q: Side, k: Side) -> Tensor:
        assert q.token is not None
        assert k.token is not None
        return q.token == k.token

    return Role("same_token", weigh, tokens=True)


@_listed
def uniform() -> Role:
    """Looks alike everywhere."""
    return Role("uniform", lambda q, k: torch.ones_like(q.pos * k.pos))


def _check_above_zero(name: str, **values: float) -> None:
    for key, value in values.items():
        if not value > 0:
            raise ConfigError(f"found {value}", expected="above 0", where=f"role {name}, {key}")

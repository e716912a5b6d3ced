"""The roles there are: those that seq2see knows, and those that people define."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable
from typing import ParamSpec, overload

import torch
from torch import Tensor

from seq2see.config import nearest
from seq2see.errors import ConfigError
from seq2see.nn.sides import Role, Side, Weigh

P = ParamSpec("P")

LINKS = "links"
"""How a recipe names the alignments given with the data, which are no function of positions."""


class UnknownRoleError(ConfigError):
    """No role of that name has been defined."""


_MAKERS: dict[str, Callable[..., Role]] = {}
_OWN: set[str] = {LINKS}


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

    Raises:
        ConfigError: the function has the name of a role of seq2see's own; give it another.
    """

    def made(function: Weigh) -> Role:
        if function.__name__ in _OWN:
            raise ConfigError(
                f"{function.__name__} is a role of seq2see's own",
                where="@seq2see.role",
                mend="Give the function another name, since models name their roles",
            )
        new = Role(function.__name__, function, tokens)
        _MAKERS[new.name] = lambda: new
        return new

    return made if weigh is None else made(weigh)


def named(text: str) -> Role:
    """Returns the role that a recipe writes as `previous`, `window(2)` or `gaussian(1, width=2)`.

    Raises:
        UnknownRoleError: there is no such role; the message gives the nearest one.
        ConfigError: its arguments are wrong, or it is no role that is written there.
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
        mend = (
            f"{hint}{'' if hint.endswith('?') else '.'} Or define it by @seq2see.role before it is"
            " needed; in the shell: seq2see --roles FILE.py"
        )
        raise UnknownRoleError(f"no role is named {name or text}", where="role", mend=mend)
    given = inspect.signature(_MAKERS[name])
    try:
        given.bind(*values, **options)
    except TypeError as error:
        raise ConfigError(f"found {text!r}", expected=f"{name}{given}", where="role") from error
    return _MAKERS[name](*values, **options)


def _listed(make: Callable[P, Role]) -> Callable[P, Role]:
    _MAKERS[make.__name__] = make
    _OWN.add(make.__name__)
    return make


@_listed
def previous() -> Role:
    """Looks at the position before; the first query looks nowhere."""
    return Role("previous", lambda q, k: k.pos == q.pos - 1, offset=-1.0)


@_listed
def next() -> Role:
    """Looks at the position after; not for a decoder's self-attention, which has not read it."""
    return Role("next", lambda q, k: k.pos == q.pos + 1, offset=1.0)


@_listed
def self() -> Role:
    """Looks at the query's own position."""
    return Role("self", lambda q, k: k.pos == q.pos, offset=0.0)


@_listed
def first() -> Role:
    """Looks at the first position."""
    return Role("first", lambda _, k: k.pos == 0)


@_listed
def last() -> Role:
    """Looks at the last position, which holds the end mark; not for a decoder's self-attention."""
    return Role("last", lambda _, k: k.pos == k.length - 1, ends=True)


@_listed
def window(size: int = 1) -> Role:
    """Looks alike at all positions at most `size` away."""
    return Role(f"window({size})", lambda q, k: (k.pos - q.pos).abs() <= size)


@_listed
def gaussian(offset: int | float = 0.0, width: int | float = 1.0) -> Role:
    r"""Looks at what stands `offset` positions after the query, and around it.

    $$R_{ij} = \exp(-(j - i - \mathrm{offset})^2 / 2\,\mathrm{width}^2)$$

    Source: You et al. 2020, section 3.
    """
    _check_above_zero("gaussian", width=width)

    def weigh(q: Side, k: Side) -> Tensor:
        return (-((k.pos - q.pos - offset) ** 2) / (2 * width**2)).exp()

    drop = 1 - math.exp(-1 / (2 * width**2))
    return Role(f"gaussian({offset}, {width})", weigh, offset=float(offset), drop=drop)


@_listed
def diagonal(width: int | float = 0.1) -> Role:
    r"""Looks at the same share of the way: for texts whose order is kept.

    $$R_{ij} = \exp(-(i/T - j/S)^2 / 2\,\mathrm{width}^2)$$

    with S keys and T queries. Source: Tachibana et al. 2018, section 3.2.

    Args:
        width: in shares of the length.
    """
    _check_above_zero("diagonal", width=width)

    def weigh(q: Side, k: Side) -> Tensor:
        return (-((q.pos / q.length - k.pos / k.length) ** 2) / (2 * width**2)).exp()

    return Role(f"diagonal({width})", weigh, ends=True)


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


def _check_above_zero(name: str, **values: int | float) -> None:
    for key, value in values.items():
        if not value > 0:
            raise ConfigError(f"found {value}", expected="above 0", where=f"role {name}, {key}")

"""Roles by themselves: what each weighs, how it is named, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import seq2see
from seq2see.errors import ConfigError
from seq2see.nn import roles
from seq2see.nn.roles import UnknownRoleError, named
from seq2see.nn.sides import Role, Side, normalised

TOKENS = torch.tensor([[5, 6, 5, 7], [6, 6, 7, 5]])
LENGTHS = torch.tensor([4.0, 3.0])


def weights(text: str, queries: int = 4, keys: int = 4) -> Tensor:
    """What a role weighs in two rows, `[row, query, key]`."""
    q = Side.queries(torch.arange(queries), LENGTHS, TOKENS[:, :queries])
    k = Side.keys(torch.arange(keys), LENGTHS, TOKENS[:, :keys])
    found = named(text)(q, k)
    return found.expand(2, queries, keys)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("previous", [[], [0], [1], [2]]),
        ("next", [[1], [2], [3], []]),
        ("self", [[0], [1], [2], [3]]),
        ("first", [[0]] * 4),
        ("last", [[3]] * 4),
        ("window(1)", [[0, 1], [0, 1, 2], [1, 2, 3], [2, 3]]),
        ("uniform", [[0, 1, 2, 3]] * 4),
        ("same_token", [[0, 2], [1], [0, 2], [3]]),
    ],
)
def test_where_a_role_looks(text: str, keys: list[list[int]]) -> None:
    found = weights(text)[0]
    assert [row.nonzero()[:, 0].tolist() for row in found] == keys
    assert set(found.unique().tolist()) <= {0.0, 1.0}


def test_the_last_position_is_each_rows_own() -> None:
    assert weights("last")[1].argmax(-1).tolist() == [2] * 4


def test_gaussian_and_diagonal_by_hand() -> None:
    found = weights("gaussian(1, width=2)")[0]
    assert found[1, 2] == 1
    assert float(found[2, 1]) == pytest.approx(2.718281828 ** (-(2**2) / 8))
    slope = weights("diagonal(0.5)", queries=2)[1]
    assert float(slope[1, 3]) == pytest.approx(2.718281828 ** (-((1 / 3 - 3 / 3) ** 2) / 0.5))


def test_weights_stand_once_for_all_rows_where_rows_do_not_differ() -> None:
    q, k = Side.queries(torch.arange(4), LENGTHS), Side.keys(torch.arange(5), LENGTHS)
    assert named("previous")(q, k).shape == (1, 4, 5)
    assert named("last")(q, k).shape == (2, 4, 5)


def test_masked_weights_are_divided_by_their_sums_and_an_empty_row_stays_empty() -> None:
    given = torch.tensor([[1.0, 3.0, 4.0], [0.0, 0.0, 2.0]])
    mask = torch.tensor([[True, True, False]])
    assert normalised(given, mask).tolist() == [[0.25, 0.75, 0.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize("text", ["next", "gaussian(1)", "window(2)", "last", "previous", "first"])
def test_only_what_lies_ahead_entirely_leaps_ahead(text: str) -> None:
    assert named(text).leaps_ahead == (text == "next")


def test_a_role_of_ones_own_is_named_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "_MAKERS", dict(roles._MAKERS))

    @seq2see.role
    def same_before(q: Side, k: Side) -> Tensor:
        return (q.token == k.token) & (k.pos < q.pos)

    @seq2see.role(tokens=False)
    def far(q: Side, k: Side) -> Tensor:
        return (q.pos - k.pos).abs()

    assert isinstance(same_before, Role) and named("same_before") is same_before
    assert (same_before.tokens, far.tokens) == (True, False)
    assert weights("same_before").nonzero().tolist() == [[0, 2, 0], [1, 1, 0]]
    assert weights("far")[0, 0].tolist() == [0, 1, 2, 3]


def test_a_role_of_seq2sees_own_cannot_be_defined_anew() -> None:
    def previous(q: Side, k: Side) -> Tensor:
        return k.pos == q.pos

    with pytest.raises(ConfigError, match="another name"):
        seq2see.role(previous)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("previus", "Did you mean previous"),
        ("my_role", "define it"),
        ("window(1, 2)", r"window\(size"),
        ("gaussian(1, 0)", "above 0"),
        ("window[1]", "no role is named"),
        ("window(", r"as previous or window\(2\)"),
        ("window(size=open)", r"as previous or window\(2\)"),
    ],
)
def test_what_is_no_role_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        named(text)


def test_a_missing_definition_is_told_from_a_wrong_one() -> None:
    with pytest.raises(UnknownRoleError):
        named("my_role")


@pytest.mark.parametrize(
    ("weigh", "said"),
    [
        (lambda q, k: k.pos - q.pos, "below 0"),
        (lambda q, k: 1 / (k.pos - q.pos), "not finite"),
        (lambda q, k: torch.ones(5, 1, 1), r"shape \[5, 1, 1\]"),
        (lambda q, k: torch.ones(3), r"what broadcasts to \[row, query, key\], here \[2, 4, 4\]"),
    ],
)
def test_malformed_weights_are_refused(weigh: object, said: str) -> None:
    wrong = Role("wrong", weigh)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=said):
        wrong(Side.queries(torch.arange(4), LENGTHS), Side.keys(torch.arange(4), LENGTHS))


def test_a_comparison_of_the_sides_themselves_is_refused() -> None:
    pos, length = torch.arange(3), torch.tensor([3.0])
    mistaken = Role("mistaken", lambda q, k: k == 1)  # type: ignore[arg-type, return-value]
    with pytest.raises(ConfigError, match=r"mistaken.*Compare k\.pos"):
        mistaken(Side.queries(pos, length), Side.keys(pos, length))

"""Heads held against the roles that they were given: patterns known by hand, and plain loops."""

from __future__ import annotations

import math

import pytest
from handmade import ENCODER, handmade
from handmade import PAIRS as COPIED
from opened import PAIRS, SETTINGS, opened

from helpers import transformer_settings
from seq2see.data.pairs import Pair
from seq2see.look.given import Held, held
from seq2see.look.trace import trace
from seq2see.nn import roles
from seq2see.nn.plan import HeadRole


def one(model, role: HeadRole, pairs=PAIRS) -> Held:
    [found] = held(model, pairs, [role]).values()
    return found


def test_heads_that_do_their_role_and_heads_that_do_not() -> None:
    model = handmade()  # its head 0 looks at the previous token, head 3 at the first
    found = held(
        model,
        COPIED,
        [HeadRole(ENCODER, 0, "previous"), HeadRole(ENCODER, 3, "previous", "guided")],
    )
    assert found[ENCODER, 0].match == pytest.approx(1.0)
    assert found[ENCODER, 0].kept and not found[ENCODER, 3].kept
    # The second token's previous one is the first.
    keys = [len(pair.source) for pair in COPIED]  # queries that have a token before them
    assert found[ENCODER, 3].match == pytest.approx(len(keys) / sum(keys), abs=1e-6)
    even = sum(n / (n + 1) for n in keys) / sum(keys)
    assert found[ENCODER, 3].even == pytest.approx(even, abs=1e-6)


FIXED = (
    HeadRole("encoder.0.self", 0, "window(1)", "fixed"),
    HeadRole("encoder.0.self", 1, "uniform", "fixed"),
    HeadRole("encoder.0.self", 2, "gaussian(1, width=2)", "fixed"),
    HeadRole("encoder.0.self", 3, "same_token", "fixed"),
    HeadRole("decoder.0.self", 0, "same_token", "fixed"),
    HeadRole("decoder.0.cross", 0, "diagonal(0.1)", "fixed"),
)


def test_a_fixed_head_matches_its_role_wholly() -> None:
    """In a decoder too, whose role reads the length that the network expects, not the true one."""
    model = opened(transformer_settings(heads=4, length_ratio=0.5, roles=FIXED))
    found = held(model, PAIRS, FIXED)
    assert list(found) == [(each.at, each.head) for each in FIXED]
    for each in found.values():
        assert each.match == pytest.approx(1.0) and each.gain == pytest.approx(1.0) and each.kept


def test_a_weak_bias_is_not_the_role() -> None:
    weak = HeadRole("encoder.0.self", 1, "next", gain=1e-3)
    model = opened(transformer_settings(roles=(weak,)))
    assert not one(model, weak).kept


def test_where_a_role_says_where_the_weight_there_counts() -> None:
    model = opened("transformer")
    matches, evens = [], []
    for pair in PAIRS:
        pattern = trace(model, [pair])["encoder.1.self.pattern"][0, 1].tolist()
        for i, row in enumerate(pattern):
            near = [j for j in range(len(row)) if abs(i - j) <= 1]
            matches.append(sum(row[j] for j in near))
            evens.append(len(near) / len(row))
    found = one(model, HeadRole("encoder.1.self", 1, "window(1)"))
    assert found.match == pytest.approx(sum(matches) / len(matches), abs=1e-5)
    assert found.even == pytest.approx(sum(evens) / len(evens), abs=1e-5)


def test_where_a_role_says_how_much_what_both_share_counts() -> None:
    @roles.role(tokens=False)
    def twice_ahead(q, k):
        return (k.pos > q.pos) * 1.0 + (k.pos == q.pos + 1) * 1.0

    model = opened("transformer")
    matches = []
    for pair in PAIRS:
        pattern = trace(model, [pair])["encoder.0.self.pattern"][0, 0].tolist()
        for i, row in enumerate(pattern[:-1]):  # the last query has nothing ahead
            wanted = [(j > i) * 1.0 + (j == i + 1) * 1.0 for j in range(len(row))]
            shares = [weight / sum(wanted) for weight in wanted]
            matches.append(sum(map(min, row, shares)))
    found = one(model, HeadRole("encoder.0.self", 0, "twice_ahead", "guided"))
    assert found.match == pytest.approx(sum(matches) / len(matches), abs=1e-5)


def test_an_even_look_is_told_from_a_look_at_one_key() -> None:
    """The weight on all keys is always 1, so that it could tell nothing."""
    found = one(handmade(), HeadRole(ENCODER, 0, "uniform"), COPIED)  # it looks at one key
    assert found.even == pytest.approx(1.0)
    assert not found.kept and found.gain == pytest.approx(0.0, abs=0.2)
    assert Held(0.9, 1.0, 0.2).gain == pytest.approx(0.875)


def test_links_are_no_function_of_positions() -> None:
    assert (
        held(opened("transformer"), PAIRS, [HeadRole("decoder.0.cross", 0, "links", "guided")])
        == {}
    )


def test_a_role_that_says_nothing_of_any_query_matches_nothing() -> None:
    found = one(
        opened("transformer"), HeadRole("encoder.0.self", 0, "window(-1)"), [Pair("a", "b")]
    )
    assert math.isnan(found.match) and not found.kept


def test_every_architecture_s_programmed_heads_are_found() -> None:
    settings = SETTINGS["programmed"]
    found = held(opened("programmed"), PAIRS, settings.roles)
    for role in settings.roles:
        assert role.how != "fixed" or found[role.at, role.head].match == pytest.approx(1.0)

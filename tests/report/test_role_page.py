"""Heads that were given roles: fixed ones are counted apart, the others held against their own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fixtures import copying, joint
from helpers import recurrent_settings, transformer_settings
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import Translator
from seq2see.look.heads import HeadOptions, heads
from seq2see.nn import roles
from seq2see.nn.network import Network, Sizes
from seq2see.nn.plan import HeadRole
from seq2see.report.pages import role

PAIRS = copying(12)
TOKENIZERS = joint(PAIRS)


@roles.role(tokens=False)
def from_the_end(q, k):
    return k.pos == k.length - 1 - q.pos


FIXED = (
    HeadRole("encoder.0.self", 0, "same_token", "fixed"),
    HeadRole("encoder.0.self", 1, "window(1)", "fixed"),
    HeadRole("encoder.0.self", 2, "uniform", "fixed"),
    HeadRole("encoder.0.self", 3, "gaussian(1, width=0.3)", "fixed"),
    HeadRole("decoder.0.cross", 0, "diagonal(0.1)", "fixed"),
    HeadRole("decoder.0.cross", 1, "from_the_end", "fixed"),
)
WEAK = HeadRole("decoder.0.self", 0, "first", gain=1e-3)
STRONG = HeadRole("decoder.0.self", 1, "previous", gain=50.0)


def opened(*given: HeadRole, settings: Any = None) -> SimpleNamespace:
    """A stand-in for a subject: a network with random parameters, whose heads have roles."""
    torch.manual_seed(0)
    size = TOKENIZERS.source.size
    chosen = settings or transformer_settings(heads=4, length_ratio=1.5, roles=given)
    network = Network(chosen, Sizes(size, size)).eval()
    translator = Translator([network], TOKENIZERS, SearchOptions(beam=2))
    table = heads(translator, PAIRS, HeadOptions()) if given else None
    return SimpleNamespace(network=network, translator=translator, averaged=PAIRS, heads=table)


def rows(page) -> list[dict[str, str]]:
    [figure] = page.figures
    return [dict(zip(figure.table.heads, row, strict=True)) for row in figure.table.rows]


def test_fixed_heads_are_in_their_roles_and_a_weak_bias_is_not() -> None:
    page = role.page(opened(*FIXED, WEAK))
    assert page.answer.startswith(
        "7 heads were given a role: 6 are fixed, and in their roles by construction; the other,"
        " which could leave its own, is not found in it after training; "
    )
    *bound, weak = rows(page)
    assert [row["match"] for row in bound] == ["1.00"] * len(FIXED)
    assert {row["in it"] for row in bound} == {"always"} and weak["in it"] == "no"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((STRONG,), "1 head was given a role: it could leave it, and is found in it after"),
        ((WEAK,), "1 head was given a role: it could leave it, and is not found in it after"),
        ((WEAK, STRONG), "all could leave theirs, and 1 of 2 is found in theirs after training"),
        (FIXED[:1], "1 head was given a role: it is fixed, and in its role by construction; "),
        (FIXED[:2], "2 heads were given a role: all are fixed, and in their roles by constr"),
        ((*FIXED[:1], WEAK, STRONG), "of the 2 others, which could leave theirs, 1 is found in"),
        (
            (*FIXED[:1], HeadRole("decoder.0.cross", 1, "links", "guided")),
            "1 is fixed, and in its role by construction; 1 is guided by the data's links, and not",
        ),
    ],
)
def test_the_sentence_counts_each_kind_apart(given, sentence: str) -> None:
    answer = role.page(opened(*given)).answer
    assert sentence in answer
    assert answer.endswith(f" of {len(given)} would surely be missed.")


def test_who_has_no_roles_is_told_why() -> None:
    recurrent = role.page(opened(settings=recurrent_settings("gru", attention="none")))
    assert "wall" not in recurrent.why and "recurrent" in recurrent.why
    assert "on the wall" in role.page(opened(settings=transformer_settings())).why

"""The tables of the pages list what the source has, no more and no less."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import get_args

import pytest

from seq2see.data.diagnosis import findings_of
from seq2see.data.tokenizers import TokenKind
from seq2see.evaluate.metrics import METRICS
from seq2see.nn.feedforward import FeedForwardKind
from seq2see.nn.norms import NormKind
from seq2see.nn.settings import CellKind, Tied
from seq2see.nn.state_attention import ScoreKind
from seq2see.recipe.draft import PRESETS
from seq2see.recipe.sections import Choice

DOCS = Path(__file__).parents[2] / "docs"


def rows(page: str, head: str) -> list[list[str]]:
    """The cells of every table whose first head is `head`."""
    text = (DOCS / page).read_text(encoding="utf-8")
    tables = re.findall(rf"^\| {head} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    lines = "".join(tables).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_finding_of_the_doctor_is_explained_with_its_severity() -> None:
    facts: dict[str, object] = defaultdict(int, against="test.tsv")
    there = {f"`{each.name}`": each.severity for each in findings_of({}, facts, None)}
    assert {row[0]: row[1] for row in rows("data.md", "finding")} == there


def test_every_metric_is_explained() -> None:
    assert sorted(row[0] for row in rows("metrics.md", "name")) == sorted(f"`{m}`" for m in METRICS)


def test_every_preset_is_explained() -> None:
    assert [row[0] for row in rows("recipes.md", "preset")] == [f"`{name}`" for name in PRESETS]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("TokenKind", TokenKind),
        ("Choice", Choice),
        ("FeedForwardKind", FeedForwardKind),
        ("NormKind", NormKind),
        ("Tied", Tied),
        ("CellKind", CellKind),
        ("ScoreKind", ScoreKind),
    ],
)
def test_every_value_of_a_named_type_is_listed(name: str, kind: object) -> None:
    values = {row[0]: row[1].partition(" (")[0] for row in rows("recipes.md", "type")}
    assert values[f"`{name}`"] == ", ".join(f"`{value}`" for value in get_args(kind))

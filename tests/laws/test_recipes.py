"""Every recipe can be read and says what it costs and what it gives."""

from __future__ import annotations

import re
import tomllib
from itertools import takewhile
from pathlib import Path

import pytest

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
SAID = {
    "command": r"seq2see \w+ .+",
    "hardware": r".+",
    "minutes": r"\d+(\.\d+)?\b.*",
    "score": r".*\d.*",
}


def missing_from_header(text: str) -> list[str]:
    """What the comment at the top leaves unsaid, of command, hardware, minutes and score."""
    header = "\n".join(takewhile(lambda line: line.startswith("#"), text.splitlines()))
    return [
        name
        for name, value in SAID.items()
        if not re.search(rf"^# {name}: +{value}$", header, re.MULTILINE)
    ]


def test_there_are_recipes() -> None:
    assert RECIPES


def test_every_recipe_is_toml() -> None:
    for recipe in RECIPES:
        assert tomllib.loads(recipe.read_text(encoding="utf-8")), recipe.name


def test_every_recipe_opens_with_what_it_costs_and_gives() -> None:
    missing = {each.name: missing_from_header(each.read_text("utf-8")) for each in RECIPES}
    assert {name: lines for name, lines in missing.items() if lines} == {}


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        (
            "# command: seq2see train recipes/a.toml\n# hardware: 2 CPU cores\n"
            "# minutes: 4\n# score: WER 22.1 on dev.tsv\nseed = 1\n",
            [],
        ),
        ("# hardware: 2 cores\n# minutes: some\n# score: good\n", ["command", "minutes", "score"]),
        ("seed = 1\n# minutes: 4\n", ["command", "hardware", "minutes", "score"]),
    ],
)
def test_a_silent_header_is_recognised(header: str, missing: list[str]) -> None:
    assert missing_from_header(header) == missing

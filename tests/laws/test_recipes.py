"""Every recipe can be resolved and says what it costs and what it gives."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import pytest

from fixtures import copying
from seq2see.errors import ConfigError
from seq2see.recipe.choose import choose
from seq2see.recipe.draft import draft
from seq2see.recipe.sections import Recipe
from seq2see.recipe.survey import survey

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


def resolved(recipe: Path) -> Recipe:
    """Completes a recipe from pairs of a word and itself, which both sides would cut alike."""
    return choose(draft(recipe, []), survey(copying(50)))[0]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_recipe_can_be_resolved(recipe: Path) -> None:
    whole = resolved(recipe)
    assert Recipe.from_tree(whole.as_tree()) == whole


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[train]\nstepps = 5\n", "stepps"),
        ('[model]\nkind = "bilstm+additive"\nheads = 4\n', "heads"),
        ('[data]\nsource = "characters"\ntarget = "words"\njoint = true\n', "joint"),
        ("[training]\nsteps = 5\n", "training"),
    ],
)
def test_a_recipe_at_odds_is_recognised(text: str, fault: str, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=fault):
        resolved(recipe)


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

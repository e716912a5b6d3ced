"""The page of the commands names every option there is, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from seq2see.cli import build

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## seq2see (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = get_command(build()).commands  # type: ignore[attr-defined]


def test_every_command_has_its_section() -> None:
    assert sorted(SECTIONS) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_a_section_names_exactly_the_options_of_its_command(name: str) -> None:
    there = {opt for each in COMMANDS[name].params for opt in each.opts if opt.startswith("--")}
    tables = "".join(line for line in SECTIONS[name].splitlines() if line.startswith("| `"))
    named = {word for cell in re.findall(r"\| (`[^|]*) \|", tables) for word in options_in(cell)}
    assert named == there - {"--help"}


def options_in(text: str) -> list[str]:
    return re.findall(r"--[a-z][a-z-]*", text)

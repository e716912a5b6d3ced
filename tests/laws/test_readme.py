"""README, docs and changelog say what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fixtures import words, write_tsv
from seq2see.api import training
from seq2see.data.pairs import Pair

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|(?:src|href)=\"([^\"]+)\"")
TINY = ("model.d_model=16", "model.d_ff=32", "model.heads=2", "train.steps=5")
"""Narrow and short; the layers stay, because the README looks into one of them."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_blocks(text: str) -> list[tuple[str, str]]:
    """(language, code) of each fenced block."""
    return FENCE.findall(text)


def relative_links(text: str) -> list[str]:
    """Targets of links and pictures outside code that name a file, without their anchors."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
    targets = [markdown or html for markdown, html in LINK.findall(prose)]
    local = [target for target in targets if not re.match(r"[a-z]+:|#|//", target)]
    return [target.partition("#")[0] for target in local]


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_readme_shows_the_command(command: str) -> None:
    lines = [line for _, code in code_blocks(text_of("README.md")) for line in code.splitlines()]
    assert command in [line.removeprefix("$ ").partition("#")[0].strip() for line in lines]


def python_of_readme() -> str:
    [code] = [code for kind, code in code_blocks(text_of("README.md")) if kind == "python"]
    return code


def test_the_python_of_readme_runs_and_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = training.train

    def tiny(data: str, *assignments: str, **options: Any) -> Any:
        assert options.pop("minutes") > 0
        return real(data, *assignments, *TINY, **options)

    monkeypatch.setattr(training, "train", tiny)
    monkeypatch.chdir(tmp_path)
    pairs = [Pair(word, " ".join(word.upper())) for word in words(80, letters="transfomeigh")]
    write_tsv(tmp_path / "pairs.tsv", pairs)
    names: dict[str, Any] = {}
    exec(compile(python_of_readme(), "README.md", "exec"), names)
    best, printed = names["best"], capsys.readouterr().out.splitlines()
    assert best.pattern.shape == (len(best.tokens), len(best.source_tokens))
    assert printed[0] == repr([best.text])
    assert str(best.tokens) in printed
    assert str(best.source_tokens) in printed
    shapes = [line for line in printed if line.startswith("torch.Size")]
    assert shapes
    for shape in shapes:  # [row, head, query, key]
        assert re.fullmatch(r"torch\.Size\(\[\d+, 2, 1, \d+\]\)", shape)
    assert (tmp_path / "pronouncer" / "model.safetensors").is_file()


def test_no_figure_of_readme_is_left_open() -> None:
    assert re.findall(r"\{\{.*", text_of("README.md")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = relative_links(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_a_link_is_recognised() -> None:
    text = '[a](b.md#c) ![d](e.svg "f") <img src="g.png"> [h](https://i.j) [k](#l) `[m](n)`'
    assert relative_links(text) == ["b.md", "e.svg", "g.png"]


def test_the_newest_version_of_the_changelog_is_the_packages() -> None:
    versions = re.findall(r"^## \[(\d[^\]]*)\]", text_of("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == tomllib.loads(text_of("pyproject.toml"))["project"]["version"]

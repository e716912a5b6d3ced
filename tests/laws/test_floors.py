"""The floors of the house: who may import whom, where the equation stands, what never enters."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "seq2see"

PICKLES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
UNPICKLERS = {"torch.load", "torch.save"}


def names_of(node: ast.AST) -> set[str]:
    """The dotted names that an import statement or an attribute brings into play."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return {ast.unparse(node)} if isinstance(node, ast.Attribute) else set()


def applies_softmax(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return ast.unparse(node.func).rpartition(".")[2] in {"softmax", "Softmax"}


def can_unpickle(node: ast.AST) -> bool:
    names = names_of(node)
    if isinstance(node, ast.Import | ast.ImportFrom):
        names |= {name.partition(".")[0] for name in names}
    allows = (
        isinstance(node, ast.keyword)
        and node.arg == "allow_pickle"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    )
    return allows or bool(names & (PICKLES | UNPICKLERS))


def places(root: Path, offends: Callable[[ast.AST], bool]) -> list[str]:
    """`file:line` of every node under `root` that offends."""
    return [
        f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"
        for path in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if offends(node)
    ]


def test_imports_only_point_down() -> None:
    linter = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert linter.returncode == 0, linter.stdout + linter.stderr


def test_the_attention_equation_stands_in_one_file() -> None:
    found = {place.partition(":")[0] for place in places(SOURCE / "nn", applies_softmax)}
    assert found == {"nn/attention.py"}


def test_opening_a_file_runs_none_of_its_code() -> None:
    assert places(SOURCE, can_unpickle) == []


@pytest.mark.parametrize(
    ("line", "offends"),
    [
        ("import pickle", True),
        ("from pickle import loads", True),
        ("import torch; torch.load('x')", True),
        ("from torch import save", True),
        ("numpy.load(path, allow_pickle=True)", True),
        ("numpy.load(path, allow_pickle=False)", False),
        ("import torch; model.load('x')", False),
    ],
)
def test_a_pickle_is_recognised(line: str, offends: bool) -> None:
    assert any(can_unpickle(node) for node in ast.walk(ast.parse(line))) is offends


@pytest.mark.parametrize(
    ("line", "applies"),
    [
        ("torch.softmax(x, -1)", True),
        ("F.softmax(x, dim=-1)", True),
        ("x.softmax(-1)", True),
        ("nn.Softmax(-1)", True),
        ("x.log_softmax(-1)", False),
    ],
)
def test_a_softmax_is_recognised(line: str, applies: bool) -> None:
    assert any(applies_softmax(node) for node in ast.walk(ast.parse(line))) is applies

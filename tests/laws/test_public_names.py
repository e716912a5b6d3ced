"""What `import seq2see` hands out. A name added or lost here is a change of the public face."""

from __future__ import annotations

import tomllib
from pathlib import Path

import seq2see

PUBLIC_NAMES = [
    *("load", "train", "Model", "ablate", "replace", "role", "roles", "__version__", "errors"),
]


def test_the_public_names_are_these() -> None:
    assert sorted(seq2see.__all__) == sorted(PUBLIC_NAMES)


def test_every_public_name_is_there() -> None:
    assert [name for name in PUBLIC_NAMES if not hasattr(seq2see, name)] == []


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert seq2see.__version__ == project["project"]["version"]

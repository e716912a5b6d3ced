"""The pinned environment installs on the oldest Python that seq2see says it runs on."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
OLDEST = "3.11.0"


def test_every_pin_accepts_the_oldest_python() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    asked = {name: distribution(name).metadata["Requires-Python"] for name in pins}
    refuse = {
        f"{name}=={pins[name]}": python
        for name, python in asked.items()
        if python and not SpecifierSet(python).contains(OLDEST)
    }
    assert len(pins) > 50
    assert not refuse, f"pins that need a later Python than {OLDEST}: {refuse}"


def test_the_oldest_python_is_the_one_of_the_project_and_of_make() -> None:
    assert f'requires-python = ">={OLDEST.removesuffix(".0")}"' in (
        ROOT / "pyproject.toml"
    ).read_text(encoding="utf-8")
    assert f"OLDEST := {OLDEST}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")

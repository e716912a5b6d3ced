"""What a study says it holds fixed is so in the recipes that its conditions come to."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from seq2see.api.training import write_draft
from seq2see.recipe.run import plan
from seq2see.study.catalogue import NAMES, find
from seq2see.study.material import LINKS, supply
from seq2see.study.plan import Condition, Study

FEW = 120
DERIVED = ("data.train", "data.dev", "data.links", "model.length_ratio")
"""What is named after the files, or read off the pairs."""

VARIED = {
    "far": ("model.",),
    "explanation": ("model.",),
    "recall": ("model.",),
    "raw": ("data.target", "data.joint", "model.tied"),
}
"""Studies of architectures differ in what an architecture has, for their sizes see below; that of
several tasks in how an answer of one word is cut."""


def flat(tree: dict[str, Any]) -> dict[str, str]:
    return {f"{part}.{key}": str(value) for part in ("data", "model", "train")
            for key, value in tree[part].items()}  # fmt: skip


def recipes(study: Study, folder: Path) -> dict[str, dict[str, str]]:
    """Resolves every condition; pairs are few, except where their number is what is varied."""

    @cache
    def resolved(sizes: tuple[tuple[str, Any], ...], settings: tuple[str, ...]) -> dict[str, str]:
        small = replace(study.material, train=FEW, dev=10, test=1)
        drawn = supply(small, dict(sizes), 1, None, folder / "pairs")
        said = tuple(each.replace(LINKS, drawn.train_links) for each in settings)
        return flat(plan(write_draft(drawn.train, said, dev=drawn.dev, seed=1))[0].as_tree())

    def one(each: Condition) -> dict[str, str]:
        sizes = {k: min(v, 2000) if k == "train" else v for k, v in each.sizes.items()}
        return resolved(tuple(sizes.items()), (*study.settings, *each.settings))

    return {each.name: one(each) for each in study.conditions()}


def differing(found: dict[str, dict[str, str]]) -> set[str]:
    """Lists the settings in which conditions differ that both have."""
    keys = {key for each in found.values() for key in each}
    return {key for key in keys if len({each[key] for each in found.values() if key in each}) > 1}


@pytest.mark.parametrize("name", NAMES)
def test_conditions_differ_in_what_they_set_and_in_nothing_else(name: str, tmp_path: Path) -> None:
    study = find(name)
    set_by_levels = {
        text.partition("=")[0] for each in study.conditions() for text in each.settings
    }
    free = (*set_by_levels, *DERIVED, *VARIED.get(name, ()))
    found = recipes(study, tmp_path)
    left = {key for key in differing(found) if not key.startswith(free)}
    assert not left
    for each in found.values():
        assert each["data.copies"] == ("0" if study.drawn else "8")
        assert {each["data.source"], each["data.target"]} <= {"words", "characters"}


def test_architectures_are_compared_at_one_width_and_one_rate(tmp_path: Path) -> None:
    for name in ("far", "explanation", "recall"):
        for condition, each in recipes(find(name), tmp_path).items():
            width = condition.split(",")[0].split()[-1] if name == "recall" else "64"
            assert each.get("model.d_hidden", each.get("model.d_model")) == width, condition
            assert each["train.rate"] == "0.002", condition
            assert name == "explanation" or each["model.dropout"] == "0.0", condition


def test_own_data_take_neither_the_sizes_nor_the_cut_of_a_task() -> None:
    assert [factor.name for factor in find("far:own").factors] == ["model"]
    assert [factor.name for factor in find("functions:own").factors] == ["attention", "pairs"]
    for name in NAMES:
        for condition in find(f"{name}:own").conditions():
            assert not [text for text in condition.settings if text.startswith("data.source")]
            assert "data.copies=0" not in condition.settings

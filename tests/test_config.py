"""Strict configuration: nothing is ignored, and the nearest right key is named."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2see.config import nearest, override, parse, read_toml
from seq2see.errors import ConfigError

NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)


@dataclass(frozen=True)
class Oven:
    degrees: int = 180
    fan: bool = False
    mode: Literal["bake", "grill"] = "bake"
    minutes: float = 10.0

    def __post_init__(self) -> None:
        if self.degrees > 300:
            raise ConfigError(f"found {self.degrees}", where="oven.degrees")


def test_nearest_names_one_choice_or_lists_all() -> None:
    assert nearest("degres", ["degrees", "fan"]) == "Did you mean degrees?"
    assert nearest("xyz", ["fan", "degrees"]) == "Choose one of: degrees, fan"


@pytest.mark.parametrize(
    ("word", "near"),
    [("blue", "bleu"), ("BLEU", "bleu"), ("sacrebleu", "bleu"), ("chrF++", "chrf"), ("par", "per")],
)
def test_nearest_looks_past_capitals_and_additions(word: str, near: str) -> None:
    assert nearest(word, ["bleu", "bleu-tok", "chrf", "wer", "per"]) == f"Did you mean {near}?"


def test_parse_fills_the_defaults() -> None:
    assert parse(Oven, {"degrees": 200, "minutes": 5}, "oven") == Oven(200, minutes=5.0)


def test_an_unknown_setting_names_its_place_and_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Oven, {"degres": 200}, "oven")
    assert caught.value.where == "oven.degres"
    assert "degrees" in caught.value.mend


def test_a_hint_ends_in_one_mark() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Oven, {"degres": 200}, "oven")
    assert str(caught.value).endswith("Did you mean degrees?")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("degrees", "hot", "integer"),
        ("degrees", 1.5, "integer"),
        ("fan", "perhaps", "boolean"),
        ("mode", "fry", "'bake' or 'grill'"),
        ("minutes", [1], "number"),
    ],
)
def test_a_value_of_the_wrong_kind_names_key_and_expectation(
    key: str, value: object, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Oven, {key: value}, "oven")
    assert caught.value.where == f"oven.{key}"
    assert repr(value) in caught.value.found
    assert expected in caught.value.expected


def test_a_record_s_own_check_speaks_for_itself() -> None:
    with pytest.raises(ConfigError, match=r"^oven\.degrees: found 400\.$"):
        parse(Oven, {"degrees": 400}, "oven")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = \n", "line 1, column"),
        (b"a = 1\nb = = 2\n", "line 2, column"),
        (b"\xff\xfe", "utf-8"),
    ],
)
def test_what_is_no_toml_is_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        read_toml(path)
    assert caught.value.where == str(path)
    assert caught.value.mend


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_an_absent_file_and_a_folder_are_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read_toml(tmp_path / name)
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.mend


def test_a_toml_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('seed = 3\n[data]\ntrain = "å.tsv"\n', encoding="utf-8")
    assert read_toml(path) == {"seed": 3, "data": {"train": "å.tsv"}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("0.1", 0.1), ("1e-3", 0.001), ("true", True), ("[1, 2]", [1, 2]),
        ('"3"', "3"), ("gru", "gru"), ("bilstm+attention", "bilstm+attention"),
        ("a=b", "a=b"), ("source=1,target=2", "source=1,target=2"), ("", ""), ("a b", "a b"),
    ],
)  # fmt: skip
def test_a_value_is_toml_or_else_text(text: str, value: object) -> None:
    assert override({}, [f"a.b={text}"]) == {"a": {"b": value}}


def test_later_assignments_win_and_neighbours_stand() -> None:
    tree = {"train": {"steps": 1, "rate": 0.1}, "seed": 1}
    changed = override(tree, ["train.steps=2", "seed=5", "train.steps=3", "model.kind=gru"])
    assert changed == {"train": {"steps": 3, "rate": 0.1}, "seed": 5, "model": {"kind": "gru"}}


@pytest.mark.parametrize("assignment", ["steps", "=3", ".a=3", "a..b=3", "a.=3", ""])
def test_a_malformed_assignment_shows_the_grammar(assignment: str) -> None:
    with pytest.raises(ConfigError, match=r"train\.steps=2000"):
        override({}, [assignment])


def test_a_key_through_a_plain_value_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^seed\.x: seed is a value, not a table\.$"):
        override({"seed": 1}, ["seed.x=2"])


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers())), NAMES, NAMES, st.integers())
def test_the_tree_given_is_left_alone(
    tree: dict[str, dict[str, int]], table: str, key: str, value: int
) -> None:
    before = copy.deepcopy(tree)
    changed = override(tree, [f"{table}.{key}={value}"])
    assert tree == before
    assert changed[table][key] == value


def test_deeper_tables_are_left_alone_too() -> None:
    tree = {"a": {"b": {"c": 1}}}
    override(tree, ["a.b.c=2"])
    assert tree == {"a": {"b": {"c": 1}}}

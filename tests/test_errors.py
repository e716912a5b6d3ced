"""Messages: what, where and how to mend it, in one line; one family for one `except`."""

from __future__ import annotations

import pytest

from seq2see import errors
from seq2see.errors import (
    BundleError,
    ConfigError,
    DataError,
    DecodingError,
    DivergedError,
    Seq2seeError,
    TrainingError,
)

FAMILY = [DataError, ConfigError, BundleError, TrainingError, DecodingError]
CHILDREN = {DivergedError: TrainingError}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, "no pairs."),
        ({"where": "a.tsv:3"}, "a.tsv:3: no pairs."),
        ({"expected": "at least one"}, "no pairs; expected at least one."),
        ({"mend": "Add a line"}, "no pairs. Add a line."),
        (
            {"expected": "at least one", "where": "a.tsv", "mend": "Add a line"},
            "a.tsv: no pairs; expected at least one. Add a line.",
        ),
    ],
)
def test_the_message_joins_what_is_known(said: dict[str, str], text: str) -> None:
    error = Seq2seeError("no pairs", **said)
    assert str(error) == text
    assert error.args == (text,)


def test_the_parts_stay_apart_for_programs() -> None:
    error = DataError("no tab", expected="two columns", where="a.tsv:3", mend="Add a tab")
    assert (error.found, error.expected) == ("no tab", "two columns")
    assert (error.where, error.mend) == ("a.tsv:3", "Add a tab")


@pytest.mark.parametrize("kind", FAMILY)
def test_one_except_catches_the_family(kind: type[Seq2seeError]) -> None:
    with pytest.raises(Seq2seeError, match=r"^x\.$"):
        raise kind("x")


@pytest.mark.parametrize("kind", FAMILY)
def test_siblings_do_not_catch_each_other(kind: type[Seq2seeError]) -> None:
    assert [other for other in FAMILY if issubclass(kind, other)] == [kind]


def test_the_family_tree_in_the_docstring_is_the_family() -> None:
    defined = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, Seq2seeError) and each is not Seq2seeError
    ]
    assert set(defined) == {*FAMILY, *CHILDREN}
    assert all(issubclass(child, parent) for child, parent in CHILDREN.items())
    assert all(f"── {each.__name__}" in (errors.__doc__ or "") for each in defined)

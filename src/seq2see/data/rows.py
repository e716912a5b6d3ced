"""Turns one row, a line of a TSV or of JSON lines or a record of a data set, into a pair.

TSV has no quoting: a `"` is a `"`. Columns beyond those named are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from seq2see.config import nearest
from seq2see.data.sources import Data, form_of, name_of
from seq2see.errors import ConfigError, DataError


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and its target, with features of the source such as inflection tags.

    Attributes:
        line: 1-based number of the line it came from; 0 where it came from no file.
    """

    source: str
    target: str
    features: tuple[str, ...] = ()
    line: int = 0


Texts: TypeAlias = str | Pair | Sequence[str | Pair]
"""Sources, as text or as `Pair`s where they carry features or a target."""

Parser: TypeAlias = Callable[[str, int], Pair]

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Columns:
    """Says which columns of a TSV, counted from 1, hold source, target and features.

    Raises:
        ConfigError: a column below 1; count from 1.
    """

    source: int = 1
    target: int | None = 2
    features: int | None = None

    def __post_init__(self) -> None:
        for name, number in self.named():
            if number < 1:
                raise ConfigError(
                    f"{name}={number}",
                    expected="a column number from 1 on",
                    where="columns",
                    mend="Count the columns from 1",
                )

    def __str__(self) -> str:
        return ",".join(f"{name}={number}" for name, number in self.named())

    def named(self) -> list[tuple[str, int]]:
        """Lists the columns in use as (name, number)."""
        every = (("source", self.source), ("target", self.target), ("features", self.features))
        return [(name, number) for name, number in every if number is not None]

    @classmethod
    def parse(cls, text: str) -> Columns:
        """Reads `source=1,target=2,features=3`; what is not named is not read, except the source.

        Blank text gives the default. A source left out stands in column 1.

        Raises:
            ConfigError: an unknown or repeated name, no number, or a source left out though column
                1 is named for something else; the message shows the right form.
        """
        if not text.strip():
            return cls()
        numbers: dict[str, int] = {}
        for item in text.split(","):
            name, _, number = (part.strip() for part in item.partition("="))
            if name not in cls.__slots__:
                raise _malformed(text, f"unknown column {name!r}", nearest(name, cls.__slots__))
            if name in numbers:
                raise _malformed(text, f"{name} is named twice")
            if not (number.isascii() and number.isdigit()):
                raise _malformed(text, f"{name}={number or '(nothing)'} is not a column number")
            numbers[name] = int(number)
        if "source" not in numbers and 1 in numbers.values():
            raise _malformed(text, "column 1 is taken, so the source needs a column", "Add source=")
        return cls(numbers.get("source", 1), numbers.get("target"), numbers.get("features"))


BOTH = Columns()


def line_parser(data: Data, columns: Columns | None, *, targets: bool = True) -> Parser:
    """Gives the function that turns (text, line number) of a single file into a pair.

    Args:
        data: the file, whose name decides between JSON lines and text.
        columns: where the parts stand in a line of text; None takes the whole line as the source.
        targets: whether targets are read; otherwise they are empty and need not be there.
    """
    name = name_of(data)
    if form_of(data) == "json":
        return partial(_from_json, name=name, targets=targets)
    if columns is None:
        return _whole_line
    used = columns if targets else replace(columns, target=None)
    return partial(_from_columns, columns=used, name=name)


def as_pairs(texts: Texts) -> list[Pair]:
    """Turns plain texts into sources without a target, numbered as lines; pairs stay so."""
    if isinstance(texts, str | Pair):
        texts = [texts]
    return [
        text if isinstance(text, Pair) else Pair(text, "", (), line)
        for line, text in enumerate(texts, 1)
    ]


def split_features(text: str) -> tuple[str, ...]:
    """Splits `V;PST 3` on semicolons, spaces and tabs into one token each."""
    return tuple(token for token in re.split(r"[; \t]+", text) if token)


def from_record(record: object, line: int, *, where: str, targets: bool = True) -> Pair:
    """Makes a pair from a JSON object or a hub row; without `targets` the target is left empty.

    Raises:
        DataError: a key is missing or a value is not text; the message shows the right form.
    """
    fail = partial(DataError, where=where, mend='Write {"source": "...", "target": "..."}')
    if not isinstance(record, dict):
        raise fail(f"{_kind(record)}, not an object", expected="one JSON object a line")
    texts = _texts(record, targets, fail)
    features = record.get("features")
    tokens = split_features(features) if isinstance(features, str) else features or ()
    if not isinstance(features, (str, list, tuple, type(None))):
        raise fail(f"{_kind(features)} as features", expected="a list of texts, or one text")
    for text in (*texts, *tokens):
        if not isinstance(text, str):
            raise fail(f"{_kind(text)} where a text should stand", expected="a text in quotes")
        if _SURROGATE.search(text):
            raise fail("half of a surrogate pair, which is no character", expected="valid Unicode")
    return Pair(texts[0], texts[1] if targets else "", tuple(tokens), line)


def _texts(record: dict[str, Any], targets: bool, fail: Callable[..., DataError]) -> list[Any]:
    """Takes source and target out of a record of either shape."""
    translation = record.get("translation")
    if "source" not in record and isinstance(translation, dict):
        if len(translation) != 2 and (targets or not translation):
            raise fail(f"{len(translation)} texts in `translation`", expected="exactly two")
        return list(translation.values())
    keys = ("source", "target") if targets else ("source",)
    if any(key not in record for key in keys):
        names = ", ".join(map(str, record))
        raise fail(f"keys {names}" if names else "no keys", expected=" and ".join(keys))
    return [record[key] for key in keys]


def _from_json(text: str, line: int, *, name: str, targets: bool = True) -> Pair:
    if not text:
        return Pair("", "", (), line)
    where = f"{name}:{line}"
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"not JSON ({error})",
            expected="one JSON object a line",
            where=where,
            mend='Write {"source": "...", "target": "..."}; a JSON array is put on lines by '
            "`jq -c '.[]'`",
        ) from error
    return from_record(record, line, where=where, targets=targets)


def _from_columns(text: str, line: int, *, columns: Columns, name: str) -> Pair:
    if not text:
        return Pair("", "", (), line)
    fields = text.split("\t")
    needed = max(number for _, number in columns.named())
    if len(fields) < needed:
        raise DataError(
            f"{len(fields)} column{'s' * (len(fields) > 1)}",
            expected=f"at least {needed}, tab-separated ({columns})",
            where=f"{name}:{line}",
            mend="Put in what is missing, or say which columns to read, "
            "as --columns source=1,target=2",
        )
    return Pair(
        fields[columns.source - 1],
        fields[columns.target - 1] if columns.target else "",
        split_features(fields[columns.features - 1]) if columns.features else (),
        line,
    )


def _whole_line(text: str, line: int) -> Pair:
    return Pair(text, "", (), line)


def _malformed(text: str, found: str, mend: str = "") -> ConfigError:
    return ConfigError(
        found,
        expected="names out of source, target, features, as source=1,target=2,features=3",
        where=f"--columns {text}",
        mend=mend,
    )


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else "a value")

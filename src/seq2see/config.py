"""Strict configuration: one grammar for file and shell, and no key that is silently ignored."""

from __future__ import annotations

import copy
import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError
from rapidfuzz import fuzz, process

from seq2see.errors import ConfigError

T = TypeVar("T")
Tree = dict[str, Any]

_LIKE = 60.0
"""Percent of the letters of two words that a misspelling shares with what was meant, in order."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Returns a hint that names the choice most like `word`, or lists all when none is near.

    Capital letters count as small ones.
    """
    known = sorted(choices)
    close = process.extractOne(
        word, known, scorer=fuzz.ratio, processor=str.lower, score_cutoff=_LIKE
    )
    return f"Did you mean {close[0]}?" if close else f"Choose one of: {', '.join(known)}"


def parse(record: type[T], values: Mapping[str, Any], where: str) -> T:
    """Makes a frozen dataclass from a table of a recipe.

    A field that is a tuple of dataclasses is read from a list of tables, each as strictly.

    Args:
        record: the dataclass; its fields are the keys allowed.
        values: the table.
        where: the table's name, for messages.

    Raises:
        ConfigError: an unknown key (the nearest right one is named) or a value of the wrong kind.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"found {values!r}", expected="a table of settings", where=where)
    names = [f.name for f in dataclasses.fields(record)]  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            raise ConfigError("unknown setting", where=f"{where}.{key}", mend=nearest(key, names))
    values = {**values, **_lists_of_tables(record, values, where)}
    try:
        return TypeAdapter(record).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # Behind the setting's name stand the branches of its type, which no reader wrote.
        key = ".".join([where, *map(str, first["loc"][:1])])
        raise ConfigError(
            f"found {first['input']!r}", expected=_expectation(first["msg"]), where=key
        ) from error


def as_table(record: Any) -> Tree:
    """Makes of a frozen dataclass the table that `parse` reads, with lists as TOML has them."""
    made: Tree = _listed(dataclasses.asdict(record))
    return made


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(each) for key, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, list | tuple) else value


def _lists_of_tables(record: type, values: Mapping[str, Any], where: str) -> Tree:
    found: Tree = {}
    for name, kind in get_type_hints(record).items():
        inner: Any = get_args(kind)[0] if get_origin(kind) is tuple else None
        if name not in values or not (isinstance(inner, type) and dataclasses.is_dataclass(inner)):
            continue
        tables = values[name]
        if not isinstance(tables, list | tuple):
            raise ConfigError(
                f"found {tables!r}", expected="a list of tables", where=f"{where}.{name}"
            )
        found[name] = tuple(
            table if isinstance(table, inner) else parse(inner, table, f"{where}.{name}[{i}]")
            for i, table in enumerate(tables)
        )
    return found


def _expectation(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("a valid ")


def read_toml(path: Path) -> Tree:
    """Reads a TOML file.

    Raises:
        ConfigError: the file cannot be read or is no TOML; the message names line and column.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            mend="Name a recipe file that is there and may be read",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"not UTF-8 ({error})", where=str(path), mend="Save the file as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"no TOML: {error}",
            where=str(path),
            mend="Mend that place; seq2see train DATA --explain prints a whole recipe",
        ) from error


def override(tree: Tree, assignments: Iterable[str]) -> Tree:
    """Applies `a.b=value` assignments to a copy of a tree of tables.

    A value is read as TOML where it is TOML (`3`, `0.1`, `true`, `[1, 2]`, `"text"`) and is a text
    otherwise.

    Raises:
        ConfigError: an assignment has no `=` or no key, or its key goes through a plain value.
    """
    result = copy.deepcopy(tree)
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        path = key.strip().split(".")
        if not equals or not all(path):
            raise ConfigError(
                f"found {assignment!r}", expected="key=value, such as train.steps=2000"
            )
        table = result
        for name in path[:-1]:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise ConfigError(f"{name} is a value, not a table", where=key)
        table[path[-1]] = _value(value)
    return result


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text

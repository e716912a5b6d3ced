"""The files of a folder as they are read: each is there, whole and of its kind, or is named."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from seq2see.config import Tree
from seq2see.data.store import Tokenizers
from seq2see.data.tokenizers import Tokenizer
from seq2see.errors import BundleError
from seq2see.files import digest, standing

SUMS = "SHA256SUMS"
"""Checksums in the format of `sha256sum -c`."""

SIDES = ("source.json", "target.json")
"""The tokenizers of both sides."""

RESTORE = "Restore the file from the place the model came from, or train again"


@dataclass(frozen=True)
class _Score:
    metric: str
    value: float
    low: float
    high: float
    sources: int
    signature: str


@dataclass(frozen=True)
class _Training:
    seconds: float = 0.0
    pairs: int = 0
    longest_source: int = 0
    longest_ratio: float = 0.0


@dataclass(frozen=True)
class _Scores:
    """What other modules read of the scores; there may be more, which is nobody's business here."""

    dev: list[_Score] | None = None
    training: _Training | None = None


def sums(folder: Path, names: Iterable[str]) -> str:
    """Returns the checksums of files of a folder, a line each."""
    return "".join(f"{digest(standing(folder, name))}  {name}\n" for name in names)


def summed(folder: Path) -> list[str]:
    """Returns the files whose checksums were saved.

    Raises:
        BundleError: the checksums are missing.
    """
    return [line.partition("  ")[2] for line in text(folder, SUMS).splitlines()]


def check_sums(folder: Path, names: Sequence[str]) -> None:
    """Compares files with the checksums that were saved beside them.

    Raises:
        BundleError: a file is missing or is not the one that was saved; the message names it.
    """
    for name in names:
        need(standing(folder, name))
    recorded = set(text(folder, SUMS).splitlines())
    for line in sums(folder, names).splitlines():
        if line not in recorded:
            name = line.split("  ")[1]
            raise BundleError(
                "the file is not the one that was saved (its checksum differs)",
                where=str(standing(folder, name)),
                mend=RESTORE,
            )


def need(path: Path) -> None:
    """Raises BundleError where a file is missing."""
    if not path.is_file():
        raise BundleError("the file is missing", where=str(path), mend=RESTORE)


def text(folder: Path, name: str) -> str:
    """Returns a file's text.

    Raises:
        BundleError: the file is missing or no UTF-8.
    """
    path = standing(folder, name)
    need(path)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"unreadable ({error})", where=str(path), mend=RESTORE) from error


def toml(folder: Path, name: str) -> Tree:
    """Returns a file's tables.

    Raises:
        BundleError: the file is missing or no TOML.
    """
    try:
        return tomllib.loads(text(folder, name))
    except tomllib.TOMLDecodeError as error:
        where = str(standing(folder, name))
        raise BundleError(f"no TOML ({error})", where=where, mend=RESTORE) from error


def tokenizers(folder: Path) -> Tokenizers:
    """Returns both sides' tokenizers.

    Raises:
        BundleError: a file is missing, or no tokenizer.
    """
    source, target = (text(folder, name) for name in SIDES)
    read = Tokenizer.from_json(source, str(standing(folder, SIDES[0])))
    if target == source:  # one vocabulary serves both sides
        return Tokenizers(read, read)
    return Tokenizers(read, Tokenizer.from_json(target, str(standing(folder, SIDES[1]))))


def scores(folder: Path, name: str) -> dict[str, Any]:
    """Returns what a model scored: `dev`, a list of scores, and `training`, facts of the run.

    Raises:
        BundleError: the file is missing or no JSON, or what others read of it is of another kind.
    """
    written = text(folder, name)
    try:
        TypeAdapter(_Scores).validate_json(written, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise BundleError(
            f"{key}: {first['msg']}" if key else first["msg"],
            where=str(standing(folder, name)),
            mend=RESTORE,
        ) from error
    found: dict[str, Any] = json.loads(written)
    return found

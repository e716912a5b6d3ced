"""Reads pairs: a source, a target and features, from every form DATA can take.

Text is kept exactly as it stands: nothing is stripped, normalised, skipped or cut. What cannot be
read as a pair is an error that names file and line. Reading takes constant memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

from seq2see.data.rows import BOTH, Columns, Pair, Parser, from_record, line_parser
from seq2see.data.sources import (
    Data,
    count_lines,
    data_paths,
    form_of,
    hub_rows,
    is_regular,
    read_lines,
)
from seq2see.errors import DataError

__all__ = [
    "BOTH",
    "Columns",
    "Pair",
    "Pairs",
    "data_paths",
    "fingerprint",
    "fingerprint_of",
    "read_lines",
    "read_pairs",
    "read_sources",
]


class Pairs(Protocol):
    """Pairs that are counted and can be gone through again and again, such as a list of them."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Pair]: ...


class Noting(Protocol):
    """What takes line numbers, such as a list."""

    def append(self, line: int, /) -> None:
        """Takes the next one."""


def read_pairs(
    data: Data, columns: Columns = BOTH, *, short: Noting | None = None
) -> Iterator[Pair]:
    r"""Yields the pairs of DATA in file order, one a line, empty ones included.

    An empty line of a TSV or of JSON lines is the pair of two empty texts.

    Args:
        data: a TSV; two parallel files as `train.en,train.de`; JSON lines (`.jsonl`, `.json`) with
            keys `source`, `target` and `features` or with one key `translation` that holds two
            texts; each also gzipped (`.gz`); or `hf:NAME`, `hf:NAME:SPLIT`,
            `hf:NAME:CONFIG:SPLIT`.
        columns: where source, target and features stand in a TSV; the other forms ignore it. With
            no target column every target is empty.
        short: where given, a TSV line with too few columns is not an error: it is left out, and its
            number is put here for the caller to report.

    Raises:
        DataError: a file or a line cannot be read as pairs, or parallel files differ in length; the
            message names the line. Raised while iterating.
        ConfigError: `hf:` without the `hub` extra; install it.
    """
    if form_of(data) == "hub":
        return _hub_pairs(str(data))
    paths = data_paths(data)
    if len(paths) == 2:
        return _parallel_pairs(*paths)
    parse = line_parser(data, columns)
    if short is None or form_of(data) == "json":
        return (parse(text, number) for number, text in read_lines(paths[0]))
    return _without_short(read_lines(paths[0]), columns, parse, short)


def _without_short(
    lines: Iterable[tuple[int, str]], columns: Columns, parse: Parser, short: Noting
) -> Iterator[Pair]:
    needed = max(number for _, number in columns.named())
    for number, text in lines:
        if text and text.count("\t") + 1 < needed:
            short.append(number)
        else:
            yield parse(text, number)


def read_sources(data: Data, columns: Columns | None = None) -> Iterator[Pair]:
    """Yields the sources of DATA, one a line, empty ones included; every target is empty.

    Args:
        data: a text file, JSON lines, `hf:NAME`, or `"-"` for standard input.
        columns: where source and features stand in each line, tab-separated; None takes the whole
            line as the source. JSON lines and hub rows ignore it.

    Raises:
        DataError: as `read_pairs`; or DATA names two files; name the one with the sources.
    """
    if form_of(data) == "hub":
        return _hub_pairs(str(data), targets=False)
    paths = data_paths(data)
    if len(paths) == 2:
        raise DataError(
            "two files", expected="one file of sources", where=str(data), mend=f"Name {paths[0]}"
        )
    parse = line_parser(data, columns, targets=False)
    return (parse(text, number) for number, text in read_lines(data))


def fingerprint(*texts: str) -> int:
    """Hashes texts to 64 bits, the same in every process; ("ab", "c") differs from ("a", "bc")."""
    return fingerprint_of(texts)


def fingerprint_of(texts: Iterable[str]) -> int:
    """Hashes texts as `fingerprint` does, one after the other."""
    digest = hashlib.blake2b(digest_size=8)
    for text in texts:
        coded = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(coded) + coded)
    return int.from_bytes(digest.digest(), "big")


def unequal(first: Path, second: Path, counts: tuple[int, int]) -> DataError:
    """Says that two parallel files differ in length."""
    return DataError(
        f"{first} has {counts[0]} lines, {second} {counts[1]}",
        expected="as many lines in one as in the other",
        where=f"{first},{second}",
        mend="Find the line where they part, and add or take out what is missing or too much there",
    )


def _hub_pairs(data: str, targets: bool = True) -> Iterator[Pair]:
    for number, row in enumerate(hub_rows(data), 1):
        yield from_record(row, number, where=f"{data}:{number}", targets=targets)


def _parallel_pairs(first: Path, second: Path) -> Iterator[Pair]:
    # Counting first finds a shifted file before anyone trains on it; a pipe is read only once.
    if is_regular(first) and is_regular(second):
        counts = count_lines(first), count_lines(second)
        if counts[0] != counts[1]:
            raise unequal(first, second, counts)
    sides = read_lines(first), read_lines(second)
    for number, (source, target) in enumerate(zip_longest(*sides), 1):
        if source is None or target is None:
            left, right = (number + sum(1 for _ in side) for side in sides)
            counts = (number - 1, right) if source is None else (left, number - 1)
            raise unequal(first, second, counts)
        yield Pair(source[1], target[1], (), number)

"""Lines in, a chunk at a time, so that a long file or a pipe is worked on while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest
from typing import TypeVar

from seq2see.data.pairs import read_lines, read_sources
from seq2see.data.rows import Columns, Pair
from seq2see.data.sources import STDIN, name_of
from seq2see.errors import ConfigError, DataError

T = TypeVar("T")
CHUNK = 2000
"""Lines that are read, decoded and written together: enough to sort them by length."""


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Yields lists of `size` items, the last one shorter."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


def requests(
    file: str, columns: Columns | None = None, prefix: str | None = None
) -> Iterator[tuple[Pair, str]]:
    """Yields each source with what its target has to begin with.

    Args:
        file: the sources, `-` for standard input.
        columns: where source and features stand; None takes the whole line.
        prefix: a file with as many lines, which may be empty; None for no prefixes.

    Raises:
        DataError: a file cannot be read, or the two differ in length. Raised while iterating.
        ConfigError: both files are standard input.
    """
    sources = read_sources(file, columns)
    if prefix is None:
        yield from ((pair, "") for pair in sources)
        return
    if file == prefix == STDIN:
        raise ConfigError(
            "sources and prefixes cannot both come from standard input",
            where="--prefix -",
            mend="Put the prefixes in a file",
        )
    prefixes = (text for _, text in read_lines(prefix))
    for number, (pair, text) in enumerate(zip_longest(sources, prefixes), 1):
        if pair is None or text is None:
            short, long = (file, prefix) if pair is None else (prefix, file)
            raise DataError(
                f"{name_of(short)} ends before this line",
                expected="one prefix for each source, which may be empty",
                where=f"{name_of(long)}:{number}",
                mend="Give both files as many lines",
            )
        yield pair, text

r"""Finds what DATA names and reads it line by line, as bytes and as text.

A line ends at `\n` and nowhere else; one `\r` before it belongs to the line end. Every other
character, U+2028, U+0085, form feed and NUL included, is text. Bytes that are not UTF-8 are an
error with a place, never a replacement character.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, NamedTuple, TypeAlias

from seq2see.errors import ConfigError, DataError

Data: TypeAlias = str | os.PathLike[str]
Form: TypeAlias = Literal["tsv", "json", "parallel", "hub"]

STDIN = "-"
HUB = "hf:"
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"

# A colon inside brackets belongs to the split: train[:1000].
_HUB_NAME = re.compile(
    r"(?P<name>[^:]+)(:((?P<config>[^:\[]+):)?(?P<split>[^:\[]+(\[.*)?))?", re.DOTALL
)


class Line(NamedTuple):
    """One line of a file as bytes, with what was taken off it.

    Attributes:
        number: 1-based line number.
        body: the bytes without byte order mark and line end.
        bom: whether a UTF-8 byte order mark stood before it (only possible in line 1).
        crlf: whether it ended in carriage return and line feed.
    """

    number: int
    body: bytes
    bom: bool
    crlf: bool


def form_of(data: Data) -> Form:
    """Says which form DATA has: from its prefix, its comma or the ending of its file name."""
    paths = data_paths(data)
    if len(paths) != 1:
        return "parallel" if paths else "hub"
    name = paths[0].name.lower().removesuffix(".gz")
    return "json" if name.endswith((".json", ".jsonl")) else "tsv"


def data_paths(data: Data) -> tuple[Path, ...]:
    """Lists the files DATA names: one, two parallel ones, or none for a data set on the hub.

    An existing file whose name holds a comma is that file, not a pair of files.

    Raises:
        DataError: more than one comma, and not exactly one way to read it as two existing files;
            rename the files.
    """
    text = os.fspath(data)
    if isinstance(data, str) and data.startswith(HUB):
        return ()
    if "," not in text or _mode(Path(text)) is not None:
        return (Path(text),)
    places = [place for place, character in enumerate(text) if character == ","]
    splits = [(text[:place], text[place + 1 :]) for place in places]
    if len(splits) > 1:
        splits = [pair for pair in splits if all(_mode(Path(part)) is not None for part in pair)]
    if len(splits) == 1 and all(splits[0]):
        return Path(splits[0][0]), Path(splits[0][1])
    raise DataError(
        "no such file, and not two existing files with a comma between",
        expected="one file, or two parallel files as train.en,train.de",
        where=text,
        mend="Check the paths, or rename files that have a comma in their names",
    )


def is_regular(path: Path) -> bool:
    """Tells a file that can be read twice from a pipe, a directory or nothing."""
    mode = _mode(path)
    return mode is not None and stat.S_ISREG(mode)


def read_lines(path: Data) -> Iterator[tuple[int, str]]:
    r"""Yields (line number, text) for every line of a file, or of standard input for `"-"`.

    Args:
        path: a text file, gzipped where its name ends in `.gz`, or `"-"`.

    Raises:
        DataError: the file cannot be read or is not UTF-8; the message names the place, with the
            byte offset, and the command that mends it.
    """
    for line in byte_lines(path):
        yield line.number, decode(line, path)


def byte_lines(path: Data) -> Iterator[Line]:
    """Yields every line of a file, or of standard input for `"-"`, undecoded.

    Raises:
        DataError: the file is absent, a directory, unreadable, or damaged; name another file.
    """
    with _opened(path) as stream:
        for number, raw in enumerate(stream, 1):
            if number == 1 and raw.startswith(GZIP):
                raise DataError(
                    "gzipped, though its name does not say so",
                    where=name_of(path),
                    mend="Let the name end in .gz, or unpack it with gunzip",
                )
            bom = number == 1 and raw.startswith(BOM)
            crlf = raw.endswith(b"\r\n")
            body = raw[:-2] if crlf else raw.removesuffix(b"\n")
            yield Line(number, body[len(BOM) :] if bom else body, bom, crlf)


def count_lines(path: Path) -> int:
    """Counts the lines of a file without decoding them; raises as `byte_lines` does."""
    with _opened(path) as stream:
        return sum(1 for _ in stream)


def decode(line: Line, path: Data) -> str:
    """Decodes a line strictly.

    Raises:
        DataError: bytes that are not UTF-8; convert the file with `iconv`.
    """
    try:
        return line.body.decode("utf-8")
    except UnicodeDecodeError as error:
        offset = error.start + (len(BOM) if line.bom else 0)
        utf16 = line.number == 1 and line.body.startswith((b"\xff\xfe", b"\xfe\xff"))
        name, encoding = name_of(path), "utf-16" if utf16 else "latin1"
        raise DataError(
            f"invalid UTF-8: byte 0x{line.body[error.start]:02X} at byte offset {offset} "
            "of the line (the first is 0)",
            where=f"{name}:{line.number}",
            mend=f"Convert it from its own encoding, e.g. `iconv -f {encoding} -t utf-8 "
            f"{name} > {Path(name).stem}.utf8{Path(name).suffix}`",
        ) from error


def hub_rows(data: str) -> Iterator[object]:
    """Yields the rows of `hf:NAME`, `hf:NAME:SPLIT` or `hf:NAME:CONFIG:SPLIT`.

    NAME is a data set of the Hugging Face hub, or a folder that is laid out like one; CONFIG one of
    its configurations, needed where it has several; SPLIT a split (default: `train`) or a part of
    one, as `train[:1000]`.

    Raises:
        ConfigError: the `hub` extra is not installed, or the name is malformed; install it, or
            write one of the forms given.
        DataError: data set, configuration or split cannot be had; check their names and the
            network.
    """
    match = _HUB_NAME.fullmatch(data.removeprefix(HUB))
    if match is None:
        raise ConfigError(
            "no data set named" if data == HUB else "not the name of a data set",
            expected="hf:NAME, hf:NAME:SPLIT or hf:NAME:CONFIG:SPLIT",
            where=data,
        )
    try:
        import datasets
    except ImportError as error:
        raise ConfigError(
            "hf: needs the package `datasets`, which is not installed",
            where=data,
            mend="Run `pip install seq2see[hub]`",
        ) from error
    try:
        yield from datasets.load_dataset(
            match["name"], match["config"], split=match["split"] or "train"
        )
    except Exception as error:  # the library and its HTTP clients share no base class
        raise DataError(
            f"the data set cannot be read: {' '.join(str(error).split())}",
            where=data,
            mend="Check the network and each name in hf:NAME:CONFIG:SPLIT, or save the data set as"
            " JSON lines",
        ) from error


def name_of(path: Data) -> str:
    """Names a file in messages."""
    return "<stdin>" if path == STDIN else os.fspath(path)


@contextmanager
def _opened(path: Data) -> Iterator[Iterable[bytes]]:
    """Opens a file for reading bytes and says in plain words why that, or the reading, fails."""
    try:
        if path == STDIN:
            yield _standard_input()
            return
        with Path(path).open("rb") as file:
            if Path(path).suffix.lower() != ".gz":
                yield file
                return
            _check_gzip(file.peek(len(GZIP))[: len(GZIP)])
            with gzip.open(file) as unpacked:
                yield unpacked
    except (OSError, EOFError, zlib.error, ValueError) as error:
        found, mend = _explain(error)
        raise DataError(found, where=name_of(path), mend=mend) from error


def _standard_input() -> IO[bytes]:
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer


def _check_gzip(head: bytes) -> None:
    # An empty file unpacks to nothing without complaint, yet gzip never writes one.
    if not head:
        raise EOFError
    if head != GZIP:
        raise gzip.BadGzipFile("its first bytes are not those of gzip")


def _explain(error: Exception) -> tuple[str, str]:
    """Says what went wrong while reading, and what mends it."""
    again = "Compress or fetch it again, or rename it without .gz if it is plain text"
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return "no such file", "Check the path"
        case IsADirectoryError():
            return "a directory, not a file", "Name a file inside it"
        case PermissionError():
            return "no permission to read it", "Give yourself the right to, e.g. `chmod u+r`"
        case EOFError():
            return "truncated: the gzip data end too early", again
        case gzip.BadGzipFile() | zlib.error():
            return f"not gzip data, or damaged ({error})", again
    return f"cannot be read ({error})", "Check the path and the disk"


def _mode(path: Path) -> int | None:
    """Gives the mode of what stands at a path, None where nothing can be seen there."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return None

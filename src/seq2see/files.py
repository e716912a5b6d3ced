"""Files that are whole or not there, whenever the process dies or the disk is full."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seq2see.errors import BundleError, Seq2seeError

FRESH, READY = ".new", ".next"
"""Subfolders of a folder whose files are being replaced: half written, and written whole."""


def digest(path: Path) -> str:
    """Returns a file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str | Iterable[str]) -> None:
    """Replaces a file by a new one, whole or not at all, and synced to disk.

    Args:
        path: the file.
        text: what it is to hold, at once or in parts that need not be in memory together.

    Raises:
        OSError: the disk is full or the folder cannot be written; the old file stands.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        if isinstance(text, str):
            partial.write_text(text, encoding="utf-8", newline="\n")
        else:
            with partial.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(text)
        sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)  # on a full disk it would keep the disk full


def sync(path: Path) -> None:
    """Waits until a file's content, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_files(folder: Path, write: Callable[[Path], None]) -> None:
    """Replaces several files of a folder, all at once for who reads them through `standing`.

    The new files are written into a subfolder and synced. Its renaming makes them the ones that
    stand; only then do they move to their places. What a killed process left unmoved is moved by
    the next call.

    Args:
        folder: where the files belong; its other files and subfolders are not touched.
        write: writes the new files, and no subfolder, into the folder it is given.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    fresh = folder / FRESH
    folder.mkdir(parents=True, exist_ok=True)
    _move(folder)
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        write(fresh)
        for path in (*fresh.iterdir(), fresh):
            sync(path)
        fresh.replace(folder / READY)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    sync(folder)
    _move(folder)


def standing(folder: Path, name: str) -> Path:
    """Returns where a file that `replace_files` wrote is to be read; moves nothing itself."""
    unmoved = folder / READY / name
    return unmoved if unmoved.is_file() else folder / name


def _move(folder: Path) -> None:
    ready = folder / READY
    if ready.is_dir():
        for path in sorted(ready.iterdir()):
            path.replace(folder / path.name)
        sync(folder)
        ready.rmdir()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Reads JSON lines up to the first that is not whole; none where there is no file.

    A process that dies while it appends leaves half a line at the end.

    Raises:
        BundleError: the file is there and cannot be read.
    """
    rows: list[dict[str, Any]] = []
    try:
        with path.open("rb") as file:  # bytes: a bad character spoils its own line alone
            for line in file:
                rows.append(json.loads(line))  # one by one: those before a broken line are kept
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return rows
    except OSError as error:
        raise BundleError(
            f"unreadable ({error})", where=str(path), mend="Make the file readable or remove it"
        ) from error
    return rows


@contextmanager
def refusing(
    kind: type[Seq2seeError],
    where: Path,
    mend: str = "Free space or choose another folder with --out",
) -> Iterator[None]:
    """Turns an error of the file system into one that names the path and the mend.

    Raises:
        Seq2seeError: of the given kind; the disk is full or `where` cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise kind(f"cannot be written ({error})", where=str(where), mend=mend) from error


def finite(value: Any) -> Any:
    """Replaces NaN and infinite numbers, at any depth, by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return value

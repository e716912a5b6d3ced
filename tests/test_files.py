"""Files are whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from seq2see.errors import BundleError, TrainingError
from seq2see.files import FRESH, READY, read_lines, refusing, replace_files, standing, write_text

FULL = OSError(errno.ENOSPC, "No space left on device")


def fail(*_: object, **__: object) -> None:
    raise FULL


@pytest.mark.parametrize("text", ["", "Å\u2028\n", "a\r\nb\n"])
def test_a_text_is_written_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text("old and longer", encoding="utf-8")
    write_text(tmp_path / "a.txt", text)
    assert (tmp_path / "a.txt").read_bytes() == text.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("owner", "name"), [(Path, "write_text"), (Path, "replace"), (os, "fsync")]
)
def test_on_a_full_disk_the_old_file_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "a.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"old"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")
def test_all_is_on_disk_before_names_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        events.append(Path(f"/proc/self/fd/{handle}").resolve().name)
        sync(handle)

    def replaced(path: Path, to: Path) -> Path:
        events.append(f"{path.parent.name}/{path.name}")
        return replace(path, to)

    def write(folder: Path) -> None:
        (folder / "b").write_bytes(b"2")

    folder = tmp_path / "folder"
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    replace_files(folder, write)
    assert events == ["b", FRESH, f"folder/{FRESH}", "folder", f"{READY}/b", "folder"]
    events.clear()
    write_text(folder / "c", "3")
    assert events == ["c.partial", "folder/c.partial"]


def test_a_file_is_read_where_it_stands(tmp_path: Path) -> None:
    assert standing(tmp_path, "a") == tmp_path / "a"
    (tmp_path / READY).mkdir()
    (tmp_path / READY / "a").touch()
    assert standing(tmp_path, "a") == tmp_path / READY / "a"
    assert standing(tmp_path, "b") == tmp_path / "b"


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine.txt").touch()
    replace_files(tmp_path, lambda folder: (folder / "a").touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "mine", "mine.txt"]


def test_writing_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def write(folder: Path) -> None:
        (folder / "a").write_bytes(b"new")
        fail()

    with pytest.raises(OSError, match="No space left"):
        replace_files(tmp_path, write)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("end", [b'{"a":', b"\xff\n", b"\x00\x00\x00\x00\n", b'{"a": "\xc3'])
def test_lines_are_read_up_to_one_that_is_not_whole(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes('{"a": "x\u2028y"}\n{"a": 2}\n'.encode() + end)
    assert read_lines(path) == [{"a": "x\u2028y"}, {"a": 2}]


def test_no_file_has_no_lines_and_an_unreadable_one_is_named(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "absent") == []
    (tmp_path / "file").touch()
    assert read_lines(tmp_path / "file" / "below") == []
    with pytest.raises(BundleError, match="unreadable") as caught:
        read_lines(tmp_path)
    assert caught.value.where == str(tmp_path)


def test_an_error_of_the_file_system_names_path_and_mend(tmp_path: Path) -> None:
    with (
        pytest.raises(TrainingError, match="No space left") as caught,
        refusing(TrainingError, tmp_path),
    ):
        fail()
    assert caught.value.where == str(tmp_path)
    assert "--out" in caught.value.mend
    with pytest.raises(ValueError, match="other"), refusing(TrainingError, tmp_path):
        raise ValueError("other")

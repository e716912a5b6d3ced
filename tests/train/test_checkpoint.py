"""The state on disk is whole or not there, whenever the process dies or the disk is full."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from seq2see.errors import BundleError, TrainingError
from seq2see.train import checkpoint

FULL = OSError(errno.ENOSPC, "No space left on device")


class KilledError(BaseException):
    """Stands for SIGKILL: no `except` of the module catches it."""


def save(folder: Path, number: int) -> None:
    tensors = {"weight/a": torch.full((3,), float(number)), "random": torch.get_rng_state()}
    checkpoint.save(folder, tensors, {"step": number, "cursor": {"epoch": 0, "index": number}})


def loaded(folder: Path) -> int | None:
    """The number of the state in `folder`, whose tensors and facts have to belong together."""
    found = checkpoint.load(folder)
    if found is None:
        return None
    tensors, facts = found
    assert tensors["weight/a"].tolist() == [float(facts["step"])] * 3
    return int(facts["step"])


class Reaper:
    """Kills the process before or amid the n-th change of the file system."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left, self.dead = -1, False
        patch.setattr(os, "fsync", lambda handle: None)  # slow, and no process outlives the machine
        for owner, name in (
            (os, "fsync"), (Path, "rename"), (Path, "replace"), (Path, "mkdir"),
            (Path, "write_text"), (Path, "unlink"),
            (shutil, "rmtree"), (checkpoint, "save_file"),
        ):  # fmt: skip
            patch.setattr(owner, name, self.guarded(name, getattr(owner, name)))

    def guarded(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        half = {"write_text": self.half_write, "rmtree": self.half_remove}.get(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self.due():
                self.die()
            if half and self.due():
                half(*args)
                self.die()
            return real(*args, **kwargs)

        return call

    def die(self) -> None:
        self.dead = True  # no `finally` of the module does anything any more
        raise KilledError

    def due(self) -> bool:
        self.left -= 1
        return self.left == 0 or self.dead

    @staticmethod
    def half_write(path: Path, text: str, **_: Any) -> None:
        path.write_bytes(text.encode()[: len(text) // 2])

    @staticmethod
    def half_remove(path: Path, **_: Any) -> None:
        for each in sorted(path.glob("*"))[:1]:
            os.unlink(each)  # noqa: PTH108  Path.unlink is watched

    def dies(self, at: int, action: Callable[[], None]) -> bool:
        self.left = at
        try:
            action()
        except KilledError:
            return True
        finally:
            self.left, self.dead = -1, False
        return False


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    return Reaper(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "training" / "state"


def test_what_is_saved_is_loaded_and_replaced(folder: Path) -> None:
    assert checkpoint.load(folder) is None
    for number in (1, 2, 3):
        save(folder, number)
        assert loaded(folder) == number
        assert [path.name for path in folder.parent.iterdir()] == ["state"]


def test_tensors_keep_type_and_shape(folder: Path) -> None:
    tensors = {
        "a": torch.arange(6.0).view(2, 3).T,
        "b": torch.ones(2, dtype=torch.bfloat16),
        "c": torch.tensor(3.0),
        "d": torch.get_rng_state(),
    }
    checkpoint.save(folder, tensors, {})
    found, facts = checkpoint.load(folder) or ({}, None)
    assert facts == {}
    assert found.keys() == tensors.keys()
    assert all(found[k].dtype == v.dtype and torch.equal(found[k], v) for k, v in tensors.items())


def test_killed_at_any_point_of_the_first_save(folder: Path, reaper: Reaper) -> None:
    at = 1
    while reaper.dies(at, lambda: save(folder, 1)):
        assert loaded(folder) in (None, 1)
        save(folder, 2)
        assert loaded(folder) == 2
        shutil.rmtree(folder.parent)
        at += 1
    assert at > 10


def test_killed_at_any_point_of_a_later_save(folder: Path, reaper: Reaper) -> None:
    at, seen = 1, []
    save(folder, 1)
    while reaper.dies(at, lambda: save(folder, 2)):
        seen.append(loaded(folder))
        save(folder, 3)
        assert loaded(folder) == 3
        assert [path.name for path in folder.parent.iterdir()] == ["state"]
        shutil.rmtree(folder.parent)
        save(folder, 1)
        at += 1
    assert set(seen) == {1, 2}
    assert seen == sorted(seen)  # once the new state is seen, it stays


def test_killed_twice_there_still_is_a_whole_state(folder: Path, reaper: Reaper) -> None:
    def lives(at: int, number: int) -> bool:
        return not reaper.dies(at, lambda: save(folder, number))

    first = 1
    while True:
        save(folder, 1)
        if lives(first, 2):
            break
        kept = folder.parent.with_name("kept")
        shutil.copytree(folder.parent, kept)
        second = 1 + first % 2  # every other point in turn
        while not lives(second, 3):
            assert loaded(folder) in (1, 2, 3)
            shutil.rmtree(folder.parent)
            shutil.copytree(kept, folder.parent)
            second += 2
        assert loaded(folder) == 3
        shutil.rmtree(kept)
        shutil.rmtree(folder.parent)
        first += 1
    assert first > 10


@pytest.mark.parametrize(
    ("owner", "name", "error"),
    [
        (checkpoint, "save_file", FULL),
        (checkpoint, "save_file", SafetensorError("No space left on device")),
        (Path, "write_text", FULL),
        (Path, "mkdir", FULL),
        (os, "fsync", OSError(errno.EIO, "Input/output error")),
        (Path, "rename", OSError(errno.EROFS, "Read-only file system")),
        (Path, "replace", FULL),
    ],
)
def test_on_a_full_disk_the_old_state_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: Exception
) -> None:
    save(folder, 1)

    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        with pytest.raises(TrainingError, match="cannot be saved") as caught:
            save(folder, 2)
    assert caught.value.where == str(folder)
    assert "--resume" in caught.value.mend
    assert loaded(folder) == 1
    save(folder, 3)
    assert loaded(folder) == 3


@pytest.mark.parametrize("name", [checkpoint.TENSORS, checkpoint.FACTS])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"PK\x03\x04" * 20])
def test_a_damaged_state_is_refused_by_name(folder: Path, name: str, content: bytes) -> None:
    save(folder, 1)
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError, match="damaged") as caught:
        checkpoint.load(folder)
    assert str(folder) in caught.value.where
    assert "--out" in caught.value.mend


@pytest.mark.parametrize("name", [checkpoint.TENSORS, checkpoint.FACTS])
def test_a_truncated_state_is_refused(folder: Path, name: str) -> None:
    save(folder, 1)
    whole = (folder / name).read_bytes()
    for end in range(0, len(whole), max(1, len(whole) // 20)):
        (folder / name).write_bytes(whole[:end])
        with pytest.raises(BundleError):
            checkpoint.load(folder)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")
def test_all_is_on_disk_before_names_change(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(folder, 1)
    events: list[str] = []
    sync, moves = os.fsync, {name: getattr(Path, name) for name in ("rename", "replace")}

    def synced(handle: int) -> None:
        events.append(Path(f"/proc/self/fd/{handle}").resolve().name)
        sync(handle)

    def watched(name: str) -> Callable[[Path, Path], Path]:
        def renamed(path: Path, to: Path) -> Path:
            events.append(f"{path.name} -> {to.name}")
            return moves[name](path, to)

        return renamed

    monkeypatch.setattr(os, "fsync", synced)
    for name in moves:
        monkeypatch.setattr(Path, name, watched(name))
    save(folder, 2)
    partial = f"{checkpoint.FACTS}.partial"
    assert events == [
        checkpoint.TENSORS, "state.new", partial, f"{partial} -> {checkpoint.FACTS}", "state.new",
        "state -> state.old", "state.new -> state", "training",
    ]  # fmt: skip


def test_facts_are_plain_json(folder: Path) -> None:
    save(folder, 4)
    facts = json.loads((folder / checkpoint.FACTS).read_text(encoding="utf-8"))
    facts.pop("sha256")
    assert facts == {"step": 4, "cursor": {"epoch": 0, "index": 4}}


def test_a_number_that_changed_on_the_disk_is_noticed(folder: Path) -> None:
    save(folder, 4)
    content = bytearray((folder / checkpoint.TENSORS).read_bytes())
    content[-1] ^= 1
    (folder / checkpoint.TENSORS).write_bytes(content)
    with pytest.raises(BundleError, match="checksum"):
        checkpoint.load(folder)


def test_a_state_saved_without_a_checksum_is_taken_up(folder: Path) -> None:
    save(folder, 4)
    facts = json.loads((folder / checkpoint.FACTS).read_text(encoding="utf-8"))
    del facts["sha256"]
    (folder / checkpoint.FACTS).write_text(json.dumps(facts), encoding="utf-8")
    assert loaded(folder) == 4

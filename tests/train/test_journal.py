"""The journal: JSON lines that a resumed run continues, and the same as TensorBoard scalars."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from seq2see.errors import TrainingError
from seq2see.train.journal import Journal, TensorBoard, Validation, Window


def window(step: int) -> Window:
    return Window(step, 0.5, step / 100, 2.5, 2.0, 1.0, 0.001, 1000.0, 3.0)


def validation(step: int) -> Validation:
    return Validation(step, step / 100, "wer", 50.0, True, 4.0)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def written(path: Path, *steps: int) -> Path:
    journal = Journal(path)
    for step in steps:
        journal.window(window(step))
        journal.validation(validation(step))
    return path


def test_every_record_is_a_line_at_once(path: Path) -> None:
    journal = Journal(path)
    assert rows(path) == []
    journal.window(window(50))
    assert rows(path) == [{"kind": "train", **asdict(window(50))}]
    journal.validation(validation(50))
    assert rows(path)[1] == {"kind": "validation", **asdict(validation(50))}


def test_a_new_run_begins_a_new_journal(path: Path) -> None:
    written(path, 50, 100)
    Journal(path)
    assert rows(path) == []


@pytest.mark.parametrize(("after", "kept"), [(100, [50, 50, 100, 100]), (99, [50, 50]), (500, 6)])
def test_resuming_drops_what_will_be_written_again(path: Path, after: int, kept: Any) -> None:
    written(path, 50, 100, 150)
    journal = Journal(path, after)
    steps = [row["step"] for row in rows(path)]
    assert steps == ([50, 50, 100, 100, 150, 150] if kept == 6 else kept)
    journal.window(window(999))
    assert [row["step"] for row in rows(path)] == [*steps, 999]


def test_a_line_cut_by_the_death_of_the_process_is_dropped(path: Path) -> None:
    written(path, 50, 100)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    Journal(path, 100)
    assert path.read_bytes() == b"".join(whole.splitlines(keepends=True)[:-1])


def test_resuming_without_a_journal_begins_one(path: Path) -> None:
    Journal(path, 100)
    assert rows(path) == []


def test_killed_while_it_resumes_the_journal_keeps_its_past(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path, 50, 100)
    before = path.read_bytes()

    class KilledError(BaseException):
        pass

    def die(self: Path, *_: object, **__: object) -> None:
        self.write_bytes(b"{")
        raise KilledError

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(Path, "write_text", die)
        Journal(path, 100)
    assert path.read_bytes() == before


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("owner", "name"), [(Path, "write_text"), (os, "fsync")])
def test_on_a_full_disk_a_resumed_journal_keeps_its_past(
    path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    before = written(path, 50, 100).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, full)
        with pytest.raises(TrainingError, match="No space left") as caught:
            Journal(path, 50)
    assert caught.value.where == str(path)
    assert "--resume" in caught.value.mend and "--out" in caught.value.mend
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "write", [lambda journal: journal.window(window(1)), lambda j: j.validation(validation(1))]
)
def test_a_record_on_a_full_disk_is_one_message(
    path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Journal], None]
) -> None:
    journal = Journal(path)
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(TrainingError, match="No space left") as caught:
        write(journal)
    assert caught.value.where == str(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_disk_that_is_full_when_the_file_is_closed(path: Path) -> None:
    journal = Journal(path)
    path.unlink()
    path.symlink_to("/dev/full")
    with pytest.raises(TrainingError, match="No space left"):
        journal.window(window(1))


WATCHED = """
import os, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from seq2see.train.journal import TensorBoard, Validation, Window
board = TensorBoard(Path(sys.argv[1]))
for step in (50, 100):
    board.window(Window(step, 0.5, 0.1, 2.5, 2.0, 1.0, 0.001, 1000.0, 3.0))
board.validation(Validation(100, 0.1, "wer", 50.0, True, 4.0))
os._exit(0)  # as abrupt as a kill
"""


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder)).Reload()
    tags = events.Tags()["scalars"]
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_gets_the_same_records(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    board = TensorBoard(tmp_path)
    board.window(window(50))
    board.validation(validation(50))
    assert [path.name for path in tmp_path.iterdir() if "tfevents" in path.name]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_records_outlive_the_process(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    subprocess.run([sys.executable, "-c", WATCHED, str(tmp_path)], check=True)
    found = scalars(tmp_path)
    assert found["train/loss"] == [(50, 2.5), (100, 2.5)]
    assert found["validation/wer"] == [(100, 50.0)]
    assert set(found) == {
        "train/loss", "train/likelihood", "train/gradient_norm", "train/rate",
        "train/tokens_per_second", "validation/wer",
    }  # fmt: skip

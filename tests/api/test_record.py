"""The files of a comparison."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from seq2see.api.record import Record, tokens_per_second, write_text
from seq2see.errors import BundleError, ConfigError
from seq2see.files import read_lines

TRAINING: dict[str, Any] = {"draft": {"seed": 1, "models": ("a", "b")}, "pairs": "12ab"}


def record(out: Path, training: dict[str, Any] = TRAINING) -> Record:
    return Record(out, {"command": "seq2see compare"}, training)


@pytest.mark.parametrize("exists", [True, False])
def test_an_empty_folder_is_free(tmp_path: Path, exists: bool) -> None:
    record(tmp_path if exists else tmp_path / "new").check()


def test_its_own_folder_is_taken_up(tmp_path: Path) -> None:
    record(tmp_path).write(())
    record(tmp_path).check()
    assert json.loads(record(tmp_path).path.read_text("utf-8"))["command"] == "seq2see compare"


def test_a_comparison_of_other_data_is_refused(tmp_path: Path) -> None:
    record(tmp_path).write(())
    with pytest.raises(ConfigError, match="other training data"):
        record(tmp_path, {**TRAINING, "pairs": "34cd"}).check()


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_foreign_folder_is_refused(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "thesis.tex").write_text("")
    if content is not None:
        (tmp_path / "comparison.json").write_text(content)
    with pytest.raises(ConfigError, match="--out"):
        record(tmp_path).check()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--out"):
        record(tmp_path / "file").check()


def test_what_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="cannot be written"):
        write_text(tmp_path / "file" / "below.json", "{}")


def test_a_full_disk_keeps_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    record(tmp_path).write(())
    before = record(tmp_path).path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match="No space left on device") as caught:
        record(tmp_path, {}).write(())
    assert caught.value.where == str(record(tmp_path).path)
    assert record(tmp_path).path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [record(tmp_path).path]


def test_lines_are_read_up_to_a_broken_one(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"a": "x\u2028y"}\n{"a": 2}\n{"a":', encoding="utf-8")
    assert read_lines(path) == [{"a": "x\u2028y"}, {"a": 2}]
    assert read_lines(tmp_path / "absent") == []


def test_speed_is_tokens_over_seconds(tmp_path: Path) -> None:
    # 50 steps of 100 tokens at 1,000/s take 5 s, 10 more at 100/s take 10 s.
    rows = [
        {"kind": "train", "step": 50, "tokens_per_second": 1000.0},
        {"kind": "validation", "step": 50, "score": 1.0},
        {"kind": "train", "step": 60, "tokens_per_second": 100.0},
    ]
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert tokens_per_second(path) == pytest.approx(6000 / 15)
    assert tokens_per_second(tmp_path / "absent") == 0

"""One update, shared by two real processes, is the update that one process makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import TINY, copying, write_tsv
from seq2see.errors import ConfigError
from seq2see.train.distributed import Team, join

SETTINGS = (
    *TINY,
    "model.dropout=0",
    "data.copies=0",
    "train.steps=60",
    "train.accumulate=2",
    "train.validations=2",
)


def journal(folder: Path) -> list[tuple[int, float]]:
    """The losses and scores a run wrote down, with their steps."""
    rows = map(json.loads, (folder / "training" / "metrics.jsonl").read_text().splitlines())
    return [(row["step"], row["loss"] if row["kind"] == "train" else row["score"]) for row in rows]


def train(data: Path, out: Path, processes: int) -> None:
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *(launcher if processes > 1 else []), "-m", "seq2see", "train"]
    subprocess.run(
        [*command, str(data), *SETTINGS, "--out", str(out), "--device", "cpu"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=120,
    )


def test_two_processes_train_like_one(tmp_path: Path) -> None:
    data = write_tsv(tmp_path / "pairs.tsv", copying(120))
    train(data, tmp_path / "one", 1)
    train(data, tmp_path / "two", 2)
    one, two = journal(tmp_path / "one"), journal(tmp_path / "two")
    assert [step for step, _ in one] == [step for step, _ in two]
    assert [value for _, value in two] == pytest.approx([value for _, value in one], rel=1e-4)


def test_a_group_that_cannot_be_dealt_out_is_refused() -> None:
    with pytest.raises(ConfigError, match="multiple of 2"):
        Team(0, 2).check(3)


def test_a_process_started_by_nobody_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert join() == Team(0, 1)

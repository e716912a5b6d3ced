"""Kill -9 at random moments and resume: the same as a run never killed, to the last bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures import TINY, easy, journal_rows, write_tsv

KILLS = {"ema": 3, "last": 2}
STEPS = 300
PATIENCE = 120  # seconds a process may take

COMMON = (
    *TINY,
    f"train.steps={STEPS}",
    "train.save_every=0",
    "train.validation_pairs=20",
    "train.label_smoothing=0.1",
    "model.dropout=0.2",
    "data.copies=4",
    "data.copy_noise=0.3",
    "decode.beam=2",
    "seed=3",
)

ROLES = (
    'model.roles=[{at="encoder.0.self",head=0,role="previous",how="guided",weight=0.2,until=130},'
    '{at="decoder.0.cross",head=1,role="same_token"}]'
)

RUNS = {
    "ema": ("train.average=ema", "train.validations=6"),
    "last": (
        "train.average=last",
        "train.last=3",
        "train.validations=15",
        "train.patience=4",
        ROLES,
    ),
}


@dataclass(frozen=True)
class Place:
    """Where a run stands and how it is started."""

    data: Path
    out: Path
    name: str

    @property
    def journal(self) -> Path:
        return self.out / "training" / "metrics.jsonl"

    def arguments(self) -> list[str]:
        return [str(self.out), *COMMON, *RUNS[self.name]]

    def rows(self) -> list[dict[str, Any]]:
        return journal_rows(self.journal)

    def lines(self) -> int:
        return self.journal.read_bytes().count(b"\n") if self.journal.exists() else 0


def start(data: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(data), *arguments]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    """Both runs, never killed, in one process."""
    folder = tmp_path_factory.mktemp("whole")
    data = write_tsv(folder / "pairs.tsv", easy())
    places = {name: Place(data, folder / name, name) for name in RUNS}
    first, second = (place.arguments() for place in places.values())
    assert start(data, [*first, "--", *second]).wait(PATIENCE) == 0
    return places


def killed(place: Place, rng: random.Random, expected: int) -> bool:
    """Starts the run and kills it some lines further on; returns whether it lived that long."""
    before = place.lines()
    target = rng.randint(1, max(1, expected // (KILLS[place.name] + 1)))
    moment = rng.uniform(0, 0.05)
    process = start(place.data, place.arguments())
    deadline = time.monotonic() + PATIENCE
    # A resumed run first drops the lines behind its checkpoint, so lines are counted from there.
    lowest = before
    while process.poll() is None and time.monotonic() < deadline:
        lowest = min(lowest, place.lines())
        if place.lines() >= lowest + target:
            time.sleep(moment)
            break
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("name", RUNS)
def test_killed_and_resumed_equals_never_killed(
    whole: dict[str, Place], tmp_path: Path, name: str
) -> None:
    reference = whole[name]
    place = Place(reference.data, tmp_path / name, name)
    rng = random.Random(name)
    kills = sum(killed(place, rng, reference.lines()) for _ in range(KILLS[name]))
    assert kills == KILLS[name]
    assert 0 < place.lines() < reference.lines()
    assert start(place.data, place.arguments()).wait(PATIENCE) == 0

    assert place.rows() == reference.rows()
    for file in ("model.safetensors", "source.json", "target.json", "recipe.toml"):
        assert (place.out / file).read_bytes() == (reference.out / file).read_bytes(), file
    ours, theirs = (
        json.loads((each.out / "scores.json").read_text(encoding="utf-8"))
        for each in (place, reference)
    )
    ours["training"].pop("seconds")
    theirs["training"].pop("seconds")
    assert ours == theirs


def test_the_runs_do_what_they_are_to_prove(whole: dict[str, Place]) -> None:
    assert whole["ema"].rows()[-1]["step"] == STEPS
    guided = [row["guided"] for row in whole["last"].rows() if row["kind"] == "train"]
    assert guided[0] > guided[1] > guided[-1] == 0
    assert not any(row.get("guided") for row in whole["ema"].rows())
    for place in whole.values():
        scores = [row["score"] for row in place.rows() if row["kind"] == "validation"]
        assert len(scores) >= 5
        assert scores.index(max(scores)) > 0  # the kept weights change on the way
        assert max(row["epoch"] for row in place.rows() if row["kind"] == "train") >= 1

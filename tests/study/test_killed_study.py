"""A study killed in the middle of training and started again reads what one never killed reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures import journal_rows
from seq2see.study.carry_out import carry_out
from seq2see.study.trial import Options
from seq2see.train.checkpoint import FACTS

PATIENCE = 120  # seconds a process may take
MODELS = ("attention_none-seed1", "attention_dot-seed1")
LEAST = 6
"""Lines of the journal after which the study is killed, of twenty."""

STUDY = """
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match, score
from seq2see.study.modes import loss
from seq2see.study.plan import Factor, Study
from seq2see.study.speed import updates_until
from seq2see.study.verdict import judge


def claim(results):
    gain = results.difference(EXACT, {"attention": "none"}, {"attention": "dot"})
    return judge(f"{gain.value:+.1f} points.", gain)


STUDY = Study(
    name="killed",
    question="Does it go on?",
    varied="attention",
    fixed="the rest",
    hypothesis="It does.",
    caution="None.",
    factors=(Factor.setting("attention", "model.attention", ("none", "dot")),),
    material=Material("sort", train=60, dev=10, test=20, sizes={"length": (2, 4)}),
    measures=(exact_match, score("per"), loss, updates_until(50)),
    claim=claim,
    figures=lambda _: (),
    settings=("model.kind=gru", "train.optimizer=adamw"),
)
"""

# A checkpoint at every validation, and dropout, so that the random state counts too.
SETTINGS = (
    "model.d_embedding=8", "model.d_hidden=8", "model.dropout=0.2", "train.steps=60",
    "train.batch_tokens=64", "train.rate=0.01", "train.save_every=0", "train.validations=10",
    "train.precision=float32", "decode.beam=1",
)  # fmt: skip


ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(file: Path, out: Path) -> list[str]:
    words = ("-m", "seq2see", "study", str(file), *SETTINGS, "--seeds", "1", "--jobs", "1")
    return [sys.executable, *words, "--out", str(out)]


def readings(out: Path) -> list[Any]:
    outcomes = json.loads((out / "study.json").read_text(encoding="utf-8"))["outcomes"]
    return [(each["labels"], each["readings"]) for each in outcomes]


def never_killed(file: Path, out: Path) -> list[Any]:
    """Runs the study in this process, on as many threads as the others."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        results = carry_out(str(file), 1, Options(out, SETTINGS), 1, lambda _: None)
    finally:
        torch.set_num_threads(threads)
    return [(each.labels, [asdict(r) for r in each.readings]) for each in results.outcomes]


def rows(model: Path) -> list[dict[str, Any]]:
    return journal_rows(model / "training" / "metrics.jsonl")


def killed_in(process: subprocess.Popen[bytes], model: Path) -> int:
    """Kills a study once a checkpoint of the model stands; returns the lines of its journal."""
    state, journal = model / "training" / "state", model / "training" / "metrics.jsonl"
    deadline = time.monotonic() + PATIENCE
    try:
        while process.poll() is None and time.monotonic() < deadline:
            # A state is replaced as a folder, and for a moment there is none: `exists` bears it.
            if (state / FACTS).exists() and journal.read_bytes().count(b"\n") >= LEAST:
                break
            time.sleep(0.001)
    finally:  # whatever went wrong, no process is left behind for the next test
        process.send_signal(signal.SIGKILL)
        ended = process.wait()
    assert ended == -signal.SIGKILL
    return journal.read_bytes().count(b"\n")


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_study_killed_in_training_reads_the_same_to_the_last_bit(tmp_path: Path) -> None:
    file = tmp_path / "killed.py"
    file.write_text(STUDY, encoding="utf-8")
    whole, out = tmp_path / "whole", tmp_path / "out"
    asked = command(file, out)
    process = subprocess.Popen(asked, env=ALONE, stdout=subprocess.DEVNULL)
    before = killed_in(process, out / MODELS[1])
    measured = (out / MODELS[0] / "readings.json").read_bytes()
    assert not (out / MODELS[1] / "readings.json").exists()
    subprocess.run(asked, env=ALONE, stdout=subprocess.DEVNULL, timeout=PATIENCE, check=True)

    assert readings(out) == never_killed(file, whole)
    assert (out / MODELS[0] / "readings.json").read_bytes() == measured
    for model in MODELS:
        ours, theirs = (each / model for each in (out, whole))
        for name in ("model.safetensors", "source.json", "target.json"):
            assert (ours / name).read_bytes() == (theirs / name).read_bytes(), (model, name)
        assert rows(ours) == rows(theirs)
    assert LEAST <= before < len(rows(out / MODELS[1]))

"""One task from data to record: material, environments, contests, files."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from peers import record
from peers.catalogue import TOOLKITS
from peers.contest import Entry, Outcome, hold
from peers.contestant import Contestant, Start
from peers.entries import DECODES, MODEL, RECURRENT, SHAPE, UNITS, contests
from peers.install import Environments, clean_environment
from peers.material import BATCH_TOKENS, Material
from peers.picture import draw
from quality import ROOT, revision
from seq2see.api.record import write_text
from seq2see.bench.session import machine

LIMIT = 100
"""Tokens of an output at most; a trained model ends far below."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Args:
        rounds: windows of each entry.
        batch_tokens: a training batch, in padded tokens of its longer side.
        steps: updates of a training window.
        warmup: updates before the first window.
        sentences: decoded in a window.
        single: sentences decoded one at a time in a window.
        minutes: of training for the model that all decode with.
        held_out: pairs that it is validated on; 0 for all there are.
    """

    rounds: int = 5
    batch_tokens: int = BATCH_TOKENS
    steps: int = 20
    warmup: int = 5
    sentences: int = 1000
    single: int = 200
    minutes: float = 30.0
    held_out: int = 0


QUICK = Sizes(
    1, batch_tokens=256, steps=1, warmup=1, sentences=16, single=4, minutes=0.1, held_out=8
)
"""Shows that every piece runs; its figures say nothing."""


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Args:
        data: the folder of Multi30k.
        command: what does it again.
        out: where the records are written.
        home: where environments, material and the model stand.
        sizes: how much is measured.
        only: toolkits beside seq2see; empty for all.
        threads: of every toolkit.
        index: one more package index for pip.
    """

    data: Path
    command: str
    out: Path
    home: Path
    sizes: Sizes = field(default_factory=Sizes)
    only: tuple[str, ...] = ()
    threads: int = 1
    index: str = ""

    @property
    def model(self) -> Path:
        """Where the model stands that all decode with; one of other minutes is another one."""
        return self.home / f"model-{self.sizes.minutes:g}-minutes"

    def takes(self, entry: Entry) -> bool:
        """Tells whether an entry takes part."""
        return not self.only or entry.toolkit in (record.OURS, *self.only)


def run(task: str, plan: Plan) -> None:
    """Measures a task and writes `peers-TASK.json` and `peers-TASK.svg`; prints the tables."""
    begun = {"command": plan.command, **revision(), "machine": machine()}
    material = Material(plan.data, plan.home / "material")
    material.folder.mkdir(parents=True, exist_ok=True)
    if task in DECODES:
        material.train(plan.model, plan.sizes.minutes, plan.sizes.held_out)
        facts = material.write_test(plan.model, sentences(task, plan.sizes))
    else:
        facts = material.write_corpus(plan.sizes.batch_tokens)
    found: list[list[dict[str, Any]]] = []
    for entries in contests(task, plan.threads):
        taking = [entry for entry in entries if plan.takes(entry)]
        outcomes = hold(taking, plan.sizes.rounds, Door(task, plan, material.folder).enter, say)
        found.append(record.rows(outcomes))
        if task == "decoding":
            score(outcomes, found[-1], material, plan.model)
        print(*record.table(found[-1], UNITS[task]), "", sep="\n", flush=True)
    head = {**begun, "sizes": asdict(plan.sizes), "threads": plan.threads}
    write(task, head | {"shape": SHAPE, "data": facts, "contests": found}, plan.out)


def sentences(task: str, sizes: Sizes) -> int:
    """Returns how many test sentences a window of a decoding task takes."""
    return sizes.single if task == "latency" else sizes.sentences


def score(
    outcomes: Sequence[Outcome], rows: list[dict[str, Any]], material: Material, model: Path
) -> None:
    """Adds to each row the BLEU of its outputs, and the share of them that are seq2see's too."""
    given = {place: o.windows[0]["outputs"] for place, o in enumerate(outcomes) if o.windows}
    ours = given.get(0)  # who stands first in every contest
    for place, outputs in given.items():
        found = material.bleu(model, outputs)
        rows[place] |= {"bleu": found.value, "signature": found.signature}
        if ours is not None:
            same = [a == b for a, b in zip(outputs, ours, strict=True)]
            rows[place]["same_as_seq2see"] = sum(same) / len(same)


def write(task: str, facts: dict[str, Any], out: Path) -> None:
    """Writes a task's record and its chart."""
    text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    write_text(out / f"peers-{task}.json", text)
    draw(facts["contests"], UNITS[task], out / f"peers-{task}.svg")
    say(f"written to {out / f'peers-{task}.json'}")


def say(text: str) -> None:
    """Prints a line at once."""
    print(text, flush=True)


@dataclass(frozen=True)
class Door:
    """Starts the processes of a task's entries.

    Args:
        task: the task.
        plan: what is asked for.
        material: the folder of the files that runners read.
    """

    task: str
    plan: Plan
    material: Path

    def enter(self, entry: Entry) -> Contestant:
        """Installs an entry's toolkit if need be, starts its process, waits until it is ready.

        Raises:
            InstallError: pip failed.
            ContestantError: the process did not come to be ready.
        """
        environments = Environments(self.plan.home / "environments", self.plan.index)
        python = environments.python(TOOLKITS[entry.toolkit])
        command = [str(python), "-m", f"peers.runners.{entry.runner}", json.dumps(self.job(entry))]
        log = self.plan.home / "logs" / f"{self.task}-{entry.name.replace(', ', '-')}.log"
        return Contestant(Start(command, log, self.environment(entry)))

    def job(self, entry: Entry) -> dict[str, Any]:
        """Says what an entry's process is to do."""
        return {
            "task": self.task,
            "material": str(self.material),
            "precision": entry.precision,
            "threads": self.plan.threads,
            "steps": self.plan.sizes.steps,
            "warmup": self.plan.sizes.warmup,
            "shape": SHAPE,
            "model": RECURRENT if self.task == "recurrent" else MODEL,
            "limit": LIMIT,
            "options": entry.options,
        }

    def environment(self, entry: Entry) -> dict[str, str]:
        """Returns the variables of an entry's process: only our own Python sees our packages."""
        paths = [str(ROOT / "benchmarks")]
        if not TOOLKITS[entry.toolkit].requirements and "PYTHONPATH" in os.environ:
            paths.append(os.environ["PYTHONPATH"])
        threads = {"OMP_NUM_THREADS": str(self.plan.threads)}
        return clean_environment() | threads | {"PYTHONPATH": os.pathsep.join(paths)}

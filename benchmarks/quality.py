"""Trains with default settings on the public data sets and records what is reached.

    python benchmarks/quality.py FOLDER TASK [TASK ...] [--only PART ...] [--seed N] [--out RUNS]

FOLDER holds the data sets, one folder each; docs/benchmarks.md says where they come from.
Every part of a task (a language, say) is trained by `seq2see train`, scored on its test file by
`seq2see evaluate`, and written to benchmarks/results/TASK.json at once, so that an interrupted run
goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Part:
    """One training run of a task: data files relative to the folder of data sets."""

    train: str
    dev: str
    test: str
    settings: tuple[str, ...] = ()
    columns: str = ""


MULTI30K = Part(
    train="multi30k/train.lc.norm.tok.en,multi30k/train.lc.norm.tok.de",
    dev="multi30k/val.lc.norm.tok.en,multi30k/val.lc.norm.tok.de",
    test="multi30k/test_2016_flickr.lc.norm.tok.en,multi30k/test_2016_flickr.lc.norm.tok.de",
)
TASKS: dict[str, dict[str, Part]] = {
    "cmudict": {"en": Part("cmudict/train.tsv", "cmudict/dev.tsv", "cmudict/dev.tsv")},
    "multi30k": {"en-de": MULTI30K},
    "multi30k-bilstm": {
        "en-de": Part(MULTI30K.train, MULTI30K.dev, MULTI30K.test, ("model.kind=bilstm+attention",))
    },
    "sigmorphon2020": {
        lang: Part(*(f"sigmorphon2020/{lang}_{part}.tsv" for part in ("train", "dev", "test")))
        for lang in ["ady", "arm", "bul", "dut", "fre", "geo", "gre", "hin", "ice", "lit", "rum"]
    },
    "inflection2022": {
        lang: Part(
            f"inflection2022/{lang}_large.train",
            f"inflection2022/{lang}.dev",
            f"inflection2022/{lang}.gold",
            columns="source=1,target=2,features=3",
        )
        for lang in ["ang", "ara", "got", "hun", "kat", "non", "pol", "slk"]
    },
    "histnorm": {
        "german": Part(*(f"histnorm/german-ridges.{part}.txt" for part in ("train", "dev", "test")))
    },
}


def main() -> None:
    """Runs the tasks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("tasks", nargs="+", choices=TASKS)
    parser.add_argument("--only", nargs="*", default=[], help="parts, such as languages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    given = parser.parse_args()
    for task in given.tasks:
        for name, part in TASKS[task].items():
            if not given.only or name in given.only:
                run(task, name, part, given)


def run(task: str, name: str, part: Part, given: argparse.Namespace) -> None:
    """Trains and scores one part and adds it to the task's results."""
    out = given.out / f"{task}-{name}-{given.seed}"
    columns = ["--columns", part.columns] if part.columns else []
    train = ["train", part.train, *part.settings, "--dev", part.dev, *columns]
    train += ["--seed", str(given.seed), "--out", str(out.resolve())]
    begin = time.perf_counter()
    seq2see(train, given.folder)
    minutes = (time.perf_counter() - begin) / 60
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    evaluate = ["evaluate", str(out.resolve()), part.test, *columns, "--json"]
    report = json.loads(seq2see(evaluate, given.folder))
    report = {key: report[key] for key in ("data", "scores", "unknown_share") if key in report}
    facts = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    command = " ".join(["seq2see", *map(shlex.quote, train[:-2])])
    record(task, f"{name}/seed{given.seed}", {
        "command": command,
        "commit": subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip(),
        "seed": given.seed,
        "minutes": round(minutes, 2),
        "machine": f"{platform.machine()}, {cores()} cores, no GPU",
        "threads": int(os.environ.get("OMP_NUM_THREADS", cores())),
        "peak_memory_mb": peak,
        "test": report,
        "dev": facts["dev"],
        "training": facts["training"],
    })  # fmt: skip


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def seq2see(arguments: list[str], folder: Path) -> str:
    """Runs the command line in the folder of data sets and returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "seq2see", *arguments],
        cwd=folder, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"seq2see {shlex.join(arguments)} ended with {done.returncode}")
    return done.stdout


def record(task: str, name: str, facts: dict[str, Any]) -> None:
    """Writes one part's facts into the task's file, whose other parts stay."""
    path = RESULTS / f"{task}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known[name] = facts
    text = json.dumps(dict(sorted(known.items())), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    best = facts["test"]
    print(task, name, json.dumps(best)[:200], f"{facts['minutes']} min", flush=True)


if __name__ == "__main__":
    main()

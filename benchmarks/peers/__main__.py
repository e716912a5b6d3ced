"""Measures seq2see and other toolkits side by side.

    make bench-peers DATA=FOLDER [ARGS="--task training decoding --only eole ctranslate2"]

FOLDER holds Multi30k, English and German; docs/benchmarks.md says what is measured and how.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from peers import record
from peers.catalogue import TASKS, TOOLKITS
from peers.session import QUICK, Plan, Sizes, run
from quality import RESULTS, ROOT, cores
from seq2see.errors import Seq2seeError

HOME = ROOT / ".peers"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the tasks asked for and writes a record and a chart of each."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    given = parser().parse_args(words)
    plan = planned(given, words)
    try:
        for task in given.task:
            run(task, plan)
    except Seq2seeError as error:
        sys.exit(str(error))


def parser() -> argparse.ArgumentParser:
    """Describes the command line."""
    others = [name for name in TOOLKITS if name != record.OURS]
    threads = int(os.environ.get("OMP_NUM_THREADS", cores()))
    made = argparse.ArgumentParser(prog="peers", description=(__doc__ or "").split("\n")[0])
    made.add_argument("folder", type=Path, help="the folder of Multi30k")
    made.add_argument("--task", nargs="+", choices=TASKS, default=TASKS)
    made.add_argument("--only", nargs="+", choices=others, default=[], help="these and seq2see")
    made.add_argument("--rounds", type=int, help="windows of each entry")
    made.add_argument("--steps", type=int, help="updates of a training window")
    made.add_argument("--minutes", type=float, help="of training the model that all decode with")
    made.add_argument("--threads", type=int, default=threads, help="of every toolkit")
    made.add_argument("--quick", action="store_true", help="one tiny window: does each piece run?")
    made.add_argument("--index", default="", help="one more package index for pip")
    made.add_argument("--home", type=Path, default=HOME, help="environments, ids, model, logs")
    made.add_argument("--out", type=Path, help="the folder of the records")
    return made


def planned(given: argparse.Namespace, words: Sequence[str]) -> Plan:
    """Reads the options; what is quick or partial is not written where the records stand."""
    sizes = QUICK if given.quick else Sizes()
    changed = {
        name: value for name in ("rounds", "steps", "minutes") if (value := getattr(given, name))
    }
    whole = not (given.quick or given.only)
    options = [word for word in words if word != str(given.folder)]
    command = ["make", "bench-peers", "DATA=FOLDER"]
    command += [f"ARGS={shlex.join(options)}"] if options else []
    return Plan(
        data=given.folder.resolve(),
        command=shlex.join(command),
        out=given.out or (RESULTS if whole else given.home / "results"),
        home=given.home.resolve(),
        sizes=replace(sizes, **changed),
        only=tuple(given.only),
        threads=given.threads,
        index=given.index,
    )


if __name__ == "__main__":
    main()

"""Times what somebody waits for before any work is done, each time in a process of its own.

    python benchmarks/opening.py BUNDLE [--runs N]

`import` is `import seq2see`; `help` is `seq2see --help` from start to end, Python's own start
included; `open` is the import and `load(BUNDLE)` in a process that has imported torch. Compiled
Python stands in a folder of this script's own, as it does for whoever runs anything twice: one
run of each fills it and is not counted. Medians and extremes are recorded in
benchmarks/results/opening.json.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch

from quality import cores, keep, revision

TASK = "opening"


def main(arguments: Sequence[str] | None = None) -> None:
    """Times all three in turn, `--runs` times, and records what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--runs", type=int, default=9, help="processes of each that count")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as cache:
        rounds = [once(given.bundle, Path(cache)) for _ in range(given.runs + 1)][1:]
    facts = {name: told([each[name] for each in rounds]) for name in rounds[0]}
    for name, seconds in facts.items():
        print(f"{name}: {seconds['median']} s ({seconds['fastest']} to {seconds['slowest']})")
    keep(TASK, given.bundle.resolve().name, {"seconds": facts, **context(given)})


def once(bundle: Path, cache: Path) -> dict[str, float]:
    """Returns the seconds each of the three takes once."""
    opening = "import seq2see; seq2see.load(sys.argv[1])"
    begin = time.perf_counter()
    child(["-m", "seq2see", "--help"], cache)
    helped = time.perf_counter() - begin
    return {
        "import": timed("", "import seq2see", bundle, cache),
        "help": helped,
        "open": timed("import torch; ", opening, bundle, cache),
    }


def timed(before: str, work: str, bundle: Path, cache: Path) -> float:
    """Returns the seconds that `work` takes after `before` in a new process."""
    clock = "time.perf_counter()"
    program = f"import sys, time; {before}begin = {clock}; {work}; print({clock} - begin)"
    return float(child(["-c", program, str(bundle)], cache))


def child(arguments: Sequence[str], cache: Path) -> str:
    """Runs Python with its compiled files in `cache`, and returns what it printed."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.check_output([sys.executable, *arguments], env=environment, text=True)


def told(seconds: Sequence[float]) -> dict[str, float]:
    """Returns the median and the extremes, in seconds."""
    return {
        "median": round(median(seconds), 3),
        "fastest": round(min(seconds), 3),
        "slowest": round(max(seconds), 3),
    }


def context(given: argparse.Namespace) -> dict[str, Any]:
    """Returns what the figures depend on."""
    size = sum(path.stat().st_size for path in given.bundle.iterdir() if path.is_file())
    return {
        "command": f"python benchmarks/opening.py {given.bundle} --runs {given.runs}",
        **revision(),
        "runs": given.runs,
        "bundle_mb": round(size / 2**20, 1),
        "cores": cores(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


if __name__ == "__main__":
    main()

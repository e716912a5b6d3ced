"""Measures what seq2see takes of memory and time as one thing grows, and records it.

    python benchmarks/growth.py KIND [options]

KIND is what grows: `data`, the pairs (benchmarks/growth_data.py). The record goes to
benchmarks/results/growth-KIND.json, with command and commit.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import growth_data
from quality import RESULTS, cores, revision

Options = Callable[[argparse.ArgumentParser], None]
Measure = Callable[[argparse.Namespace], dict[str, Any]]
KINDS: dict[str, tuple[Options, Measure]] = {"data": (growth_data.add_options, growth_data.data)}
"""What can grow: the options of each kind, and what measures it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures one kind of growth."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name, (add_options, measure) in KINDS.items():
        kind = kinds.add_parser(name, description=(measure.__doc__ or "").split("\n")[0])
        kind.add_argument("--record", type=Path, help="another file to write to")
        add_options(kind)
    given = parser.parse_args(arguments)
    shown = sys.argv[1:] if arguments is None else arguments
    code = revision()  # before the measurement, during which files may change
    facts = {
        "command": shlex.join(["python", "benchmarks/growth.py", *shown]),
        **code,
        "machine": f"{platform.machine()}, {cores()} cores, no GPU",
        **KINDS[given.kind][1](given),
    }
    path = given.record or RESULTS / f"growth-{given.kind}.json"
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

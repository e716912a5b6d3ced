"""The protocol: set up once, say so, then work a window each time the other side asks.

The job is the first argument, as JSON. Every answer is one line of JSON on standard output; all
else that a toolkit prints goes to standard error. Each line on standard input asks for the window
of that number. When the input ends, so does the process.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

Job = dict[str, Any]


@dataclass(frozen=True)
class Ready:
    """A toolkit that is set up.

    Args:
        work: does the window of a number, and returns what was done: `amount`, of tokens or of
            sentences, and whatever else the record is to hold.
        packages: whose versions the record names.
        facts: what else it is to say: the number of parameters, say.
    """

    work: Callable[[int], dict[str, Any]]
    packages: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)


def serve(prepare: Callable[[Job], Ready]) -> None:
    """Sets up and answers until the input ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    ready = prepare(json.loads(sys.argv[1]))
    versions = {name: metadata.version(name) for name in ready.packages}
    _say(out, {"ready": True, "versions": versions, **ready.facts})
    for line in sys.stdin:
        begin = time.perf_counter()
        done = ready.work(int(line))
        seconds = time.perf_counter() - begin
        _say(out, {"seconds": seconds, "peak_memory_mb": peak_memory(), **done})


def peak_memory() -> int:
    """Returns the peak memory of this process so far in MB (2**20 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():  # where getrusage counts what the parent held when it started this process
        found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return int(found[1]) // 2**10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (2**20 if sys.platform == "darwin" else 2**10)


def _say(out: Any, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer) + "\n")
    out.flush()

"""A toolkit that does next to nothing, in a process of its own, and a corpus of a few pairs."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from peers.contest import Entry
from peers.contestant import Contestant, Start

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"

FAKE = """
import json, sys, time
from peers.runners.serve import Ready, serve

def prepare(job):
    if job["fails"] == "at the start":
        raise RuntimeError("no such kernel")
    def work(window):
        with open(job["diary"], "a") as diary:
            diary.write(f"{job['name']} {window}\\n")
        print("a toolkit's own chatter")
        if job["fails"] == "in window 1" and window == 1:
            raise ValueError("out of beans")
        if job["fails"] == "by silence":
            time.sleep(60)
        time.sleep(0.01)
        return {"amount": 100}
    return Ready(work, ("numpy",), {"parameters": 7})

serve(prepare)
"""


@dataclass(frozen=True)
class Fakes:
    """Starts fake toolkits that write into one diary.

    Args:
        folder: where script, diary and logs stand.
    """

    folder: Path
    patience: float = 60.0

    def enter(self, entry: Entry) -> Contestant:
        script = self.folder / "fake.py"
        script.write_text(FAKE, encoding="utf-8")
        job = {"name": entry.toolkit, "diary": str(self.folder / "diary"), **entry.options}
        command = [sys.executable, str(script), json.dumps({"fails": ""} | job)]
        log = self.folder / f"{entry.toolkit}.log"
        return Contestant(Start(command, log, environment(), self.patience))

    def diary(self) -> list[str]:
        return (self.folder / "diary").read_text(encoding="utf-8").splitlines()


def environment() -> dict[str, str]:
    """The variables under which a process finds the package and seq2see."""
    paths = [str(BENCHMARKS), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def write_multi30k(folder: Path) -> Path:
    """Writes a data set of the names of Multi30k."""
    folder.mkdir()
    words = [
        "a",
        "dog",
        "runs",
        "over",
        "the",
        "green",
        "grass",
        "while",
        "two",
        "men",
        "look",
        "at",
        "it",
        "and",
        "laugh",
    ]
    for part, count in (("train.raw", 40), ("val.raw", 3), ("test_2016_flickr.raw", 4)):
        rows = [" ".join(words[i % 5 : i % 5 + 3 + i % 9]) for i in range(count)]
        for side, texts in (("en", rows), ("de", [row.upper() for row in rows])):
            (folder / f"{part}.{side}").write_text("\n".join(texts) + "\n", encoding="utf-8")
    return folder

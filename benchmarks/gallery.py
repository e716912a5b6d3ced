"""The studies' outcomes, kept as records, and the pages of the documentation made of them.

    python benchmarks/gallery.py         makes the pages anew from the records
    python benchmarks/gallery.py RUNS    first takes over what `seq2see study` left in RUNS

RUNS holds a folder study-NAME for each study, and study-NAME-cmudict or study-NAME-multi30k for
one on real data. A record (benchmarks/results/studies/NAME.json) holds every reading of every model
with the command, the commit and the time it took. A page is computed from it alone, so that a
verdict can be checked.
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quality import ROOT, cores, revision
from seq2see.files import write_text
from seq2see.report.view import Chart, Page
from seq2see.study import markdown
from seq2see.study.catalogue import NAMES, find
from seq2see.study.page import page
from seq2see.study.readings import Outcome, Reading
from seq2see.study.results import Results

RECORDS = ROOT / "benchmarks" / "results" / "studies"
PAGES = ROOT / "docs" / "gallery"
REAL = {"cmudict": "CMUdict", "multi30k": "Multi30k"}
"""Real data that a study can be run on beside its task, by the end of the folder's name."""

HEAD = """# The Transformer, question by question

Each question is asked of small models by a controlled experiment (see [Studies](../studies.md)):
what is varied is the only difference, every model is trained with several seeds, and the answer is
computed from the figures by the study's own rule. Where a hypothesis is not supported, or nothing
is decided, the page says so.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Takes over runs, if any are named, and makes the pages."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="?")
    given = parser.parse_args(arguments)
    if given.runs:
        for name in NAMES:
            for key in (name, *(f"{name}-{data}" for data in REAL)):
                take_over(key, given.runs / f"study-{key}")
    PAGES.mkdir(parents=True, exist_ok=True)
    write_text(PAGES / "index.md", "\n".join(index()))


def take_over(name: str, run: Path) -> None:
    """Makes a record of a finished run; one that has not finished is left."""
    path = run / "study.json"
    if not path.is_file():
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    outcomes = found["outcomes"]
    facts = {
        "command": at_home(found["command"]),
        **revision(),
        "seeds": sorted({outcome["seed"] for outcome in outcomes}),
        "minutes": round(sum(outcome["seconds"] for outcome in outcomes) / 60, 1),
        "cores": cores(),
        "outcomes": outcomes,
    }
    RECORDS.mkdir(parents=True, exist_ok=True)
    write_text(RECORDS / f"{name}.json", json.dumps(facts, ensure_ascii=False) + "\n")
    print(f"{name}: {found['verdict']['answer']}, {facts['minutes']} min")


def at_home(command: str) -> str:
    """Leaves out of a command where its outcome was put, which is a matter of the machine."""
    words = iter(shlex.split(command))
    kept = [word for word in words if word != "--out" or not next(words)]
    return shlex.join(kept)


def record(name: str) -> dict[str, Any] | None:
    """Returns what is recorded of a study, None where it has not been run."""
    path = RECORDS / f"{name}.json"
    found: dict[str, Any] | None = None
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
    return found


def made(key: str, facts: dict[str, Any]) -> Page:
    """Makes the page of a record; its pictures are named after the record too."""
    name = key.partition("-")[0]
    study = find(name)
    outcomes = (
        Outcome(
            each["labels"],
            each["seed"],
            tuple(Reading(**reading) for reading in each["readings"]),
            each["seconds"],
        )
        for each in facts["outcomes"]
    )
    results = Results(tuple(outcomes))
    one = page(study, results, study.claim(results), facts["command"])
    figures = (replace(each, name=key + each.name.removeprefix(name)) for each in one.figures)
    return replace(one, name=key, figures=tuple(figures))


def index() -> Iterator[str]:
    """Writes the page of every record, and yields the lines of the home page."""
    yield HEAD
    for number, name in enumerate(NAMES, 1):
        study, facts = find(name), record(name)
        yield f"## {number}. {study.question}\n"
        if facts is None:
            yield f"Not run at its full size yet: `seq2see study {name}`.\n"
        else:
            yield from entry(name, facts)
        for data, title in REAL.items():
            real = record(f"{name}-{data}")
            if real is not None:
                yield f"On {title} in the place of the task:\n"
                yield from entry(f"{name}-{data}", real)


def entry(key: str, facts: dict[str, Any]) -> Iterator[str]:
    """Writes the page of a record, and yields what the home page says of it."""
    one = made(key, facts)
    markdown.write(one, PAGES)
    yield f"**{one.answer}**\n"
    first = next(figure for figure in one.figures if isinstance(figure.drawing, Chart))
    yield f"[![{first.alt}]({first.name}.png)]({key}.md)\n"
    seeds = len(facts["seeds"])
    yield f"{seeds} seeds, {facts['minutes']:g} minutes of training and measuring in all;" + (
        f" [all figures]({key}.md).\n"
    )


if __name__ == "__main__":
    main()

"""Trains with default settings on the public data sets and records what is reached.

    python benchmarks/quality.py FOLDER TASK [TASK ...] [--only PART ...] [--seed N] [--again]
    python benchmarks/quality.py --summary

FOLDER holds the data sets, one folder each; docs/benchmarks.md says where they come from.
Every part of a task (a language, say) is trained by `seq2see train`, scored on its test file by
`seq2see evaluate`, and written to benchmarks/results/TASK.json at once. A part that stands there
with the same seed is skipped, and a run that was begun goes on where it stopped; `--again` begins
both anew.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True)
class Part:
    """One training run of a task: data files relative to the folder of data sets.

    `each_line` has every line of the test file count once, as in a corpus of running text; without
    it every distinct source counts once. `first` trains on as many lines of the file alone; 0: all.
    """

    train: str
    dev: str
    test: str
    settings: tuple[str, ...] = ()
    columns: str = ""
    each_line: bool = False
    first: int = 0


def fixed_heads(layers: int) -> str:
    """Writes a setting that fixes seven of eight heads of each encoder layer to a function.

    Source: Raganato et al. 2020, section 3; their two wide contexts are Gaussians here.
    """
    functions = ("self", "previous", "next", "first", "last", "gaussian(-2, 1)", "gaussian(2, 1)")
    tables = (
        f'{{at="encoder.{layer}.self", head={head}, role="{role}", how="fixed"}}'
        for layer in range(layers)
        for head, role in enumerate(functions)
    )
    return f"model.roles=[{', '.join(tables)}]"


def multi30k(form: str) -> Part:
    """Names the files of Multi30k in one form: `lc.norm.tok`, or `raw` as it is written."""
    names = (f"multi30k/{name}.{form}" for name in ("train", "val", "test_2016_flickr"))
    return Part(*(f"{name}.en,{name}.de" for name in names))


MULTI30K = multi30k("lc.norm.tok")
EIGHT = ("model.kind=transformer", "model.heads=8", "model.encoder_layers=4")
FIXED = (*EIGHT, fixed_heads(4))
SHORT = ("train.steps=2100",)
CMUDICT = Part("cmudict/train.tsv", "cmudict/dev.tsv", "cmudict/dev.tsv")
TASKS: dict[str, dict[str, Part]] = {
    "cmudict": {"en": CMUDICT},
    "cmudict-transformer": {
        "en": Part(CMUDICT.train, CMUDICT.dev, CMUDICT.test, ("model.kind=transformer",))
    },
    "cmudict-precision": {
        name: replace(
            CMUDICT, settings=(f"train.precision={name}", "preset=tiny", "train.steps=1000")
        )
        for name in ("float32", "bfloat16")
    },
    "multi30k": {"en-de": MULTI30K},
    "multi30k-bilstm": {
        "en-de": Part(MULTI30K.train, MULTI30K.dev, MULTI30K.test, ("model.kind=bilstm+attention",))
    },
    "multi30k-fixed": {
        "learned": replace(MULTI30K, settings=EIGHT + SHORT),
        "fixed": replace(MULTI30K, settings=FIXED + SHORT),
        "learned-2000": replace(MULTI30K, settings=EIGHT, first=2000),
        "fixed-2000": replace(MULTI30K, settings=FIXED, first=2000),
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
        "german": Part(
            *(f"histnorm/german-ridges.{part}.txt" for part in ("train", "dev", "test")),
            each_line=True,
        )
    },
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the tasks named on the command line, or shows what is recorded."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("tasks", nargs="+", choices=TASKS)
    parser.add_argument("--only", nargs="*", default=[], help="parts, such as languages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--again", action="store_true", help="begin anew what is done or begun")
    parser.add_argument(
        "--summary", action=Show, nargs=0, help="print a table of all that is recorded, and end"
    )
    given = parser.parse_args(arguments)
    unknown = set(given.only) - {name for task in given.tasks for name in TASKS[task]}
    if unknown:
        parser.error(f"no part of {', '.join(given.tasks)}: {', '.join(sorted(unknown))}")
    for task in given.tasks:
        for name, part in TASKS[task].items():
            if not given.only or name in given.only:
                run(task, name, part, given)


class Show(argparse.Action):
    """An option that prints the summary and ends, as `--help` prints the help."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Prints the table of all results."""
        print(*summary(), sep="\n")
        parser.exit()


def run(task: str, name: str, part: Part, given: argparse.Namespace) -> None:
    """Trains and scores one part and adds it to the task's results, unless it stands there."""
    out = (given.out / f"{task}-{name}-{given.seed}").resolve()
    key = f"{name}/seed{given.seed}"
    if key in results(task) and not given.again:
        print(task, key, "is recorded already", flush=True)
        return
    if given.again and out.exists():
        shutil.rmtree(out)
    record(task, key, train(part, out, given) | score(part, out, given.folder))


def train(part: Part, out: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Begins the run in `out`, or goes on with it, and says what it took."""
    data = beginning(part, out, given.folder)
    arguments = ["train", data, *part.settings, "--dev", part.dev, *columns(part)]
    arguments += ["--seed", str(given.seed)]
    resumed = all((out / "training" / name).is_file() for name in ("recipe.toml", "SHA256SUMS"))
    code = revision()
    begin = time.perf_counter()
    place = ["--out", str(out), *(["--resume"] if resumed else [])]
    _, peak = seq2see([*arguments, *place], given.folder)
    minutes = (time.perf_counter() - begin) / 60
    facts = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    if resumed:  # this process saw only the last stretch; the run itself kept count of all
        minutes = facts["training"]["seconds"] / 60
    return {
        "command": shlex.join(["seq2see", "train", part.train, *arguments[2:]]),
        **({"first_lines": part.first} if part.first else {}),
        **code,
        "resumed": resumed,
        "seed": given.seed,
        "minutes": round(minutes, 2),
        "machine": f"{platform.machine()}, {cores()} cores, no GPU",
        "threads": int(os.environ.get("OMP_NUM_THREADS", cores())),
        "peak_memory_mb": peak,
        "dev": facts["dev"],
        "training": facts["training"],
    }


def beginning(part: Part, out: Path, folder: Path) -> str:
    """Returns the training data; of a part that takes the first lines alone, a copy of those."""
    if not part.first:
        return part.train
    copies = []
    for name in part.train.split(","):
        copy = out.parent / f"first-{part.first}" / Path(name).name
        copy.parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("rb") as lines:
            copy.write_bytes(b"".join(islice(lines, part.first)))
        copies.append(str(copy))
    return ",".join(copies)


def score(part: Part, out: Path, folder: Path) -> dict[str, Any]:
    """Scores the model on the test file; nothing is kept that names a folder of this machine."""
    arguments = ["evaluate", str(out), part.test, *columns(part), "--json"]
    printed, _ = seq2see(arguments + ["--each-line"] * part.each_line, folder)
    report = json.loads(printed)
    kept = ("data", "each_line", "scores", "unknown_share", "blank", "unfinished")
    return {"test": {name: report[name] for name in kept}}


def columns(part: Part) -> list[str]:
    """Returns the option that says where source and target stand, if they stand elsewhere."""
    return ["--columns", part.columns] if part.columns else []


def revision() -> dict[str, Any]:
    """Returns the commit that is checked out and whether the code in src differs from it."""
    head, changes = (
        subprocess.check_output(["git", *command], cwd=ROOT, text=True).strip()
        for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "--", "src"])
    )
    return {"commit": head, "dirty": bool(changes)}


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def seq2see(arguments: list[str], folder: Path) -> tuple[str, int]:
    """Runs the command line in the folder of data sets; see `measured`."""
    return measured([sys.executable, "-m", "seq2see", *arguments], folder)


def measured(command: list[str], folder: Path) -> tuple[str, int]:
    """Runs a command and returns what it printed and its peak memory in MB (2**20 bytes).

    Raises:
        SystemExit: the command failed; its own message stands above.
    """
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        # RUSAGE_CHILDREN is the maximum over all processes so far; wait4 reports this one alone.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{shlex.join(command)} ended with {process.returncode}")
    return text, usage.ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)


def results(task: str) -> dict[str, Any]:
    """Returns the recorded parts of a task."""
    path = RESULTS / f"{task}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def record(task: str, key: str, facts: dict[str, Any]) -> None:
    """Adds one part's facts to the task's results, and prints them."""
    keep(task, key, facts)
    print(task, key, json.dumps(facts["test"])[:200], f"{facts['minutes']} min", flush=True)


def keep(task: str, key: str, facts: dict[str, Any]) -> None:
    """Writes one part's facts into the task's file, whose other parts stay."""
    known = {**results(task), key: facts}
    text = json.dumps(dict(sorted(known.items())), indent=2, ensure_ascii=False) + "\n"
    partial = RESULTS / f"{task}.json.partial"
    partial.write_text(text, encoding="utf-8")
    partial.replace(RESULTS / f"{task}.json")


def summary() -> Iterator[str]:
    """Yields the lines of a Markdown table: every recorded score, then its mean over the parts."""
    yield "| task | part | metric | value | 95 % interval | minutes |"
    yield "|---|---|---|---|---|---|"
    for task in TASKS:
        gathered = defaultdict(list)
        for key, facts in results(task).items():
            for score in facts["test"]["scores"]:
                metric, value, minutes = score["metric"], score["value"], facts["minutes"]
                gathered[facts["seed"], metric].append((value, minutes))
                interval = f"{score['low']:.2f} to {score['high']:.2f}"
                yield f"| {task} | {key} | {metric} | {value:.2f} | {interval} | {minutes:.1f} |"
        for (seed, metric), found in gathered.items():
            if len(TASKS[task]) > 1:
                value, minutes = map(mean, zip(*found, strict=True))
                part = f"macro mean, {len(found)} of {len(TASKS[task])}/seed{seed}"
                yield f"| {task} | {part} | {metric} | {value:.2f} | | {minutes:.1f} |"


if __name__ == "__main__":
    main()

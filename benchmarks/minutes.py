"""How good a model is after so many minutes of training: one run for each budget.

    python benchmarks/minutes.py FOLDER TASK [TASK ...] --budgets 4 8 16 [--seed N]

FOLDER holds the data sets; docs/benchmarks.md says where they come from. A run is told its minutes
beforehand, so that its learning rate falls in time: a point is what a user gets who asks for it.
Every point is recorded at once in benchmarks/results/minutes-TASK.json, and drawn beside it; one
that is recorded is skipped, and a run that was begun goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import quality
from drawing import write_svg
from quality import CMUDICT, MULTI30K, multi30k
from seq2see.report.charts import Axis, lines

TASKS = {"cmudict": CMUDICT, "multi30k": MULTI30K, "multi30k-raw": multi30k("raw")}


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains every task named with every budget."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("tasks", nargs="+", choices=TASKS)
    parser.add_argument("--budgets", nargs="+", type=float, required=True, help="minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--again", action="store_true", help="begin anew what is done or begun")
    given = parser.parse_args(arguments)
    for task in given.tasks:
        for budget in given.budgets:
            timed = replace(TASKS[task], settings=(f"train.minutes={budget:g}",))
            quality.run(f"minutes-{task}", f"{budget:g}", timed, given)
            draw(task)


def draw(task: str) -> None:
    """Draws the first metric of every recorded point against the minutes it was given."""
    found = quality.results(f"minutes-{task}")
    rows = []
    for key, facts in found.items():
        score = facts["test"]["scores"][0]
        budget, _, seed = key.partition("/seed")
        row = {"minutes": float(budget), "seed": f"seed {seed}"}
        rows.append(row | {name: score[name] for name in ("metric", "value", "low", "high")})
    rows.sort(key=lambda row: row["minutes"])
    chart = lines(
        rows,
        Axis("minutes", "minutes of training", zero=True),
        Axis("value", rows[0]["metric"]),
        series="seed",
        points=True,
    )
    write_svg(chart, quality.RESULTS / f"minutes-{task}.svg")


if __name__ == "__main__":
    main()

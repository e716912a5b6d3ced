"""Counts how many heads a trained model can spare, of each kind of attention and in which order.

    python benchmarks/heads.py BUNDLE --data TEST --judge DEV [--random N] [--beam N]

Heads go one after the other: by importance (the gradient's, found on DEV) and in N random orders.
All of TEST is decoded after each. What can go before the metric falls by 0.5 and by 1, and the
whole curves, are recorded in benchmarks/results/heads.json under the folder's name. Source: Michel
et al. 2019, section 4; Voita et al. 2019, section 6.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import seq2see as s2s
from quality import cores, keep, results, revision
from seq2see.look.curve import PruningCurve
from seq2see.look.prune import order, worth

KINDS = {"encoder": "encoder.*", "decoder": "decoder.*.self", "cross": "decoder.*.cross"}
FALLS = (0.5, 1.0)
TASK = "heads"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures one bundle, and records each curve as soon as it is drawn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", required=True, help="what is decoded and scored")
    parser.add_argument("--judge", required=True, help="what importance is found on")
    parser.add_argument("--random", type=int, default=3, help="random orders of each kind")
    parser.add_argument("--beam", type=int, default=1)
    given = parser.parse_args(arguments)
    model, name = s2s.load(given.bundle), given.bundle.resolve().name
    translator, pairs = model.translator(), model.read(given.judge)
    for kind, at in KINDS.items():
        orders = {"importance": order(worth(translator, "gradient", pairs, at))}
        for seed in range(1, given.random + 1):
            orders[f"random {seed}"] = order(worth(translator, "random", None, at, seed))
        for how, heads in orders.items():
            key = f"{name}/{kind}/{how}"
            if key in results(TASK):
                print(key, "is recorded already", flush=True)
                continue
            begin = time.perf_counter()
            curve = model.pruning_curve(given.data, heads, beam=given.beam)
            minutes = (time.perf_counter() - begin) / 60
            facts = told(curve) | {"minutes": round(minutes, 2), **context(given)}
            keep(TASK, key, facts)
            print(key, facts["spare"], f"{minutes:.1f} min", flush=True)
    print(*summary(name), sep="\n")


def told(curve: PruningCurve) -> dict[str, Any]:
    """Turns a curve into what is recorded of it."""
    points = [
        {
            "kept": point.kept,
            "gone": [f"{at} {head}" for at, head in point.gone],
            "score": round(point.score, 3),
            "change": round(point.change.value, 3),
            "low": round(point.change.low, 3),
            "high": round(point.change.high, 3),
        }
        for point in curve.points
    ]
    spare = {str(fall): curve.spare(fall) for fall in FALLS}
    return {
        "metric": curve.metric,
        "heads": len(curve.points) - 1,
        "spare": spare,
        "points": points,
    }


def context(given: argparse.Namespace) -> dict[str, Any]:
    """Tells how a curve was made; of files, the names alone."""
    files = {key: Path(getattr(given, key).split(",")[0]).name for key in ("data", "judge")}
    return {**files, "beam": given.beam, "cores": cores(), **revision()}


def summary(name: str) -> list[str]:
    """Writes a Markdown table: how many heads can go, by importance and at random (the median)."""
    every = results(TASK)
    falls = " | ".join(f"fall of {fall}" for fall in FALLS)
    lines = [f"| heads | of | order | {falls} |", "|---|--:|---|" + "--:|" * len(FALLS)]
    for kind in KINDS:
        found = {key.rpartition("/")[2]: facts for key, facts in every.items()
                 if key.startswith(f"{name}/{kind}/")}  # fmt: skip
        by_chance = [facts for how, facts in found.items() if how.startswith("random")]
        groups = {"importance": [found["importance"]] if "importance" in found else []}
        groups[f"random, median of {len(by_chance)}"] = by_chance
        for how, each in groups.items():
            if each:
                spare = " | ".join(
                    f"{median(facts['spare'][str(fall)] for facts in each):g}" for fall in FALLS
                )
                lines.append(f"| {kind} | {each[0]['heads']} | {how} | {spare} |")
    return lines


if __name__ == "__main__":
    main()

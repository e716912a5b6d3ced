"""What a contest comes to: medians, ratios, one JSON file, one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import numpy as np

from peers.catalogue import TOOLKITS
from peers.contest import Outcome
from quality import ROOT

OURS = "seq2see"


def rates(outcome: Outcome) -> list[float]:
    """Returns what was done a second in each window."""
    return [window["amount"] / window["seconds"] for window in outcome.windows]


def ratio(ours: Outcome, other: Outcome) -> float | None:
    """Returns how many times as fast seq2see was: the median over the rounds that both worked.

    Both windows of a round lie side by side in time, so that each quotient is of one state of the
    machine. None where there is no such round.
    """
    both = list(zip(rates(ours), rates(other), strict=False))
    return median(a / b for a, b in both) if both else None


def rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Makes a record of each outcome of one contest; nobody is left out."""
    ours = next((each for each in outcomes if each.entry.toolkit == OURS), None)
    return [_row(each, ours) for each in outcomes]


def _row(outcome: Outcome, ours: Outcome | None) -> dict[str, Any]:
    entry, toolkit = outcome.entry, TOOLKITS.get(outcome.entry.toolkit)
    row: dict[str, Any] = {
        "name": entry.name,
        "toolkit": entry.toolkit,
        "precision": entry.precision,
        "options": entry.options,
        **{key: value for key, value in outcome.facts.items() if key != "ready"},
    }
    if toolkit is not None:
        row |= {"mended": list(toolkit.mended), "note": toolkit.note}
    found = rates(outcome)
    if found:
        row |= {"windows": found, "median": median(found), "low": min(found), "high": max(found)}
        row |= _extras(outcome)
        row["seq2see_times_as_fast"] = None if ours is None else ratio(ours, outcome)
    return row | {"error": outcome.error.replace(str(ROOT), ".")}


def _extras(outcome: Outcome) -> dict[str, Any]:
    """Peak memory, and of single sentences how long they took: medians over the windows."""
    windows = outcome.windows
    extras: dict[str, Any] = {"peak_memory_mb": max(each["peak_memory_mb"] for each in windows)}
    if "milliseconds" in windows[0]:
        for name, share in (("median_ms", 50), ("p95_ms", 95)):
            each = [float(np.percentile(window["milliseconds"], share)) for window in windows]
            extras[name] = median(each)
    if "outputs" in windows[0]:
        lengths = [len(row) for row in windows[0]["outputs"]]
        extras["output_tokens"] = sum(lengths)
    return extras


def table(found: Sequence[dict[str, Any]], unit: str) -> Iterator[str]:
    """Yields a Markdown table of the rows of a contest, the fastest first, failures last.

    Args:
        found: from `rows`.
        unit: of what is done a second.
    """
    extra = [
        key
        for key in ("bleu", "same_as_seq2see", "median_ms", "p95_ms")
        if any(key in row for row in found)
    ]
    heads = ["entry", f"{unit}/s", "windows", "seq2see is", "peak MB", *extra, "versions"]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in sorted(found, key=lambda row: -row.get("median", -1.0)):
        versions = ", ".join(f"{name} {which}" for name, which in row.get("versions", {}).items())
        if "median" not in row:
            yield f"| {row['name']} | failed: {_cell(row['error'])} |" + " |" * (len(heads) - 2)
            continue
        times = row["seq2see_times_as_fast"]
        cells = [
            row["name"] + (f" (then failed: {_cell(row['error'])})" if row["error"] else ""),
            f"{row['median']:,.1f}",
            f"{row['low']:,.1f} to {row['high']:,.1f} ({len(row['windows'])})",
            "" if times is None else f"{times:.2f} times as fast",
            str(row["peak_memory_mb"]),
            *(f"{row[key]:.2f}" if key in row else "" for key in extra),
            versions,
        ]
        yield "| " + " | ".join(cells) + " |"


def _cell(text: str) -> str:
    """Keeps a bar in a message from ending its cell."""
    return text.replace("|", "\\|")

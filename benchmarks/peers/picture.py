"""A chart of a task's medians, with the slowest and the fastest window as whiskers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drawing import write_svg
from seq2see.report.charts import Axis, bars


def draw(contests: Sequence[Sequence[dict[str, Any]]], unit: str, path: Path) -> None:
    """Writes an SVG with a bar for each entry that has a median; the others stand in the table.

    Args:
        contests: the rows of each contest of a task.
        unit: of what is done a second.
        path: the file.
    """
    found = [row for rows in contests for row in rows]
    shown = [
        {"name": row["name"], "value": row["median"], "low": row["low"], "high": row["high"]}
        for row in sorted(found, key=lambda row: -row.get("median", 0.0))
        if "median" in row
    ]
    if not shown:
        return
    chart = bars(
        shown,
        Axis("name", "", type="nominal"),
        Axis("value", f"{unit} a second, median of windows", format=",.0f", zero=True),
    )
    write_svg(chart, path)

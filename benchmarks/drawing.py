"""Charts of what was measured, as SVG files beside the records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import vl_convert

from seq2see.api.record import write_text
from seq2see.report.view import Chart

_CONFIG: dict[str, Any] = {
    "background": "white",
    "font": "sans-serif",
    "axis": {"labelLimit": 400},  # so that no name is cut
}
_WIDTH = 560


def write_svg(chart: Chart, path: Path) -> None:
    """Writes a chart as it stands in a document."""
    spec = {**chart.spec, "width": _WIDTH, "config": _CONFIG}
    svg: str = vl_convert.vegalite_to_svg(spec)
    write_text(path, svg)

"""From a report to one HTML file that fetches nothing and runs no text of the data."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup

from seq2see import __version__
from seq2see.files import finite
from seq2see.report.pieces import visible
from seq2see.report.view import Chart, Drawing, Report

_ASSETS = files("seq2see.report") / "assets"


def render(report: Report) -> str:
    """Writes a report as one HTML file.

    Nothing outside of the file is asked for: a content security policy forbids it. (With a live
    page, which no file has, the server that it came from may be asked.) Scripts run by their
    checksums alone, so that markup in a text of the data would stay without effect even if it were
    not shown as text, as it is. (Vega turns the formulas of a chart into functions, so that
    `unsafe-eval` is allowed; the charts' specifications hold no formula of the data.)
    """
    drawings = [figure.drawing for page in report.pages for figure in page.figures]
    charts = any(isinstance(one, Chart) for one in drawings)
    live = any(isinstance(one, Drawing) and one.kind == "live" for one in drawings)
    more = ["live"] * live
    # One function from the first part to the last, so that they share their tools and nothing else.
    own = "".join(_asset(f"{part}.js") for part in ("page", *more, "start"))
    scripts = [*([_vega()] if charts else []), own]
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["visible"] = visible
    return environment.from_string(_asset("page.html")).render(
        report=report,
        live=live,
        policy=policy(scripts, asking=live),
        style=Markup("".join(_asset(f"{part}.css") for part in ("page", *more))),
        data=Markup(embedded(as_data(report))),
        scripts=[Markup(script) for script in scripts],
        version=__version__,
    )


def as_data(report: Report) -> dict[str, Any]:
    """Returns what the report's script reads: drawings by their names, and what they share."""
    drawings = {
        figure.name: asdict(figure.drawing)
        for page in report.pages
        for figure in page.figures
        if figure.drawing is not None
    }
    return {"figures": drawings, "shared": dict(report.shared)}


def embedded(data: Mapping[str, Any]) -> str:
    r"""Writes JSON that can stand inside a script element: no `<` of a text is left as it is.

    `</script>` would end the element, and `<!--` would change how it ends; as `\u003c` both are the
    same text and no markup.
    """
    text = json.dumps(finite(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def policy(scripts: Sequence[str], *, asking: bool = False) -> str:
    """Writes the content security policy that lets these scripts run and no other.

    Args:
        scripts: their texts.
        asking: whether they may ask the server that the page came from.
    """
    sums = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in sums)
    return (
        f"default-src 'none'; script-src {allowed} 'unsafe-eval'; style-src 'unsafe-inline';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    ) + ("; connect-src 'self'" if asking else "")


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


@cache
def _vega() -> str:
    """Returns Vega, Vega-Lite and Vega-Embed as one script, from the package vl-convert."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")

"""Charts of lines and bars, as Vega-Lite specifications; size and colours come with the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import altair as alt

from seq2see.report.view import Chart

Row = Mapping[str, Any]

_SHORT = "datum.label && datum.value < 1e-3 ? format(datum.value, '~e') : datum.label"
"""Vega alone writes a thousandth of a thousandth in full, and a tenth of that as a power of 10."""

_POWERS = 6
"""Powers of 10 from which on an axis marks them alone, and not each of their multiples."""

FEW = 12
"""Steps between the numbers of an axis of whole numbers, at most."""


@dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Args:
        field: of the rows.
        title: with the unit.
        format: of the numbers, as in D3; empty for Vega's own choice.
        zero: whether it begins at 0.
        log: whether it counts by factors.
        type: whether it holds numbers or names.
    """

    field: str
    title: str
    format: str = ""
    zero: bool = False
    log: bool = False
    type: Literal["quantitative", "nominal"] = "quantitative"


def lines(
    rows: Iterable[Row], x: Axis, y: Axis, *, series: str = "", points: bool = False
) -> Chart:
    """Draws a line for each series.

    Args:
        rows: with the fields of both axes, and of the series.
        x: a number.
        y: a number; rows may have `low` and `high` beside it, which become a whisker.
        series: the field that tells lines apart, as a legend; empty for one line.
        points: whether each row is marked.
    """
    rows = list(rows)
    data = alt.InlineData(values=rows)
    # Vega writes halves between few whole numbers, however they are formatted.
    count = x.format == "d" and not x.log
    even = even_ticks([row[x.field] for row in rows], zero=x.zero) if count else []
    base = alt.Chart(data).encode(x=_x(x, even), y=_y(y), tooltip=_tooltip((x, y), series))
    base = base.encode(color=_colour(series)) if series else base
    point = {"size": 42} if points else False
    layers: list[Any] = [base.mark_line(point=point, strokeWidth=2, interpolate="linear")]
    if any("low" in row for row in data.values):
        whisker = alt.Chart(data).encode(x=_x(x, even), y=_y(replace(y, field="low")), y2="high")
        whisker = whisker.encode(color=_colour(series)) if series else whisker
        layers.insert(0, whisker.mark_rule(strokeWidth=2, opacity=0.4))
    return _chart(layers)


def bars(rows: Iterable[Row], name: Axis, value: Axis, *, series: str = "") -> Chart:
    """Draws a bar for each row, in the order of the rows.

    Args:
        rows: with the fields of both axes; `low` and `high` become a whisker.
        name: what each bar is called.
        value: how long it is.
        series: the field that bars of one name are stacked and coloured by; empty for none.
    """
    rows = list(rows)
    names = list(dict.fromkeys(row[series] for row in rows)) if series else []
    if series:  # the pieces of a bar stand in the order of the legend
        rows = [{**row, "place": names.index(row[series])} for row in rows]
    data = alt.InlineData(values=rows)
    y = alt.Y(name.field, type="nominal", sort=None, title=name.title or None)
    base = alt.Chart(data).encode(
        x=_x(value), y=y, tooltip=_tooltip((replace(name, type="nominal"), value), series)
    )
    if series:
        order = alt.Order("place", type="quantitative")
        base = base.encode(color=_colour(series), order=order)
    layers: list[Any] = [base.mark_bar(cornerRadiusEnd=2, height={"band": 0.66})]
    if any("low" in row for row in data.values):
        whisker = alt.Chart(data).encode(x=alt.X("low", type="quantitative"), x2="high", y=y)
        layers.append(whisker.mark_rule(strokeWidth=2))
    return _chart(layers, 24 * len({row[name.field] for row in rows}))


def points(rows: Iterable[Row], x: Axis, y: Axis, *, series: str = "") -> Chart:
    """Draws a point for each row.

    Args:
        rows: with the fields of both axes; `name` is shown at a touch.
        x: a number.
        y: a number.
        series: the field that colours tell apart; empty for none.
    """
    data = alt.InlineData(values=list(rows))
    tooltip = [alt.Tooltip("name", type="nominal", title=" "), *_tooltip((x, y), series)]
    made = alt.Chart(data).mark_point(filled=True, size=70, opacity=0.85)
    made = made.encode(x=_x(x), y=_y(y), tooltip=tooltip)
    return _chart([made.encode(color=_colour(series)) if series else made])


def even_ticks(values: Sequence[int], *, zero: bool = False) -> list[int]:
    """Chooses whole numbers in even steps of 1, 2 or 5 times a power of 10 around some others.

    Args:
        values: whole numbers; no tick where there is none or another kind of number.
        zero: whether the ticks begin at 0.
    """
    if not values or any(value != int(value) for value in values):
        return []
    low, high = int(min(values)), int(max(values))
    low = min(0, low) if zero else low
    each = (digit * 10**power for power in range(20) for digit in (1, 2, 5))
    step = next(one for one in each if -(-high // one) - low // one <= FEW)
    return list(range(low // step * step, -(-high // step) * step + 1, step))


def _chart(layers: Sequence[Any], height: int = 230) -> Chart:
    made: Any = alt.layer(*layers)
    spec = made.properties(width="container", height=height).to_dict(validate=False)
    for name in ("config", "$schema"):  # colours and fonts are the page's, and no address is needed
        spec.pop(name, None)
    return Chart(spec)


def _scale(axis: Axis, ticks: Sequence[int] = ()) -> alt.Scale:
    if len(ticks) > 1:
        return alt.Scale(domain=[ticks[0], ticks[-1]], nice=False, zero=False)
    return alt.Scale(type="log") if axis.log else alt.Scale(zero=axis.zero, nice=True)


def _x(axis: Axis, ticks: Sequence[int] = ()) -> alt.X:
    # Vega leaves every other of given ticks out where they are more than the page asks for.
    exact: dict[str, Any] = {"values": list(ticks), "tickCount": len(ticks)} if ticks else {}
    form = alt.Axis(format=axis.format or alt.Undefined, **exact)
    scale = _scale(axis, ticks)
    return alt.X(axis.field, type="quantitative", title=axis.title, scale=scale, axis=form)


def _y(axis: Axis) -> alt.Y:
    form = alt.Axis(format=axis.format or alt.Undefined)
    if axis.log:
        form.tickCount = _POWERS
    if axis.log and not axis.format:
        form.labelExpr = _SHORT
    return alt.Y(axis.field, type="quantitative", title=axis.title, scale=_scale(axis), axis=form)


def _colour(series: str) -> alt.Color:
    legend = alt.Legend(symbolOpacity=1)  # whiskers would make it as pale as they are
    return alt.Color(series, type="nominal", title=None, sort=None, legend=legend)


def _tooltip(axes: Sequence[Axis], series: str) -> list[alt.Tooltip]:
    shown = [
        alt.Tooltip(a.field, type=a.type, title=a.title or " ", format=a.format or alt.Undefined)
        for a in axes
    ]
    return [alt.Tooltip(series, type="nominal", title=" "), *shown] if series else shown

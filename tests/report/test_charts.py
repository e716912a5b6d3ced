"""Ticks of an axis of whole numbers: even, whole, and around all that is drawn."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from seq2see.report.charts import FEW, Axis, even_ticks, lines


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([50, 100, 188, 250], list(range(40, 261, 20))),
        ([50, 100, 150, 200, 250, 313], list(range(50, 351, 50))),
        ([0, 1, 2], [0, 1, 2]),
        (range(16), list(range(0, 17, 2))),
        ([7], [7]),
        ([], []),
        ([0.5, 1], []),
    ],
)
def test_ticks(values, ticks) -> None:
    assert even_ticks(values) == ticks


def test_ticks_lie_around_all_values_in_even_steps() -> None:
    draw = random.Random(3)
    for _ in range(200):
        top = 10 ** draw.randint(0, 7)
        values = [draw.randint(-top, top) for _ in range(draw.randint(1, 20))]
        ticks = even_ticks(values)
        assert ticks[0] <= min(values) and max(values) <= ticks[-1]
        assert len(ticks) <= FEW + 1
        assert len({b - a for a, b in pairwise(ticks)}) <= 1
    assert even_ticks([3, 9], zero=True)[0] == 0


def test_steps_of_training_get_even_ticks_and_all_of_them() -> None:
    rows = [{"step": step, "nats": 1.0} for step in (50, 100, 188, 250)]
    spec = lines(rows, Axis("step", "step", "d"), Axis("nats", "nats")).spec
    x = spec["layer"][0]["encoding"]["x"]
    assert x["axis"]["values"] == list(range(40, 261, 20))
    assert x["axis"]["tickCount"] == len(x["axis"]["values"])
    assert x["scale"]["domain"] == [40, 260]


def test_whiskers_have_the_colour_of_their_line() -> None:
    rows = [{"x": 1, "y": 2.0, "low": 1.0, "high": 3.0, "of": "rnn"}]
    whisker, line = lines(rows, Axis("x", "x"), Axis("y", "y"), series="of").spec["layer"]
    assert whisker["mark"]["type"] == "rule"
    assert whisker["encoding"]["color"] == line["encoding"]["color"]


def test_a_logarithmic_axis_writes_small_powers_alike() -> None:
    rows = [{"x": 1, "y": 1e-6}]
    axis = lines(rows, Axis("x", "x"), Axis("y", "y", log=True)).spec["layer"][0]["encoding"]["y"]
    assert "'~e'" in axis["axis"]["labelExpr"]
    assert axis["scale"]["type"] == "log"

"""Drawings opened in Chromium by themselves: what is read, in which order, and how well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Opened, opened
from report_samples import drawn

from seq2see.report.charts import Axis, bars, points
from seq2see.report.html import render
from seq2see.report.packing import packed
from seq2see.report.view import Drawing, Figure, Pieces, table

pytestmark = pytest.mark.browser

LEAST = 4.5
"""Contrast of text and what it stands on, as WCAG 2 asks of small text."""

CONTRAST = """([found, on]) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const luminance = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((c) => {
      const s = c / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll(found)].map((each) => {
    const ground = on ? each.closest(on) : each, style = getComputedStyle(each);
    const [a, b] = [luminance(style.color), luminance(getComputedStyle(ground).backgroundColor)];
    let faded = 1;
    for (let up = each; up; up = up.parentElement) faded *= Number(getComputedStyle(up).opacity);
    return { text: each.textContent, size: parseFloat(style.fontSize), faded,
      contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
  });
}"""


@pytest.fixture
def show(chromium, tmp_path: Path):
    """Opens figures as a page; what it says on its console is an error."""
    pages: list[Opened] = []

    def shown(*figures: Figure, width: int = 1280, scheme: str = "light", **shared: Any) -> Opened:
        file = tmp_path / f"{len(pages)}.html"
        file.write_text(render(drawn(*figures, **shared)), encoding="utf-8")
        pages.append(opened(chromium, file.as_uri(), width, scheme))
        return pages[-1]

    yield shown
    for one in pages:
        assert one.said == []
        one.page.context.close()


def pair(source: list[str], target: list[str]) -> dict[str, Any]:
    read = ["<s>", *target[:-1]]
    return {"source": source, "target": target, "read": read, "text": "".join(source),
            "output": "".join(target), "references": ["x"], "right": False}  # fmt: skip


def grid(*views: dict[str, Any], at: str = "") -> Figure:
    data = {"rows": "target", "columns": "source", "views": list(views), "at": at}
    return Figure("grid", "Grid", "A grid.", Drawing("grid", data))


def values(rows: int, columns: int, low: float = 0.0, high: float = 1.0) -> dict[str, Any]:
    return packed(np.linspace(low, high, rows * columns).reshape(rows, columns))


BLANKS = pair(["a", " ", "ب"], [" ", "▁", "▁b"])


# Blanks and directions.


def test_a_blank_is_seen_on_a_map(show) -> None:
    page = show(grid({"values": [values(3, 3)]}), pairs=[BLANKS])
    assert page.locator(".heat thead bdi").all_text_contents() == ["a", "␣", "ب"]
    assert page.locator(".heat tbody th bdi").all_text_contents() == ["␣", "␣", "_b"]
    assert "\u2068␣\u2069 ← \u2068a\u2069" in page.locator(".heat tbody td").first.get_attribute(
        "title"
    )
    widths = page.locator(".heat bdi").evaluate_all("all => all.map((e) => e.offsetWidth)")
    assert min(widths) >= 5


def tree() -> dict[str, Any]:
    names = [" ", "ب", "a", "</s>"]
    step = {"totals": [0.0], "likely": [[[0, 0.6], [1, 0.4]]],
            "ways": [[0, 0, 0.6, -0.5, "k"], [0, 1, 0.3, -1.2, "d"]]}  # fmt: skip
    after = {"totals": [-0.5], "likely": [[[1, 0.9], [2, 0.1]]], "ways": [[0, 1, 0.9, -0.6, "k"]]}
    end = {"totals": [-0.6], "likely": [[[3, 1.0]]], "ways": [[0, 3, 1.0, -0.6, "e"]]}
    return {"steps": [step, after, end], "best": [0, 1, 3], "names": names}


BEAM = Figure("beam", "Beam", "A tree.", Drawing("beam", {"width": 1, "trees": [tree()]}))


def test_a_blank_is_seen_in_a_search(show) -> None:
    page = show(BEAM, pairs=[BLANKS])
    assert page.locator(".node b").all_text_contents() == ["␣", "ب", "ب", "</s>"]
    page.locator("input[type=range]").focus()
    page.keyboard.press("End")
    # The hypothesis so far, its pieces in the order in which they were written, each by itself.
    assert page.locator(".likely h4 bdi bdi").all_text_contents() == ["␣", "ب"]
    assert page.locator(".likely li bdi").all_text_contents() == ["</s>"]


def test_pieces_of_several_scripts_stand_in_their_order(show) -> None:
    """From left to right as they are listed, and a number behind the piece that it belongs to."""
    each = Pieces((("ب", "+0.30"), ("م", "+0.20"), ("1", "+0.10"), ("ن", "+0.05")))
    only = Pieces((("ب", ""), ("م", ""), ("ن", "")))
    page = show(
        Figure("one", "One", "One.", table=table(("a", "b"), [(each, only)], ()), open=True)
    )
    for number in (0, 1):
        lefts = (
            page.locator(".pieces")
            .nth(number)
            .locator("bdi")
            .evaluate_all("all => all.map((e) => e.getBoundingClientRect().left)")
        )
        assert lefts == sorted(lefts)
    ends = (
        page.locator(".pieces")
        .first.locator("> span")
        .evaluate_all(
            "all => all.map((e) => [e.firstChild.getBoundingClientRect().right,"
            " e.getBoundingClientRect().right])"
        )
    )
    assert all(token < whole for token, whole in ends)


# What can be read.


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_cell_of_a_map_can_be_read(show, scheme: str) -> None:
    names = [str(i) for i in range(30)]
    figure = grid({"values": [values(30, 30)]})
    page = show(figure, scheme=scheme, pairs=[pair(names, names)])
    for _ in range(2):
        cells = page.evaluate(CONTRAST, [".heat tbody td:not(.faint)", ""])
        assert len(cells) > 800
        assert min(each["contrast"] for each in cells) >= LEAST
        page.locator("#theme").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_small_text_can_be_read(show, scheme: str) -> None:
    page = show(BEAM, wall_of(3), scheme=scheme, pairs=[BLANKS])
    places = {
        ".node.d b": ".node",
        ".node.d i": ".node",
        ".node.best i": ".node",
        ".node.best .mark": ".node",
        ".contents .count": "body",
        ".wall button span": "button span",
    }
    for found, ground in places.items():
        each = page.evaluate(CONTRAST, [found, ground])
        assert each
        for one in each:
            assert one["contrast"] >= LEAST and one["faded"] == 1 and one["size"] >= 11, (
                found,
                one,
            )


# The wall.


def wall_of(heads: int, **changes: Any) -> Figure:
    at, gone = "encoder.0.self", "encoder.1.self"
    data = {
        "groups": {"Encoder, looking at itself": [at, gone]},
        "maps": {
            at: packed(np.random.default_rng(1).random((heads, 4, 4))),
            gone: packed(np.zeros((0, 4, 4))),
        },
        "largest": {at: [0.5] * heads, gone: []},
        "notes": {at: ["previous", *["none"] * (heads - 1)], gone: []},
        "offsets": {at: [[0.1] * 17] * heads, gone: []},
        "entropies": {at: [0.42, *[None] * (heads - 1)], gone: []},
        "changes": {at: [-0.0312, *[0.25] * (heads - 1)], gone: []},
    } | changes
    return Figure("wall-maps", "Wall", "Maps.", Drawing("wall", data))


def test_a_tile_says_role_entropy_and_change(show) -> None:
    page = show(wall_of(2), pairs=[BLANKS])
    tiles = page.locator(".wall button")
    assert tiles.nth(0).locator("span").all_text_contents() == ["previous", "H .42", "Δ −.031"]
    assert tiles.nth(1).locator("span").all_text_contents() == ["–", "H –", "Δ +.250"]
    said = (
        "encoder.0.self, head 0: previous, entropy .42, ln p −.031 when ablated, largest weight .50"
    )
    assert tiles.nth(0).get_attribute("title") == said
    assert tiles.nth(0).get_attribute("aria-label") == f"{said}; open its card"


def test_an_attention_without_heads_has_a_row_that_says_so(show) -> None:
    page = show(wall_of(2), pairs=[BLANKS])
    assert page.locator(".wall .layer").nth(2).text_content() == "1no head left"


@pytest.mark.parametrize("width", [1280, 390])
def test_tiles_are_wide_enough_for_what_they_say(show, width: int) -> None:
    page = show(wall_of(8), width=width, pairs=[BLANKS])
    cut = page.locator(".wall button span").evaluate_all(
        "all => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)"
    )
    assert cut == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# The switch of measures.


def test_measures_open_at_one_layer_and_keep_to_it(show) -> None:
    views = [
        {"method": method, "at": at, "values": [values(3, 3)]}
        for method in ("weight", "norm")
        for at in ("decoder.0.cross", "decoder.1.cross")
    ]
    views.append({"method": "erasure", "at": "the whole network", "values": [values(3, 3)]})
    page = show(grid(*views, at="decoder.1.cross"), pairs=[BLANKS])

    def chosen() -> str:
        return page.locator("select").nth(1).evaluate("e => e.selectedOptions[0].textContent")

    assert chosen() == "decoder.1.cross"
    page.locator("label:has-text('norm') input").check()
    assert chosen() == "decoder.1.cross"
    page.locator("label:has-text('erasure') input").check()
    assert chosen() == "the whole network"
    page.locator("label:has-text('weight') input").check()
    assert chosen() == "decoder.1.cross"
    page.locator("select").nth(1).select_option("decoder.0.cross")
    page.locator("label:has-text('norm') input").check()
    assert chosen() == "decoder.0.cross"


# Narrow screens.


def test_no_legend_and_no_title_is_cut(show) -> None:
    rows = [{"name": "a", "x": 1, "y": 2, "part": part}
            for part in ("decoder to source", "encoder", "decoder")]  # fmt: skip
    long = "length added over length before, in the order of the network"
    chart = points(rows, Axis("x", long), Axis("y", "y"), series="part")
    bar = bars(
        [{"level": "encoder 0 feedforward", "x": 1.0}],
        Axis("level", ""),
        Axis("x", long, zero=True),
    )
    page = show(Figure("a", "A", "A.", chart), Figure("b", "B", "B.", bar), width=390)
    texts = page.locator(".drawing svg text").all_text_contents()
    assert not any("…" in text for text in texts)
    assert "decoder to source" in texts
    for number in (0, 1):
        svg = page.locator(".drawing svg.marks").nth(number)
        inside = svg.evaluate(
            "svg => [...svg.querySelectorAll('text')].every((e) => {"
            " const a = e.getBoundingClientRect(), b = svg.getBoundingClientRect();"
            " return a.left >= b.left - 1 && a.right <= b.right + 1 && a.bottom <= b.bottom + 1; })"
        )
        assert inside


def test_rows_of_pieces_are_low_on_a_narrow_screen(show) -> None:
    each = Pieces(tuple((piece, "+0.12") for piece in "abcde"))
    rows = [
        (str(i), Pieces(tuple((p, "") for p in "abcdef")), "3.20", "50.0 %", each) for i in range(4)
    ]
    heads = ("neuron", "driven most by", "largest value", "active", "promotes")
    numbers = table(heads, rows, (heads[0], *heads[2:4]))
    page = show(Figure("one", "One", "One.", table=numbers, open=True), width=390)
    heights = page.locator("tbody tr").evaluate_all("all => all.map((e) => e.offsetHeight)")
    assert max(heights) <= 56
    # That the table goes on is seen by a shadow at its edge.
    assert page.locator(".scroll").evaluate("e => e.scrollWidth > e.clientWidth")
    assert "gradient" in page.locator(".scroll").evaluate(
        "e => getComputedStyle(e).backgroundImage"
    )


def test_the_table_of_heads_is_whole_at_1280(show) -> None:
    heads = (
        "attention", "head", "role (best)", "match", "if even", "largest weight", "entropy",
        "importance", "change when ablated",
    )  # fmt: skip
    row = ("encoder.0.self", "0", "none (same token)", "0.12", "0.11", "0.33", "0.85", "0.0052",
           "−0.008 (−0.012 to −0.003)")  # fmt: skip
    wall = Figure(
        "w", "W", "W.", wall_of(1).drawing, table(heads, [row], (heads[1], *heads[3:])), open=True
    )
    page = show(wall, pairs=[BLANKS])
    box = page.locator(".scroll")
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert page.locator("th").last.text_content() == heads[-1]

"""A report opened in Chromium: it asks nobody for anything, and what can be touched answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import Opened, opened_file
from report_samples import ODD, Made

from seq2see.report.pieces import visible

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium, transformer: Made) -> Iterator[Opened]:
    one = opened_file(chromium, transformer)
    yield one
    assert one.said == []
    one.page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_a_word_and_asks_nobody(chromium, either, width, scheme) -> None:
    one = opened_file(chromium, either, width, scheme)
    assert [url for url in one.asked if not url.startswith("data:")] == [either.file.as_uri()]
    assert one.evaluate("document.documentElement.scrollWidth") <= width
    charts = sum(
        not hasattr(f.drawing, "kind") for p in either.report.pages for f in p.figures if f.drawing
    )
    assert one.locator(".drawing svg.marks").count() == charts
    assert one.locator(".drawing:empty").count() == 0
    one.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert one.evaluate("document.documentElement.scrollWidth") <= width
    assert one.said == []
    one.page.context.close()


def test_markup_of_the_data_is_seen_as_text(page, transformer: Made) -> None:
    assert page.locator("main script, main b b, main img").count() == 0
    for number, pair in enumerate(transformer.report.shared["pairs"]):
        if pair["text"] in {one.source for one in ODD}:
            page.locator("#alignment select").first.select_option(index=number)
            assert page.locator("#alignment .texts dd").first.text_content() == pair["text"]
            shown = page.locator("#alignment .heat thead bdi").all_text_contents()
            assert shown == [visible(piece) for piece in pair["source"]]


def test_a_pair_is_chosen_everywhere_at_once(page, transformer: Made) -> None:
    page.locator("#decoding td a").nth(2).click()
    wanted = transformer.report.shared["pairs"][2]["text"]
    for name in ("decoding", "alignment"):
        assert page.locator(f"#{name} .texts dd").first.text_content() == wanted
    assert page.evaluate("location.hash") == "#decoding"


def test_the_scale_of_a_head_answers_to_the_keyboard(page) -> None:
    slider = page.locator("#head input[type=range]")
    facts = page.locator("#head .facts")
    slider.focus()
    before = facts.text_content()
    page.keyboard.press("ArrowRight")
    sharper = facts.text_content()
    assert sharper != before
    # The slider was drawn anew, and the keyboard has not lost it.
    assert page.evaluate("document.activeElement.type") == "range"
    page.keyboard.press("ArrowLeft")
    assert facts.text_content() == before
    page.get_by_role("button", name="Undivided").click()
    assert "scale1.000" in facts.text_content()


def test_a_head_s_weights_are_those_of_its_pattern(page, transformer: Made) -> None:
    """What the script computes from queries and keys, beside what the grid shows of the trace."""
    page.locator("#head select").nth(1).select_option("decoder.1.cross")
    page.locator("#head .choice input").nth(1).check()
    shown = page.locator("#head .qk tbody tr td:nth-child(5)").all_text_contents()
    seen = transformer.subject.traces[0]["decoder.1.cross.pattern"][0, 1, 0]
    assert [float(text) for text in shown] == pytest.approx(seen.tolist(), abs=0.0051 + 0.001)


def test_heads_and_queries_are_chosen_with_the_arrows(page) -> None:
    first = page.locator("#head .choice").nth(0).locator("input").first
    first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#head .choice").nth(0).locator("input").nth(1).is_checked()
    assert page.evaluate("document.activeElement.checked")
    page.locator("#head .choice").nth(1).locator("input").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#head .choice").nth(1).locator("input").nth(1).is_checked()


def test_a_tile_of_the_wall_opens_the_head_s_card(page) -> None:
    page.locator("#wall button[aria-label^='decoder.1.self, head 1']").click()
    assert page.evaluate("location.hash") == "#head"
    assert page.locator("#head select").nth(1).input_value() == "decoder.1.self"
    assert page.locator("#head .choice").nth(0).locator("input").nth(1).is_checked()
    assert page.locator("#wall button[aria-pressed=true]").count() == 1


def test_the_steps_of_a_search_follow_the_slider(page) -> None:
    slider = page.locator("#decoding input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator("#decoding .likely > div").count() == 1
    page.keyboard.press("ArrowRight")
    assert page.locator("#decoding .likely > div").count() > 1
    assert "Step 2" in page.locator("#decoding .sub").text_content()


def test_colours_are_switched(page) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light, line = page.evaluate(paper), page.locator("#training svg.marks").first
    before = line.inner_html()
    page.locator("#theme").click()
    assert page.evaluate(paper) != light
    assert page.locator("#theme").get_attribute("aria-pressed") == "true"
    page.wait_for_function(
        "before => document.querySelector('#training svg.marks').innerHTML !== before", arg=before
    )
    page.locator("#theme").click()
    assert page.evaluate(paper) == light


def test_the_keyboard_sees_where_it_is(page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(3):
        page.keyboard.press("Tab")
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash").startswith("#")


def test_text_from_right_to_left_keeps_its_direction(page, transformer: Made) -> None:
    pairs = transformer.report.shared["pairs"]
    number = next(i for i, pair in enumerate(pairs) if pair["text"] == "שלום")
    page.locator("#alignment select").first.select_option(index=number)
    cell = page.locator("#alignment .texts dd").first
    assert cell.evaluate("e => getComputedStyle(e).direction") == "rtl"

"""The live page in Chromium: what is typed and clicked is answered, at once and as text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import Opened, opened
from report_samples import SCRIPT, Served

from seq2see.data.pairs import Pair

pytestmark = pytest.mark.browser

HEAD = "#live button[aria-label^='decoder.1.cross, head 0']"
OTHER = "#live button[aria-label^='decoder.1.cross, head 1']"
TEXTS = "#live .written dd p"


@pytest.fixture
def page(chromium, live_transformer: Served) -> Iterator[Opened]:
    one = opened(chromium, live_transformer.server.address)
    one.wait_for_selector("#live .written")
    yield one
    assert one.said == []
    own = live_transformer.server.address
    assert [url for url in one.asked if not url.startswith(("data:", own))] == []
    one.page.context.close()


def asked(one: Opened, act) -> None:
    """Does something and waits until what it asks is answered and shown."""
    with one.expect_response("**/answer"):
        act()
    one.wait_for_function("!document.querySelector('#live [data-figure=live]').ariaBusy")


def typed(one: Opened, text: str) -> None:
    asked(one, lambda: one.locator("#live input[type=text]").first.fill(text))


def click(one: Opened, where: str, **options) -> None:
    asked(one, lambda: one.locator(where).click(**options))


def answer(served: Served, source: str, *edits: tuple[str, int, str]) -> dict:
    each = [{"at": at, "head": head, "to": to} for at, head, to in edits]
    return served.live.answer({"source": source, "edits": each})


def texts(one: Opened) -> list[str]:
    return [text.replace("∅", "") for text in one.locator(TEXTS).all_text_contents()]


def test_a_typed_source_is_answered(page: Opened, live_transformer: Served) -> None:
    typed(page, "bcd")
    told = answer(live_transformer, "bcd")["trained"]
    assert texts(page) == [told["text"]]
    assert page.locator("#live .written li bdi").all_text_contents() == list(told["pieces"])
    total = sum(told["scores"]["trained"])
    shown = page.locator("#live .likelihoods td").first.text_content()
    assert float(shown.replace("−", "-")) == pytest.approx(total, abs=0.006)
    assert page.locator("#live .maps table.heat").count() == 1


def test_a_head_goes_round_by_clicks_and_the_output_follows(
    page: Opened, live_transformer: Served
) -> None:
    typed(page, "abc")
    plain = answer(live_transformer, "abc")["trained"]["text"]
    head = ("decoder.1.cross", 0)
    seen = []
    for to in ("zero", "mean", "uniform"):
        click(page, HEAD)
        told = answer(live_transformer, "abc", (*head, to))
        assert texts(page) == [plain, told["edited"]["text"]]
        assert page.locator(HEAD).get_attribute("aria-pressed") == "true"
        assert page.locator(f"{HEAD} span").last.text_content() == to
        scores = [told["trained"]["scores"][name] for name in ("trained", "edited")]
        cells = page.locator("#live .likelihoods tbody tr").first.locator("td").all_text_contents()
        found = [float(cell.replace("−", "-")) for cell in cells[:2]]
        assert found == pytest.approx([sum(each) for each in scores], abs=0.006)
        assert page.locator("#live .maps table.heat").count() == 2
        assert f'"{to}"' in page.locator("#live pre").text_content()
        seen.append(cells)
    assert len({tuple(cells) for cells in seen}) == 3
    click(page, HEAD)
    assert texts(page) == [plain]
    assert page.locator(HEAD).get_attribute("aria-pressed") == "false"


def test_pieces_that_differ_are_marked_in_both_outputs(
    page: Opened, live_transformer: Served
) -> None:
    typed(page, "abc")
    click(page, HEAD)
    click(page, OTHER)
    told = answer(live_transformer, "abc", *[("decoder.1.cross", h, "zero") for h in (0, 1)])
    assert told["edited"]["text"] != told["trained"]["text"]
    for number, name in enumerate(("trained", "edited")):
        items = page.locator("#live .written ol").nth(number).locator("li")
        marks = items.evaluate_all("each => each.map((one) => one.className === 'differs')")
        assert marks == told[name]["differs"]
    lines = "getComputedStyle(document.querySelector('#live .differs')).textDecorationLine"
    assert page.evaluate(lines) == "underline"
    assert "changes" in page.locator("#live .status").text_content()
    click(page, "#live button:has-text('All as trained')")
    assert texts(page) == [told["trained"]["text"]]
    assert page.locator("#live .changing [aria-pressed=true]").count() == 0


def test_the_keyboard_reaches_a_head_and_brings_it_back(page: Opened) -> None:
    typed(page, "abc")
    before = texts(page)
    page.locator(HEAD).focus()
    asked(page, lambda: page.keyboard.press("Enter"))
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
        "decoder.1.cross, head 0: zero; a click makes it mean"
    )
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    asked(page, lambda: page.keyboard.press("Delete"))
    assert texts(page) == before
    click(page, HEAD, modifiers=["Shift"])
    assert page.locator(f"{HEAD} span").last.text_content() == "uniform"


def test_the_role_of_the_round_is_chosen(page: Opened, live_transformer: Served) -> None:
    typed(page, "abc")
    page.locator("#live .controls select").first.select_option("diagonal")
    for _ in range(3):
        click(page, HEAD)
    told = answer(live_transformer, "abc", ("decoder.1.cross", 0, "diagonal"))
    assert texts(page)[1] == told["edited"]["text"]
    own = "#live button[aria-label^='encoder.0.self, head 0']"
    for _ in range(2):
        click(page, own)
    assert "mean; a click makes it as trained" in page.locator(own).get_attribute("aria-label")


def test_a_pair_of_the_report_is_picked_here_and_elsewhere(
    page: Opened, live_transformer: Served
) -> None:
    pairs = live_transformer.subject.shared()["pairs"]
    asked(page, lambda: page.locator("#live .asked select").select_option(index=3))
    assert page.locator("#live input[type=text]").first.input_value() == pairs[2]["text"]
    assert texts(page) == [pairs[2]["output"]]
    assert page.locator("#alignment .texts dd").first.text_content() == pairs[2]["text"]
    asked(page, lambda: page.locator("#alignment select").first.select_option(index=1))
    assert texts(page) == [pairs[1]["output"]]
    typed(page, "ab")
    page.locator("#alignment select").first.select_option(index=0)
    assert page.locator("#live input[type=text]").first.input_value() == "ab"


def test_markup_that_is_typed_is_seen_as_text(page: Opened) -> None:
    typed(page, SCRIPT)
    shown = page.locator("#live .heat thead bdi").all_text_contents()
    assert "".join(shown[:-1]).replace("_", " ") == SCRIPT
    assert SCRIPT in page.locator("#live pre").text_content()
    assert page.locator("#live script, #live img").count() == 0


def test_the_map_is_chosen(page: Opened, live_transformer: Served) -> None:
    typed(page, "abc")
    asked(page, lambda: page.locator("#live .views label:has-text('erasure') input").check())
    [found] = live_transformer.subject.model.align(Pair("abc", ""), by="erasure")
    assert page.locator("#live .heat tbody th bdi").all_text_contents() == list(found.target)
    assert page.locator("#live .views select").count() == 0
    asked(page, lambda: page.locator("#live .views label:has-text('norm') input").check())
    ats = page.locator("#live .views option").all_text_contents()
    assert ats == ["decoder.0.cross", "decoder.1.cross"]
    asked(page, lambda: page.locator("#live .views label:has-text('weight') input").check())
    asked(page, lambda: page.locator("#live .views select").select_option("encoder.0.self"))
    asked(page, lambda: page.locator("#live .views label:has-text('1') input").check())
    assert page.evaluate("document.activeElement.type") == "radio"
    pattern = live_transformer.subject.model.trace(Pair("abc", ""))["encoder.0.self.pattern"][0, 1]
    cells = page.locator("#live .heat tbody td").evaluate_all(
        "each => each.map((one) => one.title)"
    )
    found = [float(title.rpartition(": ")[2]) for title in cells]
    assert found == pytest.approx(pattern.flatten().tolist(), abs=0.003)


def test_what_cannot_be_answered_is_said(chromium, live_transformer: Served) -> None:
    one = opened(chromium, live_transformer.server.address)
    one.wait_for_selector("#live .written")
    typed(one, "a" * 300)
    assert "301 pieces; expected at most 256" in one.locator("#live [role=alert]").text_content()
    assert one.locator("#live .written").count() == 0
    typed(one, "ab")
    assert one.locator("#live [role=alert]").text_content() == ""
    one.locator("#live input[type=text]").first.fill("")
    one.wait_for_function(
        "document.querySelector('#live .status').textContent === 'Type a source.'"
    )
    one.page.route("**/answer", lambda route: route.abort())
    one.locator("#live input[type=text]").first.fill("abc")
    one.wait_for_selector("#live [role=alert]:has-text('does not answer')")
    one.page.context.close()


def test_two_tabs_keep_to_themselves(page: Opened, chromium, live_transformer: Served) -> None:
    other = opened(chromium, live_transformer.server.address)
    other.wait_for_selector("#live .written")
    typed(page, "abc")
    typed(other, "abc")
    click(page, HEAD)
    click(page, OTHER)
    click(other, "#live .views label:has-text('erasure')")
    told = answer(live_transformer, "abc", *[("decoder.1.cross", h, "zero") for h in (0, 1)])
    assert texts(page) == [told["trained"]["text"], told["edited"]["text"]]
    assert texts(other) == [told["trained"]["text"]]
    assert other.said == []
    other.page.context.close()


@pytest.mark.parametrize("kind", ["transformer", "bilstm", "gru"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_keeps_quiet(chromium, request, kind, scheme, width) -> None:
    served: Served = request.getfixturevalue(f"live_{kind}")
    one = opened(chromium, served.server.address, width, scheme)
    one.wait_for_selector("#live .written")
    typed(one, "abcdeabcdeabcde")
    if one.locator("#live .changing button").count():
        click(one, "#live .changing button >> nth=-1")
    one.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert one.evaluate("document.documentElement.scrollWidth") <= width
    assert one.said == []
    one.page.context.close()


def test_a_network_without_attention_is_asked_with_features(chromium, live_gru: Served) -> None:
    one = opened(chromium, live_gru.server.address)
    one.wait_for_selector("#live .written")
    assert "has no heads to edit" in one.locator("#live .answer").text_content()
    assert one.locator("#live .changing").count() == 0
    features = one.locator("#live input[type=text]").nth(1)
    first = live_gru.subject.asked.sources[live_gru.subject.numbers[0]]
    assert features.input_value() == ";".join(first.features)
    typed(one, "ab")
    asked(one, lambda: features.fill("UP"))
    assert texts(one) == live_gru.subject.model.translate([Pair("ab", "", ("UP",))])
    assert one.locator("#live .maps table.heat").count() <= 1
    assert one.said == []
    one.page.context.close()

"""The file stands alone, holds its data unchanged, and shows markup of the data as text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from report_samples import ODD, SCRIPT

from seq2see.report.html import as_data, embedded
from seq2see.report.packing import unpacked

VOID = {"meta", "link", "input", "br"}
OWN = 3
"""Scripts of a report: its data, Vega, and what draws."""


class Parsed(HTMLParser):
    """Collects elements, texts and what stands in scripts; every element has to be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        else:
            self.texts.append(data)


@pytest.fixture
def parsed(either) -> Parsed:
    return Parsed(either.html)


def test_every_element_is_closed_and_every_id_is_unique(parsed: Parsed) -> None:
    assert parsed.open == []
    ids = [values["id"] for _, values in parsed.attributes if "id" in values]
    assert len(set(ids)) == len(ids)
    inside = [v["href"] for t, v in parsed.attributes if t == "a" and v["href"].startswith("#")]
    assert {link[1:] for link in inside} <= set(ids)


def test_nothing_outside_is_named(either, parsed: Parsed) -> None:
    for tag, values in parsed.attributes:
        for name in ("src", "href", "action", "data", "poster"):
            assert re.match(r"#|data:,$", values.get(name) or "#"), (tag, values)
    own = either.html.replace(parsed.scripts[1], "")
    assert set(re.findall(r"https?://[\w./-]+", own)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in own and "url(" not in own


def test_the_policy_lets_only_these_scripts_run(parsed: Parsed) -> None:
    [policy] = [
        values["content"]
        for tag, values in parsed.attributes
        if tag == "meta" and values.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in policy
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    sums = [hashlib.sha256(text.encode()).digest() for text in parsed.scripts[1:]]
    assert allowed == [base64.b64encode(one).decode() for one in sums]
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


def test_markup_of_the_data_is_text(either, parsed: Parsed) -> None:
    assert len(parsed.scripts) == OWN
    assert all(not name.startswith("on") for _, values in parsed.attributes for name in values)
    assert "img" not in {tag for tag, _ in parsed.attributes}
    shown = "".join(parsed.texts)
    for pair in ODD:
        assert pair.source in shown
    assert SCRIPT not in either.html


def test_the_data_comes_back_as_they_were(either, parsed: Parsed) -> None:
    assert "<" not in parsed.scripts[0]
    assert json.loads(parsed.scripts[0]) == json.loads(json.dumps(as_data(either.report)))
    pattern = json.loads(parsed.scripts[0])["shared"]["patterns"][0]
    for at, record in pattern.items():
        expected = either.subject.traces[0][f"{at}.pattern"][0].numpy()
        assert unpacked(record) == pytest.approx(expected, abs=1 / 510 + 1e-6)


def test_it_stays_small(either) -> None:
    assert len(either.html.encode()) < 2_000_000


def test_what_is_no_number_is_null() -> None:
    assert embedded({"a": [float("nan"), 1.0], "b": "</script>"}) == (
        '{"a":[null,1.0],"b":"\\u003c/script>"}'
    )

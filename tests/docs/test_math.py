"""Equations become MathML while the site is built, or the build stops."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from markdown import markdown
from mkdocs.exceptions import PluginError

from helpers import script

HOOK = Path(__file__).parents[2] / "docs" / "hooks" / "math.py"

hook = script(HOOK, "docs_hooks_math")


def rendered(text: str) -> str:
    options = {"pymdownx.arithmatex": {"generic": True}}
    html = markdown(text, extensions=["pymdownx.arithmatex"], extension_configs=options)
    page = SimpleNamespace(file=SimpleNamespace(src_uri="walk.md"))
    return hook.on_page_content(html, page=page, config=None, files=None)


def test_an_equation_on_its_own_line_is_a_block() -> None:
    html = rendered(r"Before." "\n\n" r"$$\mathrm{softmax}(QK^\top / \sqrt{d_k})\,V$$" "\n\nAfter.")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in html
    assert "<msqrt>" in html and "<msub><mi>d</mi><mi>k</mi></msub>" in html
    assert "$" not in html


def test_an_equation_in_a_sentence_is_inline() -> None:
    html = rendered(r"The size $d_k$ of a key.")
    assert 'display="inline"><mrow><msub><mi>d</mi><mi>k</mi></msub></mrow></math> of a key' in html


def test_an_equation_with_text_on_the_next_line_is_a_block() -> None:
    html = rendered("$$d_k$$\nSource: somebody.")
    assert 'display="block"' in html and "$" not in html


def test_what_html_escapes_is_read_as_latex() -> None:
    assert "<mo>&#x0003C;</mo>" in rendered(r"$y_t < 1$")


def test_a_command_the_converter_lacks_is_spelt_for_it() -> None:
    assert "\\" not in rendered(r"$\arg\max_i z_i$")


def test_code_is_left_alone() -> None:
    html = rendered("In code `$$x$$` and\n\n    $$x$$\n")
    assert html.count("$$x$$") == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"$\nosuchcommand{x}$", "nosuchcommand"),
        (r"$\sqrt$", "sqrt"),
        (r"$\frac{a}{b$", "as many"),
        ("In a sentence $$ and no more.", "begins no equation"),
    ],
)
def test_what_cannot_be_shown_stops_the_build(text: str, said: str) -> None:
    with pytest.raises(PluginError, match=said) as caught:
        rendered(text)
    assert "walk.md" in str(caught.value)

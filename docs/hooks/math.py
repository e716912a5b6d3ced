"""Turns the equations of a rendered page into MathML, which browsers show without any script.

The Markdown extension `pymdownx.arithmatex` finds the equations, in pages and in docstrings alike,
and leaves their LaTeX in the page; this hook of MkDocs replaces it while the site is built.
"""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

# In a paragraph with other text, arithmatex takes the inner dollars of a `$$...$$` for those of a
# `$...$` and leaves the outer ones.
FOUND = re.compile(
    r'(?P<outer>\$)?<(?P<tag>span|div) class="arithmatex">'
    r"\s*\\[(\[](?P<latex>.*?)\\[)\]]\s*</(?P=tag)>(?(outer)\$)",
    re.DOTALL,
)
CODE = re.compile(r"<(pre|code)\b.*?</\1>", re.DOTALL)
UNKNOWN_TO_CONVERTER = {r"\arg": r"\operatorname{arg}"}


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Answers MkDocs' event of this name: a page's Markdown has become HTML.

    Raises:
        PluginError: an equation cannot be shown; the message names the page and the equation.
    """
    return with_mathml(content, page.file.src_uri)


def with_mathml(content: str, where: str) -> str:
    """Replaces every equation of an HTML page by MathML.

    Args:
        content: the page, with equations as arithmatex leaves them.
        where: the page's name, for messages.

    Raises:
        PluginError: an equation cannot be shown, or a `$$` was not recognised as one.
    """
    shown = FOUND.sub(lambda match: _mathml(match, where), content)
    if "$$" in (left := CODE.sub("", shown)):
        around = left[max(0, left.index("$$") - 60) :][:160]
        raise PluginError(f"{where}: $$ that begins no equation; put it on a line alone: {around}")
    return shown


def _mathml(match: re.Match[str], where: str) -> str:
    latex = html.unescape(match["latex"]).strip()
    for command, known in UNKNOWN_TO_CONVERTER.items():
        latex = re.sub(rf"{re.escape(command)}(?![a-zA-Z])", lambda _, to=known: to, latex)
    alone = match["tag"] == "div" or match["outer"]
    try:
        shown = convert(latex, display="block" if alone else "inline")
    except Exception as error:  # the converter's exceptions share no base class
        raise PluginError(f"{where}: no equation ({error!r}): {latex}") from error
    if "\\" in shown:
        raise PluginError(f"{where}: a LaTeX command unknown to latex2mathml: {latex}")
    if latex.count("{") != latex.count("}"):
        raise PluginError(f"{where}: not as many {{ as }}: {latex}")
    return shown

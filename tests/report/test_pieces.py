"""What leaves no ink is shown by a sign, and a piece does not turn its neighbours round."""

from __future__ import annotations

import pytest
from report_samples import drawn

from seq2see.report.html import render
from seq2see.report.pages import errors, lens
from seq2see.report.pieces import isolated, visible
from seq2see.report.view import Figure, Pieces, table


@pytest.mark.parametrize(
    ("piece", "shown"),
    [
        (" ", "␣"), ("  ", "␣␣"), ("▁", "␣"), ("\u00a0", "U+00A0"), ("\u200d", "U+200D"),
        ("\t", "U+0009"), ("a", "a"), ("▁the", "_the"), ("a b", "a b"), ("", ""), ("😀", "😀"),
    ],
)  # fmt: skip
def test_what_leaves_no_ink_is_shown(piece: str, shown: str) -> None:
    assert visible(piece) == shown
    assert isolated(piece) == f"\u2068{shown}\u2069"


def test_each_piece_of_a_cell_keeps_to_itself() -> None:
    cells = (Pieces((("ب", ""), (" ", ""))), Pieces((("ب", "+0.20"), ("<b>", "+0.10"))), " ")
    figure = Figure("one", "One", "One.", table=table(("a", "b", "c"), [cells], ()))
    html = render(drawn(figure))
    assert "<span><bdi>ب</bdi></span> <span><bdi>␣</bdi></span>" in html
    assert "<span><bdi>ب</bdi> +0.20</span>, <span><bdi>&lt;b&gt;</bdi> +0.10</span>" in html
    assert "<td><bdi>␣</bdi></td>" in html


def test_what_a_layer_says_is_cut_between_two_pieces() -> None:
    assert lens._said(("ب", " ", "a")) == "\u2068ب\u2069 \u2068␣\u2069 \u2068a\u2069"
    cut = lens._said(["word"] * 20)
    assert cut.endswith("\u2069 …") and cut.count("\u2068") == cut.count("\u2069") == 8


def test_bars_of_a_blank_have_a_name() -> None:
    figure = errors._kinds([errors.Edit("replace", " ", "a", 0), errors.Edit("insert", "", " ", 1)])
    [data] = figure.drawing.spec["datasets"].values()
    assert {row["token"] for row in data} == {"␣"}
    assert figure.table.rows[0][0] == "␣" and "“␣”" in figure.alt

"""Pharaoh format: what is written is read again, and what is no link is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from seq2see.data.links import Gold, parse_pharaoh, read_pharaoh, write_pharaoh
from seq2see.errors import DataError


def test_links_are_written_once_in_order_and_read_again() -> None:
    text = write_pharaoh([(10, 0), (1, 2), (0, 0), (1, 2)])
    assert text == "0-0 1-2 10-0"
    assert parse_pharaoh(text).sure == {(10, 0), (1, 2), (0, 0)}


def test_possible_links_are_told_from_sure_ones(tmp_path: Path) -> None:
    path = tmp_path / "gold.align"
    path.write_text("0-0 1p2 3?4\n\n2-2\n", encoding="utf-8")
    sure = frozenset({(0, 0)})
    assert read_pharaoh(path) == [
        Gold(sure, sure | {(1, 2), (3, 4)}),
        Gold(frozenset(), frozenset()),
        Gold(frozenset({(2, 2)}), frozenset({(2, 2)})),
    ]


@pytest.mark.parametrize("wrong", ["0-", "a-1", "0:1", "-1-2", "0-1-2", "²-1"])
def test_what_is_no_link_is_named_with_its_line(wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "gold.align"
    path.write_text(f"0-0\n0-0 {wrong}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"gold\.align:2.*0-0, or 1p2"):
        read_pharaoh(path)

"""Which pieces of a target belong to which pieces of a source, in Pharaoh format."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from seq2see.data.sources import Data, name_of, read_lines
from seq2see.errors import DataError

Link = tuple[int, int]
"""A source piece and a target piece, counted from 0."""

_LINK = re.compile(r"(\d+)([-p?])(\d+)", re.ASCII)


@dataclass(frozen=True)
class Gold:
    """The links that people, or the making of a pair, gave it.

    Args:
        sure: links that an alignment has to have.
        possible: links that it may have; the sure ones among them.
    """

    sure: frozenset[Link]
    possible: frozenset[Link]


def write_pharaoh(links: Iterable[Link]) -> str:
    """Writes links as `0-0 1-2`, source first, in the order of the source."""
    return " ".join(f"{source}-{target}" for source, target in sorted(set(links)))


def parse_pharaoh(text: str, where: str = "") -> Gold:
    """Reads `0-0 1p2`: after a `-` a link is sure, after a `p` or a `?` only possible.

    Args:
        text: links of one pair, separated by blanks; may be empty.
        where: the place, for messages.

    Raises:
        DataError: something is no link; the message shows the right form.
    """
    found = []
    for item in text.split():
        match = _LINK.fullmatch(item)
        if match is None:
            raise DataError(
                f"{item!r} is no link",
                expected="source-target counted from 0, as 0-0, or 1p2 where it is only possible",
                where=where,
                mend="Write one pair a line, links separated by blanks",
            )
        found.append(match)
    every = frozenset((int(one[1]), int(one[3])) for one in found)
    sure = frozenset((int(one[1]), int(one[3])) for one in found if one[2] == "-")
    return Gold(sure, every)


def read_pharaoh(path: Data) -> list[Gold]:
    """Reads a file of links, one pair a line, empty lines included.

    Raises:
        DataError: the file cannot be read, or something is no link; the message names the line.
    """
    return [parse_pharaoh(text, f"{name_of(path)}:{line}") for line, text in read_lines(path)]

"""Given alignments: which piece of a source each piece of a target comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from seq2see.data.links import Link, parse_pharaoh
from seq2see.data.rows import Pair
from seq2see.data.sources import count_lines, data_paths, form_of, is_regular, read_lines
from seq2see.data.store import Linked, Tokenizers
from seq2see.data.tokenizers import Tokenizer
from seq2see.errors import DataError


@dataclass(frozen=True)
class Links:
    """The links of a file, one line a pair; those that are only possible count as well.

    Source and target units are counted from 0 without features and marks: characters where text is
    cut into characters (decomposed ones, where `data.compose` is true), words where it is cut into
    words, and the words between blanks where it is cut into bpe, unigram or bytes.

    Args:
        path: the file.
        lines: the links of each line.
    """

    path: Path
    lines: tuple[tuple[Link, ...], ...]

    @classmethod
    def read(cls, path: Path, data: str) -> Links:
        """Reads a file of links in Pharaoh's format, as `0-0 1-2`; an empty line has none.

        Args:
            path: the file.
            data: the data file; line n of one belongs to line n of the other.

        Raises:
            DataError: a line is malformed, or there are not as many lines as in the data file; the
                message names the line.
        """
        every = (parse_pharaoh(text, f"{path}:{n}") for n, text in read_lines(path))
        lines = tuple(tuple(sorted(each.possible)) for each in every)
        if form_of(data) != "hub" and is_regular(first := data_paths(data)[0]):
            wanted = count_lines(first)
            if len(lines) != wanted:
                raise DataError(
                    f"{len(lines)} lines of links for {wanted} lines of {first}",
                    expected="one a line of the data, empty where there is no link",
                    where=f"{path}:{min(len(lines), wanted) + 1}",
                )
        return cls(path, lines)

    def between(self, tokenizers: Tokenizers) -> Linked:
        """Returns what finds the links of pairs, as a target and a source position in turn.

        A link between words becomes one between all of their pieces. What is found raises a
        `DataError` for a link that leads to no unit of its pair; the message names the line.
        """
        return lambda pairs: [self._of(pair, tokenizers) for pair in pairs]

    def _of(self, pair: Pair, tokenizers: Tokenizers) -> list[int]:
        if pair.line > len(self.lines):  # of a source whose lines could not be counted beforehand
            raise DataError(
                f"{len(self.lines)} lines of links, and a pair on line {pair.line}",
                expected="one a line of the data, empty where there is no link",
                where=f"{self.path}:{len(self.lines) + 1}",
            )
        links = self.lines[pair.line - 1]
        if not links:
            return []
        source = pieces_of_units(tokenizers.source, pair.source)
        target = pieces_of_units(tokenizers.target, pair.target)
        found: dict[Link, None] = {}
        for s, t in links:
            if s >= len(source) or t >= len(target):
                raise DataError(
                    f"the link {s}-{t} in a pair of {len(source)} source and {len(target)} target"
                    " units",
                    expected=f"at most {len(source) - 1}-{len(target) - 1}, since units are"
                    " counted from 0",
                    where=f"{self.path}:{pair.line}",
                )
            begin = len(pair.features)
            found |= {(j, i + begin): None for j in target[t] for i in source[s]}
        return [position for link in found for position in link]


def pieces_of_units(tokenizer: Tokenizer, text: str) -> list[list[int]]:
    """Lists the pieces of each unit of a text that a link can name."""
    shown, spans = tokenizer.spans(text)
    if tokenizer.kind in ("characters", "words"):
        return [[piece] for piece in range(len(spans))]
    words = [match.span() for match in re.finditer(r"\S+", shown)]
    # A piece may begin with the blank before its word, so its end tells where it belongs.
    return [
        [piece for piece, (_, end) in enumerate(spans) if begin < end <= last]
        for begin, last in words
    ]

"""Examines a file of pairs and counts, with line numbers, what is wrong or odd in it.

The doctor reads files that training refuses: it goes on after a line that cannot be read. It keeps
64-bit hashes and lengths of the pairs, about 40 bytes each, never the texts.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import ParamSpec, TypeAlias, TypeVar

from seq2see.data.census import Census, filled_sides
from seq2see.data.diagnosis import REFUSED, Diagnosis, Overlap, findings_of
from seq2see.data.rows import BOTH, Columns, Pair, from_record, line_parser
from seq2see.data.sources import (
    Data,
    Line,
    byte_lines,
    data_paths,
    decode,
    form_of,
    hub_rows,
    name_of,
)
from seq2see.errors import ConfigError, DataError

P = ParamSpec("P")
T = TypeVar("T")
Note: TypeAlias = Callable[[str, int], None]

_SEPARATORS = re.compile("[\u2028\u2029\x85\x0b\x0c\x1c-\x1e]")
_CONTROLS = re.compile("[\x01-\x0a\x0d-\x1b\x1f\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True, slots=True)
class Limits:
    """Sets where odd begins.

    A length ratio is an outlier where
    `|log(source / target) - m| > spread · 1.4826 · median(|log(source / target) - m|)`, with `m`
    the median of the logarithms, and the ratio is also at least `factor` times above or below the
    median ratio. The 1.4826 makes the spread a standard deviation if ratios are log-normal.

    Attributes:
        over_long: characters; a side with more is over-long.
        spread: robust standard deviations a logarithm may lie off the median.
        factor: ratios nearer to the median ratio than this factor are never outliers.
        examples: how many line numbers a finding keeps, None for all; counts are always exact.
    """

    over_long: int = 1000
    spread: float = 4.0
    factor: float = 3.0
    examples: int | None = None

    def __post_init__(self) -> None:
        if self.over_long < 1 or self.spread < 0 or self.factor < 1 or (self.examples or 0) < 0:
            raise ConfigError(
                str(self),
                expected="over_long from 1, spread from 0, factor from 1, examples from 0",
                where="limits",
                mend="Raise the limit that is too low",
            )


DEFAULTS = Limits()


def examine(
    data: Data, columns: Columns = BOTH, *, against: Data | None = None, limits: Limits = DEFAULTS
) -> Diagnosis:
    """Counts what is wrong or odd in DATA, and what it shares with another file.

    A side is empty if it holds nothing but white space. Pairs that are empty on both sides are
    neither duplicates nor copies; only pairs with both sides are contradictory or outliers in
    length. Characters are looked at in the columns that are read, not in others.

    Args:
        data: any form that `read_pairs` takes.
        columns: where the parts of a pair stand in a TSV, in both files.
        against: the other file, usually held-out data, looked for leakage from `data`.
        limits: where odd begins.

    Raises:
        DataError: a file is absent, a directory, unreadable or a damaged archive; what is wrong
            with single lines is counted instead.
        ConfigError: `hf:` without the `hub` extra; install it.
    """
    lines: dict[str, array[int]] = defaultdict(_numbers)
    census, note = Census(), _noter(lines)
    for pair in _tolerant(data, columns, note):
        census.add(pair)
        _look_at_text(pair, limits, note)
    several = census.contradictory()
    outlying, ratio = census.outliers(limits.spread, limits.factor)
    lines["duplicate"] = census.lines_where(census.repeated())
    lines["contradictory"] = census.lines_where(several)
    lines["length_ratio"] = census.lines_where(outlying)
    summary = census.summary(_last_line(lines, census), several)
    facts: dict[str, object] = {
        "pairs": summary.pairs,
        "columns": columns,
        "over_long": limits.over_long,
        "ratio": f"{ratio:.2f}",
        "sources": summary.contradictory_sources,
    }
    overlap = None
    if against is not None:
        overlap = _overlap(census, against, columns, lines)
        shares = ("leaked_sources", "leaked_pairs", "unseen_source", "unseen_target")
        facts |= {name: f"{getattr(overlap, name):.2%}" for name in shares}
        facts["against"] = overlap.against
    return Diagnosis(name_of(data), summary, findings_of(lines, facts, limits.examples), overlap)


def _noter(lines: dict[str, array[int]]) -> Note:
    """Gives the function that notes a line under a name, once for each line."""

    def note(name: str, number: int) -> None:
        noted = lines[name]
        if not noted or noted[-1] != number:
            noted.append(number)

    return note


def _look_at_text(pair: Pair, limits: Limits, note: Note) -> None:
    filled, sides = filled_sides(pair), (pair.source, pair.target)
    if filled < 2:
        note("one_sided" if filled else "empty", pair.line)
    elif pair.source == pair.target:
        note("copied", pair.line)
    if max(map(len, sides)) > limits.over_long:
        note("over_long", pair.line)
    if any(side != side.strip() and not side.isspace() for side in sides):
        note("surrounding_blanks", pair.line)
    if not all(unicodedata.is_normalized("NFC", side) for side in sides):
        note("not_nfc", pair.line)
    text = "".join((*sides, *pair.features))
    if text.isprintable():
        return
    if "\0" in text:
        note("nul", pair.line)
    if _SEPARATORS.search(text):
        note("line_separators", pair.line)
    if _CONTROLS.search(text):
        note("control_characters", pair.line)


def _tolerant(data: Data, columns: Columns, note: Note) -> Iterator[Pair]:
    """Yields the pairs that can be read, and notes the lines that cannot."""
    paths = data_paths(data)
    read: Iterator[Pair | None]
    if not paths:
        rows = enumerate(hub_rows(str(data)), 1)
        read = (_attempt(note, "malformed_record", n, _from_row, row, n) for n, row in rows)
    elif len(paths) == 1:
        read = _single(paths[0], columns, note)
    else:
        read = _parallel(paths[0], paths[1], note)
    return (pair for pair in read if pair is not None)


def _single(path: Path, columns: Columns, note: Note) -> Iterator[Pair | None]:
    parse = line_parser(path, columns)
    refused = "malformed_record" if form_of(path) == "json" else "missing_columns"
    for line in byte_lines(path):
        text = _text(line, path, note)
        if text is not None:
            yield _attempt(note, refused, line.number, parse, text, line.number)


def _parallel(first: Path, second: Path, note: Note) -> Iterator[Pair | None]:
    for lines in zip_longest(byte_lines(first), byte_lines(second)):
        texts = [
            _text(line, path, note)
            for line, path in zip(lines, (first, second), strict=True)
            if line is not None
        ]
        number = next(line.number for line in lines if line is not None)
        if len(texts) < 2:
            note("unequal_lines", number)
        elif texts[0] is not None and texts[1] is not None:
            yield Pair(texts[0], texts[1], (), number)


def _text(line: Line, path: Path, note: Note) -> str | None:
    """Decodes a line and notes what its bytes show; None where they are not UTF-8."""
    if line.bom:
        note("bom", line.number)
    if line.crlf:
        note("crlf", line.number)
    return _attempt(note, "invalid_utf8", line.number, decode, line, path)


def _from_row(row: object, number: int) -> Pair:
    return from_record(row, number, where=str(number))


def _attempt(
    note: Note, name: str, number: int, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T | None:
    """Calls a reader; where it refuses the line, notes it and gives None."""
    try:
        return read(*args, **kwargs)
    except DataError:
        note(name, number)
        return None


def _last_line(lines: Mapping[str, array[int]], census: Census) -> int:
    read, refused = census.numbers[-1:], (lines[name][-1:] for name in REFUSED if name in lines)
    return max(chain(read, *refused), default=0)


def _overlap(
    census: Census, against: Data, columns: Columns, lines: dict[str, array[int]]
) -> Overlap:
    """Compares another file with the one examined, and notes its lines."""
    other, known = Census(), [set(side) for side in census.characters]
    note = _noter(lines)
    troubles: dict[str, array[int]] = defaultdict(_numbers)
    for pair in _tolerant(against, columns, _noter(troubles)):
        other.add(pair)
        if not (known[0].issuperset(pair.source) and known[1].issuperset(pair.target)):
            note("unseen_characters", pair.line)
    refused = {number for name in REFUSED for number in troubles[name]}
    lines["against_unreadable"] = array("Q", sorted(refused))
    sources, pairs = other.inputs_in(census), other.pairs_in(census)
    lines["leaked_sources"] = other.lines_where(sources)
    lines["leaked_pairs"] = other.lines_where(pairs)
    new = [sorted(set(side) - seen) for side, seen in zip(other.characters, known, strict=True)]
    return Overlap(
        against=name_of(against),
        pairs=len(pairs),
        leaked_sources=_share(int(sources.sum()), len(sources)),
        leaked_pairs=_share(int(pairs.sum()), len(pairs)),
        unseen_source=_share(sum(other.characters[0][c] for c in new[0]), sum(other.lengths[0])),
        unseen_target=_share(sum(other.characters[1][c] for c in new[1]), sum(other.lengths[1])),
        new_source="".join(new[0]),
        new_target="".join(new[1]),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _numbers() -> array[int]:
    return array("Q")

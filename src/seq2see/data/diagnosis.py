"""Holds what the data doctor found: findings with their meaning, figures, and the overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing the doctor looks for, and the lines where it stands.

    Attributes:
        count: number of lines; of two parallel files, a line number counts once.
        lines: their 1-based numbers, all or as many as `Limits.examples` keeps; those of
            `leaked_*`, `unseen_characters` and `against_unreadable` count in the other file.
        severity: `error`, the file cannot be read as pairs; `warning`, it probably hurts a model;
            `note`, good to know.
    """

    name: str
    count: int
    lines: tuple[int, ...]
    meaning: str
    severity: Severity
    mend: str


@dataclass(frozen=True, slots=True)
class Side:
    """Figures of the sources or of the targets; lengths in characters (code points)."""

    mean: float
    median: float
    p95: float
    longest: int
    distinct: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of the whole file.

    Attributes:
        lines: lines in the file; of parallel files, in the longer one.
        pairs: lines that could be read as pairs, empty ones included.
        sources: distinct sources (with their features) of the pairs that are not empty.
        contradictory_sources: how many of them have more than one target.
    """

    lines: int
    pairs: int
    sources: int
    contradictory_sources: int
    source: Side
    target: Side


@dataclass(frozen=True, slots=True)
class Overlap:
    """What another file, such as a test set, shares with this one and what is new in it.

    Attributes:
        pairs: pairs of the other file.
        leaked_sources: share of its pairs whose source (with features) stands in this file.
        leaked_pairs: share of its pairs that stand in this file.
        unseen_source: share of its source characters (occurrences) that never occur in the sources
            of this file; `unseen_target` likewise.
        new_source: those characters, each once, in code point order; `new_target` likewise.
    """

    against: str
    pairs: int
    leaked_sources: float
    leaked_pairs: float
    unseen_source: float
    unseen_target: float
    new_source: str
    new_target: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything the doctor found in a file."""

    data: str
    summary: Summary
    findings: tuple[Finding, ...]
    overlap: Overlap | None = None

    @property
    def errors(self) -> int:
        """Counts the findings of severity error that stand anywhere in the file."""
        return sum(item.severity == "error" and item.count > 0 for item in self.findings)

    def __getitem__(self, name: str) -> Finding:
        """Gives the finding of a name."""
        return {item.name: item for item in self.findings}[name]

    def as_dict(self) -> dict[str, Any]:
        """Gives the diagnosis ready for JSON; `findings` is keyed by name, zero counts included."""
        findings = {item.name: asdict(item) | {"lines": [*item.lines]} for item in self.findings}
        for item in findings.values():
            del item["name"]
        return asdict(self) | {"errors": self.errors, "findings": findings}


class _Kind(NamedTuple):
    severity: Severity
    meaning: str
    mend: str


_OWN_ENCODING = "Convert the file from its own encoding, e.g. `iconv -f latin1 -t utf-8`"
_KINDS: dict[str, _Kind] = {
    "no_pairs": _Kind("error", "There is no pair to read.", "Check that this is the right file"),
    "invalid_utf8": _Kind("error", "The line holds bytes that are not UTF-8.", _OWN_ENCODING),
    "missing_columns": _Kind(
        "error",
        "The line has fewer tab-separated columns than are to be read ({columns}).",
        "Put in what is missing, or name other columns with --columns",
    ),
    "malformed_record": _Kind(
        "error",
        "The line is not a JSON object with a source and a target.",
        'Write {{"source": "...", "target": "..."}}',
    ),
    "unequal_lines": _Kind(
        "error",
        "The line has no partner, because one of the parallel files is shorter.",
        "Find where the two files part: it is often far above the end",
    ),
    "empty": _Kind("warning", "Both sides are empty or blank.", "Take the lines out"),
    "one_sided": _Kind(
        "warning",
        "One side is empty or blank, the other is not.",
        "Fill the side in, or take the lines out",
    ),
    "over_long": _Kind(
        "warning",
        "One side has more than {over_long} characters.",
        "Split the lines into sentences, or accept slow training on them",
    ),
    "length_ratio": _Kind(
        "warning",
        "The ratio of the two lengths is far from the file's median of {ratio}.",
        "Look whether these are pairs at all: a shifted file looks like this",
    ),
    "duplicate": _Kind(
        "note",
        "An earlier line has the same source, features and target.",
        "Keep them if the frequency is meant",
    ),
    "contradictory": _Kind(
        "note",
        "The source (with its features) has several targets; so have {sources} distinct sources.",
        "Keep them if each is right: they count as several references",
    ),
    "copied": _Kind(
        "note",
        "Source and target are the same.",
        "Keep them if the task copies; in translation it is often a line left untranslated",
    ),
    "bom": _Kind(
        "note", "The file starts with a byte order mark, which is not read.", "Nothing has to be"
    ),
    "crlf": _Kind("note", "The line ends in CR and LF; both are taken off.", "Nothing has to be"),
    "nul": _Kind(
        "warning",
        "The text holds the character NUL, which is kept.",
        "Take it out, e.g. `tr -d '\\000'`",
    ),
    "line_separators": _Kind(
        "warning",
        "The text holds a separator that other programs take for a line end "
        "(U+2028, U+2029, U+0085, VT, FF, U+001C to U+001E); here it is text.",
        "Replace it by a blank, unless it is meant",
    ),
    "control_characters": _Kind(
        "warning",
        "The text holds another control character, which is kept.",
        "Take it out, unless it is meant",
    ),
    "surrounding_blanks": _Kind(
        "warning",
        "A side starts or ends with white space, which is kept.",
        "Take it off, unless it is meant",
    ),
    "not_nfc": _Kind(
        "note",
        "A side is not in Unicode form NFC, so that equal letters may differ in code points.",
        "Use one form throughout, in training and in use",
    ),
    "leaked_sources": _Kind(
        "warning",
        "The source (with its features) stands in both files: {leaked_sources} of {against}.",
        "Take these out of the training data, or report them apart",
    ),
    "leaked_pairs": _Kind(
        "warning",
        "The whole pair stands in both files: {leaked_pairs} of {against}.",
        "Take these out of the training data, or report them apart",
    ),
    "unseen_characters": _Kind(
        "warning",
        "A character never occurs in the data on that side: {unseen_source} of all source "
        "characters of {against}, {unseen_target} of all target characters.",
        "Add data with these characters, or map them to known ones",
    ),
    "against_unreadable": _Kind(
        "error",
        "The line of {against} cannot be read as a pair.",
        "Have that file checked by itself",
    ),
}
REFUSED = ("invalid_utf8", "missing_columns", "malformed_record", "unequal_lines")
_ON_OTHER = ("leaked_sources", "leaked_pairs", "unseen_characters", "against_unreadable")


def findings_of(
    lines: Mapping[str, Sequence[int]], facts: Mapping[str, object], examples: int | None
) -> tuple[Finding, ...]:
    """Makes a finding of every kind, those about another file only where there is one.

    Args:
        lines: line numbers by name of finding; a name left out stands nowhere.
        facts: figures that the meanings quote.
        examples: how many line numbers to keep of each, None for all.
    """
    return tuple(
        Finding(
            name=name,
            count=len(lines.get(name, ())) if name != "no_pairs" else int(not facts["pairs"]),
            lines=tuple(lines.get(name, ())[:examples]),
            meaning=kind.meaning.format_map(facts),
            severity=kind.severity,
            mend=kind.mend.format_map(facts),
        )
        for name, kind in _KINDS.items()
        if name not in _ON_OTHER or "against" in facts
    )

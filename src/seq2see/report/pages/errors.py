"""What goes wrong: edits that would mend the outputs, and tokens taken for others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from seq2see.report.charts import Axis, bars
from seq2see.report.numbers import counted, percent, whole
from seq2see.report.pieces import visible
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Cell, Figure, Link, Page, table

TITLE = "Errors"
SHOWN = 15
"""Rows of a table."""
BY_CHARACTERS = ("accuracy", "cer")
"""Deciding metrics of tasks whose targets are words, so that characters are compared."""

KINDS = {"replace": "taken for another", "delete": "left out", "insert": "too many"}


@dataclass(frozen=True)
class Edit:
    """One edit that would mend an output.

    Args:
        kind: `replace`, `delete` (left out by the output) or `insert` (too many in it).
        wanted: the token of the reference; empty where there is one too many.
        written: that of the output; empty where one was left out.
        source: the number of the source.
    """

    kind: str
    wanted: str
    written: str
    source: int


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    edits = [one for i in range(len(subject.outputs)) for one in _edits_of(subject, i)]
    if not edits:
        return Absent(
            TITLE, f"All {counted(len(subject.outputs), 'output')} equal one of their references."
        )
    return Page(
        "errors",
        TITLE,
        "What does it get wrong, and what does it take for what?",
        _answer(subject, edits),
        "An output is held against its closest reference: where another wording is as good, it"
        " counts as an error here.",
        (_confusions(subject, edits), _kinds(edits), _worst(subject)),
    )


def edits_between(written: Sequence[str], wanted: Sequence[str], source: int = 0) -> list[Edit]:
    """Lists the fewest edits that turn an output into its reference.

    Source: Levenshtein 1966.

    Args:
        written: tokens of the output.
        wanted: tokens of the reference.
        source: the number to note.
    """
    found = []
    for edit in Levenshtein.editops(wanted, written):
        missing = "" if edit.tag == "insert" else wanted[edit.src_pos]
        put = "" if edit.tag == "delete" else written[edit.dest_pos]
        found.append(Edit(edit.tag, missing, put, source))
    return found


def _cut(subject: Subject, text: str) -> list[str]:
    return list(text) if subject.every.metrics[0] in BY_CHARACTERS else text.split()


def _edits_of(subject: Subject, i: int) -> list[Edit]:
    written = _cut(subject, subject.outputs[i])
    each = (
        edits_between(written, _cut(subject, known), i) for known in subject.asked.references[i]
    )
    return min(each, key=len)


def _answer(subject: Subject, edits: list[Edit]) -> str:
    wrong = len({edit.source for edit in edits})
    (kind, often), *_ = Counter(edit.kind for edit in edits).most_common()
    text = (
        f"{whole(wrong)} of {counted(len(subject.outputs), 'output')} differ from every reference,"
        f" by {counted(len(edits), 'edit')}, of which {percent(often / len(edits))} are tokens"
        f" {KINDS[kind]}"
    )
    top = confusions(edits)
    if not top:
        return f"{text}."
    (wanted, other), count = top[0]
    stands = f"“{visible(other)}” stands for “{visible(wanted)}”"
    return f"{text}; most often, {counted(count, 'time')}, {stands}."


def confusions(edits: list[Edit]) -> list[tuple[tuple[str, str], int]]:
    """Counts what was taken for what, as (wanted, written), the most frequent first."""
    pairs = Counter((e.wanted, e.written) for e in edits if e.kind == "replace")
    return sorted(pairs.items(), key=lambda one: (-one[1], one[0]))


def _confusions(subject: Subject, edits: list[Edit]) -> Figure:
    rows = []
    for (wanted, written), times in confusions(edits)[:SHOWN]:
        sources = [e.source for e in edits if (e.wanted, e.written) == (wanted, written)]
        example = _example(subject, sources)
        rows.append((visible(wanted), visible(written), whole(times), example))
    return Figure(
        "confusions",
        "Most frequent confusions",
        f"{counted(len(rows), 'row')}, the most frequent first.",
        table=table(("reference has", "output has", "times", "for example"), rows, ("times",)),
        caption="The example leads to its search where it is one of the pairs opened above.",
        open=True,
    )


def _example(subject: Subject, sources: list[int]) -> Cell:
    for source in sources:
        if source in subject.numbers:
            at = subject.numbers.index(source)
            return Link(subject.asked.sources[source].source, "decoding", at)
    return subject.asked.sources[sources[0]].source


def _kinds(edits: list[Edit]) -> Figure:
    shown = {"replace": "wanted", "delete": "wanted", "insert": "written"}
    each = Counter((getattr(edit, shown[edit.kind]), edit.kind) for edit in edits)
    totals: Counter[str] = Counter()
    for (token, _), count in each.items():
        totals[token] += count
    top = [token for token, _ in sorted(totals.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]]
    rows = [
        {"token": visible(token), "kind": name, "edits": each[token, kind]}
        for token in top
        for kind, name in KINDS.items()
    ]
    cells = [
        (visible(token), *(whole(each[token, kind]) for kind in KINDS), whole(totals[token]))
        for token in top
    ]
    heads = ("token", *KINDS.values(), "all")
    return Figure(
        "edits",
        "Edits by token",
        f"Stacked bars of the {len(top)} tokens with most edits; the first is “{visible(top[0])}”"
        f" with {counted(totals[top[0]], 'edit')}.",
        bars(rows, Axis("token", ""), Axis("edits", "edits", "d", zero=True), series="kind"),
        table(heads, cells, heads[1:]),
        "A token that was taken for another, or left out, is that of the reference.",
    )


def _worst(subject: Subject) -> Figure:
    each = [(len(_edits_of(subject, i)), i) for i in range(len(subject.outputs))]
    rows = []
    for edits, i in sorted(each, key=lambda one: (-one[0], one[1]))[:SHOWN]:
        if edits:
            best = min(
                subject.asked.references[i],
                key=lambda known: len(
                    edits_between(_cut(subject, subject.outputs[i]), _cut(subject, known))
                ),
            )
            rows.append((_example(subject, [i]), subject.outputs[i], best, whole(edits)))
    return Figure(
        "worst",
        "Outputs with most edits",
        f"{counted(len(rows), 'output')}, the farthest from its reference first.",
        table=table(("source", "output", "closest reference", "edits"), rows, ("edits",)),
    )

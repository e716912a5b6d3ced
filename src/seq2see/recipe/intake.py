"""From data files to the pairs a run trains on and is judged by; what is left out is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seq2see.data.guides import Links
from seq2see.data.pairs import Columns, Pair, read_pairs, split_by_source
from seq2see.errors import DataError
from seq2see.recipe.sections import DataSettings

_MOST_SHORT = 0.01
"""A file of which more lines than this share lack a column is laid out in another way than said."""

_SHOWN = 10


@dataclass(frozen=True)
class Corpus:
    """The pairs of a run.

    Args:
        train: pairs to learn from, each with text on both sides.
        dev: held-out pairs, each with text on both sides.
        notes: what was left out or split off, one sentence each.
        links: the alignments of the training pairs, by line; None where none are given.
    """

    train: list[Pair]
    dev: list[Pair]
    notes: tuple[str, ...]
    links: Links | None = None


def gather(data: DataSettings, seed: int) -> Corpus:
    """Reads the training pairs, and the held-out ones or a share of the training pairs by source.

    Raises:
        DataError: a file cannot be read, more than 1 % of its lines lack a column, or too few pairs
            are left to train on.
    """
    columns = Columns.parse(data.columns)
    train, notes = usable(data.train, columns)
    if len(train) < 2:
        raise DataError(
            f"{len(train)} usable pair{'s' * (len(train) != 1)}",
            expected="at least 2 pairs with text on both sides",
            where=data.train,
            mend=f"Look at the file with: seq2see check {data.train}",
        )
    links = Links.read(Path(data.links), data.train) if data.links else None
    if data.dev:
        dev, more = usable(data.dev, columns)
        if not dev:
            raise DataError("no usable pair", expected="at least one", where=data.dev)
        return Corpus(train, dev, (*notes, *more), links)
    wanted = data.held_out or min(2000, max(50, len(train) // 20))
    wanted = min(wanted, len(train) // 2)
    kept, dev = split_by_source(train, wanted, seed)
    if not dev or not kept:  # every source has many targets, or there is but one source
        raise DataError(
            "no pairs can be held out: too few distinct sources",
            where=data.train,
            mend="Give held-out pairs with --dev",
        )
    note = f"{len(dev):,} of {len(train):,} pairs are held out, chosen by source (seed {seed})"
    return Corpus(kept, dev, (*notes, note), links)


def usable(data: str, columns: Columns) -> tuple[list[Pair], tuple[str, ...]]:
    """Reads the pairs that have text on both sides, and says which lines do not.

    Raises:
        DataError: the file cannot be read, or more than 1 % of its lines lack a column.
    """
    short: list[int] = []
    pairs = list(read_pairs(data, columns, short=short))
    if len(short) > max(1, _MOST_SHORT * len(pairs)):
        # Read again without leniency: the error then names the first such line.
        list(read_pairs(data, columns))
    empty = [p.line for p in pairs if not p.source.strip() and not p.target.strip()]
    half = [p.line for p in pairs if bool(p.source.strip()) != bool(p.target.strip())]
    left_out = (
        (short, "lack a column"),
        (empty, "are empty"),
        (half, "have text on one side only"),
    )
    notes = [
        f"{data}: {len(lines):,} lines {what} and are left out ({_listed(lines)})"
        for lines, what in left_out
        if lines
    ]
    kept = [pair for pair in pairs if pair.source.strip() and pair.target.strip()]
    return kept, tuple(notes)


def _listed(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:_SHOWN]))
    return f"line{'s' * (len(lines) > 1)} {shown}{', …' * (len(lines) > _SHOWN)}"


def strict_pairs(data: str, columns: Columns) -> list[Pair]:
    """Reads pairs to score: every line is one, and none is left out.

    Raises:
        DataError: the file cannot be read, or holds no pair.
    """
    pairs = list(read_pairs(data, columns))
    if not pairs:
        raise DataError("no pairs", expected="at least one", where=data)
    return pairs

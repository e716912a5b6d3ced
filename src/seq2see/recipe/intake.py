"""From data files to the pairs a run trains on and is judged by; what is left out is said."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from seq2see.data.guides import Links
from seq2see.data.pairs import Columns, Pair, Pairs, data_paths, read_pairs
from seq2see.data.sources import is_regular
from seq2see.data.split import Key, Ranking, key_of
from seq2see.errors import DataError
from seq2see.recipe.sections import DataSettings

_MOST_SHORT = 0.01
"""A file of which more lines than this share lack a column is laid out in another way than said."""

_SHOWN = 10

_HELD_OUT = 2000
"""Pairs that are held out at most, where nobody says how many."""


@dataclass(frozen=True)
class Corpus:
    """The pairs of a run.

    Args:
        train: pairs to learn from, each with text on both sides.
        dev: held-out pairs, each with text on both sides.
        notes: what was left out or split off, one sentence each.
        links: the alignments of the training pairs, by line; None where none are given.
    """

    train: Pairs
    dev: list[Pair]
    notes: tuple[str, ...]
    links: Links | None = None


@dataclass(frozen=True)
class Usable:
    """The pairs of a file with text on both sides, read anew whenever they are gone through.

    Args:
        data: the file.
        columns: where its parts stand.
        count: how many pairs there are.
        apart: sources whose pairs are held out, and so left out here.
        held: what was read of a pipe, which is read but once; None of a file.
    """

    data: str
    columns: Columns
    count: int
    apart: frozenset[Key] = frozenset()
    held: tuple[Pair, ...] | None = None

    def __len__(self) -> int:
        return self.count

    def _every(self) -> Iterable[Pair]:
        if self.held is not None:
            return self.held
        return read_pairs(self.data, self.columns, short=_Lines())

    def __iter__(self) -> Iterator[Pair]:
        """Yields the pairs in the order of the file.

        Raises:
            DataError: there are no longer as many as before; leave the file alone meanwhile.
        """
        seen = 0
        for pair in self._every():
            if _sides(pair) == 2 and not (self.apart and key_of(pair) in self.apart):
                seen += 1
                yield pair
        if seen != self.count:
            raise DataError(
                f"{seen:,} usable pairs, where {self.count:,} were read before",
                expected="a file that stays as it is while it is read",
                where=self.data,
                mend="Begin again, and write to another file meanwhile",
            )


@dataclass
class _Lines:
    """Counts lines and keeps the numbers of the first ones."""

    first: list[int] = field(default_factory=list)
    count: int = 0

    def append(self, line: int, /) -> None:
        self.count += 1
        if self.count <= _SHOWN:
            self.first.append(line)

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.first))
        return f"line{'s' * (self.count > 1)} {shown}{', …' * (self.count > _SHOWN)}"


def gather(data: DataSettings, seed: int) -> Corpus:
    """Reads the training pairs, and the held-out ones or a share of the training pairs by source.

    The training pairs are not kept: who goes through them reads the file again.

    Raises:
        DataError: a file cannot be read, more than 1 % of its lines lack a column, or too few pairs
            are left to train on.
    """
    columns = Columns.parse(data.columns)
    ranking = Ranking(seed, data.held_out or _HELD_OUT)
    train, notes = usable(data.train, columns, None if data.dev else ranking.add)
    if len(train) < 2:
        raise DataError(
            f"{len(train)} usable pair{'s' * (len(train) != 1)}",
            expected="at least 2 pairs with text on both sides",
            where=data.train,
            mend=f"Look at the file with: seq2see check {data.train}",
        )
    links = Links.read(Path(data.links), data.train) if data.links else None
    if data.dev:
        given, more = usable(data.dev, columns)
        if not len(given):
            raise DataError("no usable pair", expected="at least one", where=data.dev)
        return Corpus(train, list(given), (*notes, *more), links)
    wanted = data.held_out or min(_HELD_OUT, max(50, len(train) // 20))
    kept, dev = _split(train, ranking.choose(min(wanted, len(train) // 2)))
    note = f"{len(dev):,} of {len(train):,} pairs are held out, chosen by source (seed {seed})"
    return Corpus(kept, dev, (*notes, note), links)


def _split(pairs: Usable, chosen: frozenset[Key]) -> tuple[Usable, list[Pair]]:
    """Holds out all pairs of the chosen sources."""
    dev = [pair for pair in pairs if key_of(pair) in chosen]
    if not dev or len(dev) == len(pairs):  # all sources have many targets, or there is but one
        raise DataError(
            "no pairs can be held out: too few distinct sources",
            where=pairs.data,
            mend="Give held-out pairs with --dev",
        )
    return replace(pairs, count=len(pairs) - len(dev), apart=chosen), dev


def usable(
    data: str, columns: Columns, watch: Callable[[Pair], None] | None = None
) -> tuple[Usable, tuple[str, ...]]:
    """Counts the pairs that have text on both sides, and says which lines do not.

    Args:
        data: the file, or a pipe.
        columns: where its parts stand.
        watch: is shown each such pair.

    Raises:
        DataError: the file cannot be read, or more than 1 % of its lines lack a column.
    """
    short, empty, half = _Lines(), _Lines(), _Lines()
    pairs: Iterable[Pair] = read_pairs(data, columns, short=short)
    held = None if all(map(is_regular, data_paths(data))) else tuple(pairs)
    count = 0
    for pair in pairs if held is None else held:
        if (sides := _sides(pair)) < 2:
            (half if sides else empty).append(pair.line)
            continue
        count += 1
        if watch:
            watch(pair)
    if short.count > max(1, _MOST_SHORT * (count + empty.count + half.count)):
        # Read again without leniency: the error then names the first such line.
        deque(read_pairs(data, columns), maxlen=0)
    left_out = (
        (short, "lack a column"),
        (empty, "are empty"),
        (half, "have text on one side only"),
    )
    notes = [
        f"{data}: {lines.count:,} lines {what} and are left out ({lines})"
        for lines, what in left_out
        if lines.count
    ]
    return Usable(data, columns, count, held=held), tuple(notes)


def _sides(pair: Pair) -> int:
    """Tells on how many sides of a pair there is text."""
    return bool(pair.source.strip()) + bool(pair.target.strip())


def strict_pairs(data: str, columns: Columns) -> list[Pair]:
    """Reads pairs to score: every line is one, and none is left out.

    Raises:
        DataError: the file cannot be read, or holds no pair.
    """
    pairs = list(read_pairs(data, columns))
    if not pairs:
        raise DataError("no pairs", expected="at least one", where=data)
    return pairs

"""Token ids on disk, written in a stream and read through memory maps: neither holds the corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from seq2see.data.rows import Pair
from seq2see.data.side import Offsets, Side
from seq2see.data.tokenizers import END, SPECIALS, UNKNOWN, Tokenizer
from seq2see.errors import TrainingError
from seq2see.files import refusing, sync

_CHUNK = 10_000
Linked = Callable[[Sequence[Pair]], list[list[int]]]
"""Gives the links of each pair: a target and a source position in turn."""


@dataclass(frozen=True)
class Tokenizers:
    """The two sides' tokenizers, and how a pair passes through them."""

    source: Tokenizer
    target: Tokenizer

    def sources(self, pairs: Sequence[Pair]) -> tuple[list[list[int]], list[list[str]]]:
        """Encodes each source: features, text, end mark.

        Returns:
            The ids, and each source's distinct unknown pieces in order of appearance; the k-th of
            them has the k-th copy mark as its id, as far as there are copy marks.
        """
        rows, unknowns = [], []
        encoded = self.source.encode([pair.source for pair in pairs])
        for pair, text in zip(pairs, encoded, strict=True):
            unknown = list(dict.fromkeys(text.unknown))
            ids = _with_copies(text.ids, text.unknown, unknown, self.source.layout.copies)
            features = [self.source.feature(name) for name in pair.features]
            rows.append([*features, *ids, END])
            unknowns.append(unknown)
        return rows, unknowns

    def targets(self, texts: Sequence[str], unknowns: Sequence[list[str]]) -> list[list[int]]:
        """Encodes each target, with an end mark; the source's unknown pieces become copy marks."""
        copies = self.target.layout.copies
        encoded = self.target.encode(texts)
        return [
            [*_with_copies(text.ids, text.unknown, unknown, copies), END]
            for text, unknown in zip(encoded, unknowns, strict=True)
        ]


def _with_copies(
    ids: list[int], pieces: Sequence[str], unknown: list[str], copies: int
) -> list[int]:
    if not pieces:
        return ids
    marks = {piece: len(SPECIALS) + k for k, piece in enumerate(unknown[:copies])}
    following = iter(pieces)
    return [marks.get(next(following), UNKNOWN) if i == UNKNOWN else i for i in ids]


@dataclass(frozen=True)
class Store:
    """All pairs of a corpus as ids.

    Args:
        source: features, text and end mark of every source.
        target: text and end mark of every target.
        lines: the line of the data file each pair came from.
        links: given alignments, of each pair a target and a source position in turn; None where
            the corpus has none.
    """

    source: Side
    target: Side
    lines: Offsets
    links: Side | None = None

    def __len__(self) -> int:
        return len(self.lines)

    @classmethod
    def write(
        cls,
        folder: Path,
        pairs: Iterable[Pair],
        tokenizers: Tokenizers,
        linked: Linked | None = None,
    ) -> Store:
        """Encodes `pairs` into files under `folder`, in constant memory, and opens them.

        Args:
            folder: where the files are to stand.
            pairs: the corpus.
            tokenizers: of both sides.
            linked: finds the links of pairs.

        Raises:
            TrainingError: the disk is full or the folder cannot be written.
        """
        with refusing(TrainingError, folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "links.ids").unlink(missing_ok=True)  # of an earlier corpus
            _write(folder, pairs, tokenizers, linked)
            for path in (*folder.iterdir(), folder):
                sync(path)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Opens what `write` left in `folder`."""

        def side(name: str) -> Side:
            path = folder / f"{name}.ids"
            ids = np.memmap(path, np.int32, "r") if path.stat().st_size else np.zeros(0, np.int32)
            return Side(ids, np.load(folder / f"{name}.offsets.npy", mmap_mode="r"))

        links = side("links") if (folder / "links.ids").exists() else None
        lines = np.load(folder / "lines.npy", mmap_mode="r")
        store = cls(side("source"), side("target"), lines, links)
        for one in (store.source, store.target, *([links] if links else [])):
            if len(one) != len(store) or one.total != len(one.ids):
                raise ValueError(f"the token ids in {folder} are not complete")
        return store

    def ratio(self, share: float) -> float:
        """Returns the quantile of target ids for one source id over all pairs, in constant memory.

        The same figure as `np.quantile(target.lengths / source.lengths, share)`.

        Args:
            share: of the pairs whose ratio is at most the one returned.
        """
        counts: Counter[float] = Counter()  # few ratios of small whole numbers are distinct
        sides = self.target.stretches(), self.source.stretches()
        for target, source in zip(*sides, strict=True):
            values, times = np.unique(target / source, return_counts=True)
            counts.update(dict(zip(values.tolist(), times.tolist(), strict=True)))
        values = np.array(sorted(counts))
        last = np.cumsum([counts[value] for value in values.tolist()]) - 1
        place = share * (len(self) - 1)
        below = int(place)
        around = np.searchsorted(last, [below, min(below + 1, len(self) - 1)])
        return float(np.quantile(values[around], place - below))


class _Column:
    """An .npy file of whole numbers that grows; numpy's header keeps room for their final count."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._count = file, 0
        self._head()

    def append(self, values: Offsets) -> None:
        self._file.write(values.data)
        self._count += len(values)

    def close(self) -> None:
        self._file.seek(0)
        self._head()

    def _head(self) -> None:
        like = np.lib.format.header_data_from_array_1_0(np.zeros(0, np.int64))
        np.lib.format.write_array_header_1_0(self._file, {**like, "shape": (self._count,)})


class _Rows:
    """The two files of a side: all ids, and where each row begins."""

    def __init__(self, ids: IO[bytes], offsets: IO[bytes]) -> None:
        self._ids, self._offsets, self._end = ids, _Column(offsets), 0
        self._offsets.append(np.zeros(1, np.int64))
        self.close = self._offsets.close

    def append(self, rows: Sequence[Sequence[int]]) -> None:
        # `tofile` would not say that the disk is full, only that less was written.
        self._ids.write(np.concatenate([np.asarray(row, np.int32) for row in rows]).data)
        ends = self._end + np.cumsum([len(row) for row in rows], dtype=np.int64)
        self._offsets.append(ends)
        self._end = int(ends[-1])


def _write(
    folder: Path, pairs: Iterable[Pair], tokenizers: Tokenizers, linked: Linked | None
) -> None:
    names = ("source", "target", *(["links"] if linked else []))
    with ExitStack() as files:

        def opened(name: str) -> IO[bytes]:
            return files.enter_context((folder / name).open("wb"))

        sides = [_Rows(opened(f"{name}.ids"), opened(f"{name}.offsets.npy")) for name in names]
        lines = _Column(opened("lines.npy"))
        for chunk in _chunks(pairs):
            sources, unknowns = tokenizers.sources(chunk)
            targets = tokenizers.targets([pair.target for pair in chunk], unknowns)
            encoded = [sources, targets, *([linked(chunk)] if linked else [])]
            for side, rows in zip(sides, encoded, strict=True):
                side.append(rows)
            lines.append(np.array([pair.line for pair in chunk], np.int64))
        lines.close()
        for side in sides:
            side.close()


def _chunks(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    remaining = iter(pairs)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk

"""Token ids on disk, read through a memory map: training holds a page of them, not the corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seq2see.data.rows import Pair
from seq2see.data.tokenizers import END, SPECIALS, UNKNOWN, Tokenizer
from seq2see.errors import TrainingError
from seq2see.files import refusing, sync

_CHUNK = 10_000
Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
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
class Side:
    """The ids of one side, one row after the other."""

    ids: Ids
    offsets: Offsets

    def __getitem__(self, row: int) -> Ids:
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> Offsets:
        """How many ids each row has, the end mark counted."""
        return np.diff(self.offsets)


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
            return Side(ids, np.load(folder / f"{name}.offsets.npy"))

        links = side("links") if (folder / "links.ids").exists() else None
        store = cls(side("source"), side("target"), np.load(folder / "lines.npy"), links)
        for one in (store.source, store.target, *([links] if links else [])):
            if len(one.offsets) != len(store) + 1 or one.offsets[-1] != len(one.ids):
                raise ValueError(f"the token ids in {folder} are not complete")
        return store


def _write(
    folder: Path, pairs: Iterable[Pair], tokenizers: Tokenizers, linked: Linked | None
) -> None:
    names = ("source", "target", *(["links"] if linked else []))
    lengths: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in names}
    lines: list[npt.NDArray[np.int64]] = []
    with ExitStack() as open_files:
        files = {
            name: open_files.enter_context((folder / f"{name}.ids").open("wb")) for name in names
        }
        for chunk in _chunks(pairs):
            sources, unknowns = tokenizers.sources(chunk)
            targets = tokenizers.targets([pair.target for pair in chunk], unknowns)
            encoded = [sources, targets, *([linked(chunk)] if linked else [])]
            for name, rows in zip(names, encoded, strict=True):
                # `tofile` would not say that the disk is full, only that less was written.
                files[name].write(np.concatenate([np.asarray(row, np.int32) for row in rows]).data)
                lengths[name].append(np.array([len(row) for row in rows], np.int64))
            lines.append(np.array([pair.line for pair in chunk], np.int64))
    for name, parts in lengths.items():
        np.save(folder / f"{name}.offsets.npy", np.concatenate([[0], *parts]).cumsum())
    np.save(folder / "lines.npy", np.concatenate(lines or [np.zeros(0, np.int64)]))


def _chunks(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    remaining = iter(pairs)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk

"""Takes the census of a file of pairs: a few numbers for each, and the characters of each side.

A pair takes 41 bytes: its line number, 64-bit hashes of its source and of the whole pair, both
lengths, and how many of its sides are filled. Texts are not kept.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seq2see.data.diagnosis import Side, Summary
from seq2see.data.pairs import fingerprint
from seq2see.data.rows import Pair


@dataclass(slots=True)
class Census:
    """Keeps a few numbers of each pair, and how often each character occurs on each side."""

    numbers: array[int] = field(default_factory=lambda: array("Q"))
    inputs: array[int] = field(default_factory=lambda: array("Q"))
    pairs: array[int] = field(default_factory=lambda: array("Q"))
    filled: array[int] = field(default_factory=lambda: array("B"))
    lengths: tuple[array[int], array[int]] = field(default_factory=lambda: (array("Q"), array("Q")))
    characters: tuple[Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter())
    )

    def add(self, pair: Pair) -> None:
        """Takes a pair in."""
        self.numbers.append(pair.line)
        self.inputs.append(fingerprint(pair.source, *pair.features))
        self.pairs.append(fingerprint(pair.target, pair.source, *pair.features))
        self.filled.append(filled_sides(pair))
        for side, text in enumerate((pair.source, pair.target)):
            self.lengths[side].append(len(text))
            self.characters[side].update(text)

    def lines_where(self, mask: NDArray[np.bool_]) -> array[int]:
        """Gives the line numbers of the pairs that a mask picks."""
        return array("Q", _hashes(self.numbers)[mask].tobytes())

    def some(self) -> NDArray[np.bool_]:
        """Picks the pairs that are not empty on both sides."""
        return np.array(self.filled, np.uint8) > 0

    def repeated(self) -> NDArray[np.bool_]:
        """Picks the pairs that stood in an earlier line already."""
        mask = self.some()
        first = np.unique(_hashes(self.pairs), return_index=True)[1]
        mask[first] = False
        return mask

    def contradictory(self) -> NDArray[np.bool_]:
        """Picks all pairs with both sides whose source has more than one target."""
        inputs = _hashes(self.inputs)
        both = np.array(self.filled, np.uint8) == 2
        different = both & ~self.repeated()
        found, counts = np.unique(inputs[different], return_counts=True)
        mask: NDArray[np.bool_] = both & np.isin(inputs, found[counts > 1])
        return mask

    def outliers(self, spread: float, factor: float) -> tuple[NDArray[np.bool_], float]:
        """Picks outliers in length ratio by the rule of `Limits`, and gives the median ratio."""
        mask = np.array(self.filled, np.uint8) == 2
        if not mask.any():
            return mask, 1.0
        source, target = (np.log(np.array(side, float)[mask]) for side in self.lengths)
        middle = float(np.median(source - target))
        off = np.abs(source - target - middle)
        far = off > spread * 1.4826 * float(np.median(off))
        # A hair below the factor, so that exactly threefold counts in spite of rounding.
        mask[mask] = far & (off >= np.log(factor) - 1e-9)
        return mask, float(np.exp(middle))

    def inputs_in(self, other: Census) -> NDArray[np.bool_]:
        """Picks the pairs whose source stands in another file."""
        return self.some() & np.isin(_hashes(self.inputs), _hashes(other.inputs)[other.some()])

    def pairs_in(self, other: Census) -> NDArray[np.bool_]:
        """Picks the pairs that stand in another file."""
        return self.some() & np.isin(_hashes(self.pairs), _hashes(other.pairs)[other.some()])

    def summary(self, lines: int, several: NDArray[np.bool_]) -> Summary:
        """Sums the file up, given its number of lines and the contradictory pairs."""
        inputs = _hashes(self.inputs)
        return Summary(
            lines=lines,
            pairs=len(inputs),
            sources=len(np.unique(inputs[self.some()])),
            contradictory_sources=len(np.unique(inputs[several])),
            source=_side(self.lengths[0], self.characters[0]),
            target=_side(self.lengths[1], self.characters[1]),
        )


def filled_sides(pair: Pair) -> int:
    """Counts the sides that hold more than white space."""
    return bool(pair.source.strip()) + bool(pair.target.strip())


def _side(lengths: array[int], characters: Counter[str]) -> Side:
    values = np.array(lengths if len(lengths) else [0], float)
    return Side(
        mean=float(values.mean()),
        median=float(np.median(values)),
        p95=float(np.percentile(values, 95)),
        longest=int(values.max()),
        distinct=len(characters),
    )


def _hashes(numbers: array[int]) -> NDArray[np.uint64]:
    return np.array(numbers, np.uint64)

"""Metrics that compare one output with its own references: accuracy, WER, PER, CER.

Each counts a numerator and a denominator a source; a corpus scores their two sums. Texts are
compared code point by code point: nothing is lower-cased, stripped or normalised here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from rapidfuzz.distance import Levenshtein

from seq2see.evaluate.resample import Table


@dataclass(frozen=True)
class StringMetric:
    r"""Scores a corpus by a share of two sums, in percent.

    $$100 \sum_i a_i / \sum_i b_i$$

    A corpus whose references are all empty has the denominator 0; it is then taken as 1.

    Args:
        name: what users write.
        several: how several references are used, as in a signature.
        unit: what is counted, likewise.
        higher_is_better: whether a greater value is a better one.
        count_one: from an output and its references to (a, b).
    """

    name: str
    several: str
    unit: str
    higher_is_better: bool
    count_one: Callable[[str, Sequence[str]], tuple[int, int]]

    def count(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]
    ) -> tuple[Table, str]:
        """Counts a and b of every source: `[source, 2]`, and the signature of the score.

        Like sacreBLEU's, the signature has `nrefs:1` where every output has one reference alone.
        """
        nrefs = "1" if all(len(known) == 1 for known in references) else self.several
        pairs = zip(hypotheses, references, strict=True)
        table = np.array([self.count_one(output, known) for output, known in pairs], np.float64)
        return table, f"nrefs:{nrefs}|unit:{self.unit}|n:{len(table)}|seq2see:{_version()}"

    def score(self, sums: Table) -> Table:
        """Turns sums `[corpus, 2]` into values `[corpus]`, in percent."""
        return 100 * self.each(sums)

    def each(self, table: Table) -> Table:
        """Turns counts `[source, 2]` into shares `[source]`, as fractions of 1."""
        shares: Table = table[:, 0] / np.maximum(table[:, 1], 1)
        return shares


def closest(output: Sequence[str], references: Iterable[Sequence[str]]) -> tuple[int, int]:
    """Finds the reference that needs the fewest edits, the shortest such if several do.

    Source: Levenshtein 1966 (insertions, deletions and substitutions, each counting 1).

    Args:
        output: symbols, or a string as a sequence of characters.
        references: sequences of the same kind, at least one.

    Returns:
        The edits, and the length of that reference.
    """
    return min((Levenshtein.distance(known, output), len(known)) for known in references)


def _match(output: str, references: Sequence[str]) -> tuple[int, int]:
    return int(output in references), 1


def _wrong(output: str, references: Sequence[str]) -> tuple[int, int]:
    symbols = output.split()
    return int(all(symbols != known.split() for known in references)), 1


def _symbol_edits(output: str, references: Sequence[str]) -> tuple[int, int]:
    return closest(output.split(), (known.split() for known in references))


def _character_edits(output: str, references: Sequence[str]) -> tuple[int, int]:
    return closest(output, references)


def _version() -> str:
    try:
        return version("seq2see")
    except PackageNotFoundError:
        return "not-installed"  # run from the source folder, which carries no metadata


STRING_METRICS = (
    StringMetric("accuracy", "any", "text", True, _match),
    StringMetric("wer", "closest", "output", False, _wrong),
    StringMetric("per", "closest", "symbol", False, _symbol_edits),
    StringMetric("cer", "closest", "character", False, _character_edits),
)

"""How a translation is written on a line.

- by default: the text;
- `--scores`: text, TAB, score in nats, TAB, share of source pieces never seen in training;
- `--alignments`: one TAB more, then pairs `source-target` of pieces, both counted from 0;
- `--nbest N`: `INDEX ||| text ||| score`, where INDEX is the number of the input line from 1, and
  share and pairs, where asked for, behind another ` ||| ` each; at most N lines a source.

A line end in an output would make two lines of one, and a tab would shift the fields behind it:
both are written as a blank, and counted. So are the outputs that the length limit stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from seq2see.data.rows import Pair
from seq2see.decode.translate import Translation

_SHOWN = 10
_LINE_ENDS = str.maketrans("\n\r", "  ")
_FIELD_ENDS = str.maketrans("\n\r\t", "   ")


@dataclass
class Shape:
    """Writes translations as lines.

    Args:
        nbest: whether several translations of a source are wanted.
        scores: whether score and share of unseen pieces are wanted.
        alignments: whether pairs of pieces are wanted.
        mended: lines whose outputs held a line end or a tab that became a blank.
        stopped: lines whose outputs reached the length limit before an end mark.
    """

    nbest: bool = False
    scores: bool = False
    alignments: bool = False
    mended: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)

    def lines(self, pair: Pair, found: Sequence[Translation]) -> list[str]:
        """Returns the lines of one source: one, or one a translation with `nbest`."""
        if self.nbest:
            return [" ||| ".join([str(pair.line), *self._fields(pair, one)]) for one in found]
        return ["\t".join(self._fields(pair, found[0]))]

    def note(self) -> str:
        """Says which outputs are not written as they are; empty where all of them are."""
        if not self.mended:
            return ""
        return (
            f"{len(self.mended):,} outputs hold a line end or a tab, which is written as a blank"
            f" (input lines {listed(self.mended)})"
        )

    def stopped_note(self) -> str:
        """Says which outputs ended at the length limit; empty where all came to their end."""
        if not self.stopped:
            return ""
        return (
            f"{len(self.stopped):,} outputs reached the length limit without an end mark and may"
            f" lack their end; --max-length N sets another (input lines {listed(self.stopped)})"
        )

    def _fields(self, pair: Pair, one: Translation) -> list[str]:
        several = self.nbest or self.scores or self.alignments
        text = one.text.translate(_FIELD_ENDS if several else _LINE_ENDS)
        if text != one.text:
            self.mended.append(pair.line)
        if not one.finished:
            self.stopped.append(pair.line)
        fields = [text]
        if self.scores or self.nbest:
            fields.append(f"{one.score:.4f}")
        if self.scores:
            fields.append(f"{one.unknown_share:.4f}")
        if self.alignments:
            fields.append(pharaoh(one, len(pair.features)))
        return fields


def listed(lines: Iterable[int]) -> str:
    """Names the first ten different line numbers, as `1, 2, 5`."""
    different = list(dict.fromkeys(lines))
    return ", ".join(map(str, different[:_SHOWN])) + ", …" * (len(different) > _SHOWN)


def pharaoh(one: Translation, features: int) -> str:
    """Pairs each piece of the target with the piece of the source it looked at most.

    Args:
        one: a translation; its end mark, and features and end mark of its source, are no pieces.
        features: how many features the source carries.

    Returns:
        `source-target` pairs, both counted from 0, as `0-0 2-1`.
    """
    if one.pattern is None:
        return ""
    pieces = one.pattern[: len(one.tokens) - one.finished, features:-1]
    return " ".join(f"{source}-{target}" for target, source in enumerate(pieces.argmax(1).tolist()))

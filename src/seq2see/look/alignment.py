"""Which source pieces each target piece comes from, by one of four measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from jaxtyping import Float
from torch import Tensor

from seq2see.config import nearest
from seq2see.data.links import Link, write_pharaoh
from seq2see.data.rows import Texts, as_pairs
from seq2see.data.tokenizers import END
from seq2see.decode.score import side_by_side
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.attribution import Measure, by_erasure, by_gradient, eye
from seq2see.look.capture import gradients
from seq2see.look.forced import Forced, force
from seq2see.look.names import only
from seq2see.look.words import Units, pieces, words
from seq2see.nn.network import Network

MEASURES = ("weight", "norm", "gradient", "erasure")
UNITS = ("piece", "word")


@dataclass(frozen=True)
class How:
    """How pairs are aligned; see `align`.

    Raises:
        ConfigError: a measure or a unit of no such name; or shift, layer or head for a measure that
            asks the network as a whole.
    """

    by: str = "weight"
    shift: bool = False
    layer: int | None = None
    head: int | None = None
    unit: str = "piece"

    def __post_init__(self) -> None:
        for name, value, known in (("by", self.by, MEASURES), ("unit", self.unit, UNITS)):
            if value not in known:
                raise ConfigError(f"found {value!r}", where=name, mend=nearest(str(value), known))
        looks = self.shift or self.layer is not None or self.head is not None
        if looks and self.by in ("gradient", "erasure"):
            raise ConfigError(
                f"{self.by} asks the whole network what each prediction rests on",
                expected="shift, layer and head only by weight or by norm",
                where="align",
                mend="Leave them out, or align by weight or by norm",
            )

    @classmethod
    def of(cls, **options: Any) -> How:
        """Makes it of named options.

        Raises:
            ConfigError: there is no option of a name; the message gives the nearest one.
        """
        names = [field.name for field in fields(cls)]
        for name in options:
            if name not in names:
                raise ConfigError("unknown option", where=name, mend=nearest(name, names))
        return cls(**options)


@dataclass(frozen=True, eq=False)
class Alignment:
    """How much each source piece has to do with each target piece.

    Args:
        matrix: a row a target piece, a column a source piece, as the measure gives them. Features
            and end marks are no part of it.
        elsewhere: of each target piece, the sum of what fell on features, on the end mark and on
            pieces of no word.
        source: the pieces, or words, of the columns.
        target: those of the rows.
    """

    matrix: Float[Tensor, "target source"]
    elsewhere: Float[Tensor, " target"]
    source: tuple[str, ...]
    target: tuple[str, ...]

    @property
    def links(self) -> tuple[Link, ...]:
        """Links each target piece to the source piece of its greatest number, the first of equals.

        A row without a number above 0 has no link.
        """
        if not self.source:
            return ()
        best = self.matrix.numpy().argmax(1).tolist()
        rows = enumerate(zip(best, self.matrix, strict=True))
        return tuple(sorted((i, place) for place, (i, row) in rows if row[i] > 0))

    def pharaoh(self) -> str:
        """Writes the links as `0-0 1-2`, source first, counted from 0."""
        return write_pharaoh(self.links)


DEFAULT = How()


def align(
    translator: Translator,
    texts: Texts,
    targets: str | Sequence[str] | None = None,
    how: How = DEFAULT,
) -> list[Alignment]:
    """Aligns the pieces of targets with those of their sources while a model is forced along them.

    The measures, `how.by`:

    - `weight`: the attention over the source. The layer is the last but one of the decoder, or the
      only one, as in Garg et al. 2019, section 4.1, and the mean is taken over its heads, unless
      `layer` or `head` say otherwise. A recurrent decoder has one such layer of one head.
    - `norm`: the length of what the same heads bring from there; see `Eye.norms`. Where a weight is
      large and the value small, it differs.
    - `gradient`: see `by_gradient`.
    - `erasure`: see `by_erasure`.

    The attention that predicts target token i has not seen it. With `how.shift`, a target piece is
    aligned by the step after, at which the decoder reads it. The last piece of a text is read at
    the step that predicts the end mark; where a search was stopped before its end, that step is run
    for it. Source: Chen et al. 2020, section 3.1 (shift).

    With `how.unit` of `word`, what stands between blanks is joined: a word's columns are summed, as
    the shares of one look are, and of its rows the mean is taken. Source: Clark et al. 2019,
    section 4.1.

    Args:
        translator: the model; its options decide how it searches where no target is given.
        texts: the sources.
        targets: one a source. None takes each `Pair`'s own target and, where there is none, the
            best output of the model.
        how: the measure and what it is taken of.

    Returns:
        One alignment a source, in order.

    Raises:
        ConfigError: there is no such layer or head, no attention, or the model is an ensemble.
        DataError: there is no source.
        DecodingError: there are not as many targets as sources.
    """
    network = only(translator.network)
    measure = _measure(network, how)
    forced = _ended(force(translator, texts, targets))
    budget = translator.options.batch_tokens
    found: dict[int, Tensor] = {}
    with gradients(False):
        for given in side_by_side(network, forced.sources, forced.targets, budget):
            tables = measure(given)
            tables = tables.roll(-1, dims=1) if how.shift else tables
            for row, table in zip(given.rows, tables.float().cpu(), strict=True):
                found[row] = table[: len(forced.targets[row]), : len(forced.sources[row])]
    features = [len(pair.features) for pair in as_pairs(texts)]
    sides = _units(forced, features, how.unit)
    return [_joined(found[i], *units) for i, units in enumerate(sides)]


def _measure(network: Network, how: How) -> Measure:
    if how.by == "gradient":
        return partial(by_gradient, network)
    if how.by == "erasure":
        return partial(by_erasure, network)
    found = eye(network, how.layer, how.head)
    return found.weights if how.by == "weight" else found.norms


def _ended(forced: Forced) -> Forced:
    """Puts an end mark to targets whose search was stopped before it."""
    each = [ids if ids[-1:] == [END] else [*ids, END] for ids in forced.targets]
    return replace(forced, targets=each)


def _units(forced: Forced, features: Sequence[int], unit: str) -> list[tuple[Units, Units]]:
    """Returns what the columns and the rows of each pair are."""
    sides = []
    tokenizers = forced.tokenizers
    every = zip(forced.source_tokens, forced.target_tokens, features, strict=True)
    for source, target, first in every:
        texts = range(first, len(source) - 1), range(len(target) - 1)
        if unit == "piece":
            sides.append((pieces(source, texts[0]), pieces(target, texts[1])))
        else:
            columns = words(source, texts[0], tokenizers.source)
            sides.append((columns, words(target, texts[1], tokenizers.target)))
    return sides


def _joined(table: Float[Tensor, "target source"], source: Units, target: Units) -> Alignment:
    rows, columns = target.members, source.members
    rows = rows / rows.sum(1, keepdim=True)  # a unit has at least one piece
    table = rows @ table  # unit source
    matrix = table @ columns.T
    return Alignment(matrix, table @ (1 - columns.sum(0)), source.names, target.names)

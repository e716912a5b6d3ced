"""The methods of a model that look inside it; what they do stands in `seq2see.look`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from seq2see.data.pairs import Pair
from seq2see.data.rows import Texts
from seq2see.decode.translate import Translator
from seq2see.look.ablate import Ablation
from seq2see.look.alignment import Alignment, How, align
from seq2see.look.distance import Distances, distances
from seq2see.look.edit import Edit, edited
from seq2see.look.lens import EncoderLens, Lens, decoder_lens, lens
from seq2see.look.neurons import Neurons, neurons
from seq2see.look.patch import Metric, Patching, patch
from seq2see.look.stream import Level, stream
from seq2see.look.trace import Trace, trace

_REFERENCE = 200
"""Pairs that a mean is taken over, or values drawn from, where none are named."""

Targets = str | Sequence[str] | None
"""One a source; None takes each `Pair`'s own and, where there is none, the model's best output."""


class Looking(ABC):
    """What can be looked at in anything that has a translator."""

    @abstractmethod
    def translator(self, **options: Any) -> Translator:
        """Returns the text-to-text search of the model."""

    @abstractmethod
    def held_out(self) -> list[Pair]:
        """Returns the pairs that the model was judged by while it was trained.

        Raises:
            ConfigError: they are not at hand.
        """

    def trace(
        self,
        source: Texts,
        target: Targets = None,
        *,
        grad: bool = False,
    ) -> Trace:
        """Keeps every value that passes inside the network while it is forced along a target.

        Args:
            source: one or several sources, as text or as `Pair`s.
            target: one a source. None takes each `Pair`'s own target and, where there is none, the
                model's own best output.
            grad: whether the gradients of the target's log-likelihood by every value are kept too.
        """
        return trace(self.translator(), source, target, grad=grad)

    def edit(self, *edits: Edit) -> AbstractContextManager[None]:
        """Changes how the network works for the length of a `with` block, in this thread alone.

        Inside, everything works as before: `translate`, `score`, `evaluate`, `trace`, `patch`.

        Args:
            edits: what `seq2see.ablate` and `seq2see.replace` return. An ablation by `mean` or
                `resample` that names no data takes the first 200 pairs of `held_out`.
        """
        given = [
            replace(each, data=self.held_out()[:_REFERENCE])
            if isinstance(each, Ablation) and each.lacks_data
            else each
            for each in edits
        ]
        return edited(self.translator(), given)

    def patch(
        self,
        clean: str | Pair,
        corrupt: str | Pair,
        at: str | None = None,
        metric: str | Metric = "likelihood",
        *,
        heads: bool = False,
    ) -> Patching:
        """Puts single values of a clean run into a corrupted run and measures what each restores.

        Args:
            clean: a source whose output is right, or a pair with its target.
            corrupt: the same with something exchanged; as many source tokens.
            at: names of the values to be patched, in which `*` stands for any text; None takes what
                each layer of the encoder hands on.
            metric: how a run is judged; see `seq2see.look.patch.patch`.
            heads: whether values kept by head are patched head by head.
        """
        return patch(self.translator(), clean, corrupt, at, metric, heads=heads)

    def align(self, source: Texts, target: Targets = None, **how: Any) -> list[Alignment]:
        """Says which source pieces each target piece comes from.

        Args:
            source: one or several sources, as text or as `Pair`s.
            target: one a source, or None; see `Targets`.
            how: `by` (weight, norm, gradient, erasure), `shift`, `layer`, `head`, `unit` (piece,
                word); see `seq2see.look.alignment.align`.
        """
        return align(self.translator(), source, target, How.of(**how))

    def lens(self, source: Texts, target: Targets = None) -> Lens:
        """Reads what each layer of the decoder would predict; see `seq2see.look.lens.lens`."""
        return lens(self.translator(), source, target)

    def decoder_lens(self, source: Texts, target: Targets = None, **options: Any) -> EncoderLens:
        """Lets the decoder see the source as each layer of the encoder leaves it.

        See `seq2see.look.lens.decoder_lens`; `options` are changes to the search.
        """
        return decoder_lens(self.translator(**options), source, target)

    def neurons(self, at: str, source: Texts, target: Targets = None, *, keep: int = 10) -> Neurons:
        """Finds what drives each neuron of a feed-forward layer, and which tokens it promotes.

        Args:
            at: the layer, as `decoder.0.feedforward`.
            source: the data: sources, or pairs.
            target: one a source, or None; see `Targets`.
            keep: how many inputs are kept for each neuron.
        """
        return neurons(self.translator(), at, source, target, keep)

    def distances(
        self,
        source: Texts,
        target: Targets = None,
        at: str = "encoder",
        *,
        directions: int = 16,
        seed: int = 1,
    ) -> Distances:
        """Measures how strongly states depend on inputs that stand far from them.

        See `seq2see.look.distance.distances`.

        Args:
            source: one or several sources, as text or as `Pair`s.
            target: one a source, or None; see `Targets`.
            at: whose states: `encoder`, `decoder`, or the name of a value.
            directions: how many passes backward are spent on a position.
            seed: of the directions.
        """
        return distances(self.translator(), source, target, at, directions, seed)

    def stream(self, source: Texts, target: Targets = None) -> tuple[Level, ...]:
        """Measures a Transformer's residual stream after each sub-layer.

        See `seq2see.look.stream.stream`.
        """
        return stream(self.translator(), source, target)

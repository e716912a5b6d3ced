"""What a model can be asked about its heads, as thin methods of `Model`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Self

from torch import Tensor

from seq2see.api.looking import Looking
from seq2see.bundle.folder import Bundle
from seq2see.config import as_table
from seq2see.data.pairs import Pair
from seq2see.data.rows import Texts
from seq2see.look.change import Task
from seq2see.look.curve import PruningCurve, pruning_curve
from seq2see.look.heads import HeadOptions, heads
from seq2see.look.names import only
from seq2see.look.prune import order, removed, without, worth
from seq2see.look.removal import Head
from seq2see.look.rollout import rollout
from seq2see.look.table import HeadTable
from seq2see.look.trace import trace
from seq2see.recipe.card import pruned_card
from seq2see.recipe.judging import examine_by

Data = str | PathLike[str] | Sequence[Pair]


class Heads(Looking):
    """The part of `Model` that describes heads and takes them away."""

    bundles: tuple[Bundle, ...]

    if TYPE_CHECKING:

        def __init__(self, bundles: Sequence[Bundle]) -> None: ...

        def read(self, data: Data, columns: str = "") -> list[Pair]:
            """Is given by `Model`."""

    def heads(
        self,
        data: Data,
        at: str = "*",
        *,
        ablations: str = "metric",
        by: str = "mean",
        metric: str = "",
        beam: int = 1,
    ) -> HeadTable:
        """Describes every head: the role it has taken, and what changes when it is ablated.

        What it costs is said at `seq2see.look.heads.heads`: ablations by `metric` decode the data
        once for every head.

        Args:
            data: a data file, or pairs.
            at: whose heads: an attention's name, in which `*` stands for any text.
            ablations: what is measured without each head: the `metric` of decoded outputs, the
                `likelihood` of the targets, which is much faster, or `none`.
            by: what takes the place of an ablated head: `zero`, `mean` or `resample`.
            metric: for ablations by metric; empty: the one that suits the task.
            beam: how outputs are decoded then; greedily unless said, since that is faster.
        """
        pairs = self.read(data)
        options = HeadOptions(at, ablations, by)
        task = _task(pairs, metric) if ablations == "metric" else None
        return heads(self.translator(beam=beam), pairs, options, task)

    def prune(
        self,
        keep: int,
        by: str = "gradient",
        data: Data | None = None,
        at: str = "*",
        seed: int = 1,
    ) -> Self:
        """Returns a smaller model that lacks the heads which are worth least.

        Args:
            keep: how many heads are left in the whole network.
            by: what a head's worth is: `gradient`, `ablation`, `magnitude` or `random`; see
                `seq2see.look.prune.worth`.
            data: a data file or pairs, for `gradient` and `ablation`.
            at: which attentions may lose heads: a name, in which `*` stands for any text.
            seed: of `random`.
        """
        translator, bundle = self.translator(), self.bundles[0]
        network = only(translator.network)
        pairs = None if data is None else self.read(data)
        gone = removed(network, order(worth(translator, by, pairs, at, seed)), keep)
        smaller = without(network, gone)
        scores = {name: value for name, value in bundle.scores.items() if name == "training"}
        recipe = {**bundle.recipe, "model": as_table(smaller.settings)}
        pruned = replace(bundle, network=smaller, recipe=recipe, scores=scores)
        return type(self)([replace(pruned, card=pruned_card(pruned, len(gone), by))])

    def pruning_curve(
        self,
        data: Data,
        by: str | Sequence[Head] = "gradient",
        at: str = "*",
        *,
        every: int = 1,
        metric: str = "",
        beam: int = 1,
    ) -> PruningCurve:
        """Scores the model with fewer and fewer heads, without training in between.

        Args:
            data: a data file, or pairs: decoded once for every point.
            by: the order in which heads go: a measure as for `prune`, taken on the same data, which
                flatters the curve; or the heads themselves, as (attention, number).
            at: which attentions may lose heads, where `by` is a measure.
            every: how many heads go from one point to the next.
            metric: empty: the one that suits the task.
            beam: how outputs are decoded; greedily unless said, since that is faster.
        """
        pairs, translator = self.read(data), self.translator(beam=beam)
        ordered = order(worth(translator, by, pairs, at)) if isinstance(by, str) else by
        return pruning_curve(translator, _task(pairs, metric), ordered, every=every)

    def rollout(self, source: Texts) -> Tensor:
        """Follows attention through the encoder: see `seq2see.look.rollout.rollout`.

        Args:
            source: one or several sources, as text or as `Pair`s.
        """
        return rollout(trace(self.translator(), source))


def _task(pairs: Sequence[Pair], metric: str) -> Task:
    examination = examine_by(pairs, [metric] if metric else ())
    return Task(examination.sources, examination.references, examination.metrics[0])

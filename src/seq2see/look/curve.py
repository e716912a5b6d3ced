"""How the metric goes as one head after the other is taken out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.evaluate.metrics import metric_named
from seq2see.look.ablate import ablate
from seq2see.look.change import Change, Task
from seq2see.look.edit import edited
from seq2see.look.names import only
from seq2see.look.removal import Head, attentions


@dataclass(frozen=True)
class Point:
    """The model with some heads gone.

    Args:
        kept: how many heads are left in the whole network.
        gone: those that went since the point before.
        score: what it scores, in the metric's unit.
        change: the difference to the whole model.
    """

    kept: int
    gone: tuple[Head, ...]
    score: float
    change: Change


@dataclass(frozen=True)
class PruningCurve:
    """What a model scores with fewer and fewer heads, without training in between.

    Args:
        metric: the metric's name.
        points: the whole model first.
    """

    metric: str
    points: tuple[Point, ...]

    def spare(self, fall: float) -> int:
        """Counts the heads that can go before the metric gets worse by more than `fall`.

        That is the last point before the first that is worse; what comes after it, though it be
        better again, does not count.

        Args:
            fall: in the metric's unit, as 0.5 for half a BLEU point.
        """
        sign = 1 if metric_named(self.metric).higher_is_better else -1
        spare = 0
        for point in self.points:
            if sign * point.change.value < -fall:
                break
            spare = self.points[0].kept - point.kept
        return spare

    def __str__(self) -> str:
        lines = [f"{'heads':>5}  {self.metric:>10}  {'change':>9}  gone"]
        for point in self.points:
            gone = ", ".join(f"{at} {head}" for at, head in point.gone)
            lines.append(
                f"{point.kept:>5}  {point.score:>10.3f}  {point.change.value:>+9.3f}  {gone}"
            )
        return "\n".join(line.rstrip() for line in lines)


def pruning_curve(
    translator: Translator, task: Task, ordered: Sequence[Head], *, every: int = 1, seed: int = 1
) -> PruningCurve:
    """Takes heads out one after the other, in a given order, and scores the outputs each time.

    Heads are silenced by zero, which gives what a network gives that lacks them. All of the task is
    decoded once for every point. An order found on the pairs of the task flatters the curve: find
    it on other pairs. Source: Michel et al. 2019, section 4, figure 3.

    Args:
        translator: the model; its options decide how outputs are decoded.
        task: what is decoded, and how it is judged.
        ordered: the heads, in the order in which they go, as `seq2see.look.prune.order` gives them.
        every: how many go from one point to the next.
        seed: of the intervals' draws.

    Raises:
        ConfigError: a head does not exist or goes twice, or `every` is below 1.
    """
    if every < 1:
        raise ConfigError(f"found {every}", expected="1 or more", where="every")
    if len(set(ordered)) < len(ordered):
        raise ConfigError("a head goes twice", where="order", mend="Name each head once")
    total = sum(attentions(only(translator.network)).values())
    whole = task.answers(translator)
    points = []
    for count in range(0, len(ordered) + every, every):
        gone = ordered[:count]
        outputs = silenced(translator, gone, task) if gone else whole
        change = task.change(whole, outputs, seed=seed)
        step = tuple(ordered[max(0, count - every) : count])
        points.append(Point(total - len(gone), step, task.score(outputs), change))
    return PruningCurve(task.metric, tuple(points))


def silenced(translator: Translator, heads: Sequence[Head], task: Task) -> list[str]:
    """Decodes a task while the given heads write nothing."""
    by_attention: defaultdict[str, list[int]] = defaultdict(list)
    for at, head in heads:
        by_attention[at].append(head)
    with edited(translator, [ablate(at, numbers) for at, numbers in by_attention.items()]):
        return task.answers(translator)

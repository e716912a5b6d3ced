"""One row a head: the role it has taken, how sure its look is, and what goes when it goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from seq2see.config import nearest
from seq2see.data.rows import Texts, as_pairs
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.ablate import WAYS
from seq2see.look.change import Change, Task
from seq2see.look.forced import force
from seq2see.look.means import Means
from seq2see.look.measure import CONFIDENCE, ENTROPY, IMPORTANCE, RELATIVE, measure
from seq2see.look.names import only
from seq2see.look.removal import (
    Head,
    check_targets,
    likelihood_changes,
    metric_changes,
    removals,
    standing,
)
from seq2see.look.table import HeadRow, HeadTable, Match

ABLATIONS = ("likelihood", "metric", "none")


@dataclass(frozen=True)
class HeadOptions:
    """What is asked of the heads.

    Args:
        at: whose heads: an attention's name, in which `*` stands for any text.
        ablations: what is measured of the model without each head: `likelihood` of the targets,
            `metric` of decoded outputs, or `none`.
        by: what takes the place of an ablated head: `zero`, `mean` or `resample`.
        reach: how many positions away the mean weight is kept by offset.
        seed: of resampling, and of the bootstrap's draws.
    """

    at: str = "*"
    ablations: str = "likelihood"
    by: str = "mean"
    reach: int = 8
    seed: int = 1

    def __post_init__(self) -> None:
        for name, value, known in (("ablations", self.ablations, ABLATIONS), ("by", self.by, WAYS)):
            if value not in known:
                raise ConfigError(f"found {value!r}", where=name, mend=nearest(str(value), known))
        if self.reach < 0:
            raise ConfigError(f"found {self.reach}", expected="0 or more", where="reach")


def heads(
    translator: Translator, data: Texts, options: HeadOptions, task: Task | None = None
) -> HeadTable:
    """Describes every head of a model by what it does on some data.

    The model is forced along the targets; nothing is averaged over heads. A head's role is the job
    with the greatest gain, (match - even) / (1 - even), if that reaches `seq2see.look.jobs.LEAST`
    and the job tells at least `seq2see.look.jobs.APPLIES` of the queries where to look. Where
    others come within `seq2see.look.jobs.CLOSE` of it, the job that names the fewest places counts:
    a head that looks at the same position also looks near the diagonal.

    What it costs: the description takes one pass forwards and backwards over the data. Ablations by
    `likelihood` take one pass forwards for every head, and by `mean` and `resample` one more for
    every attention; nothing of a pass is reused for the next, not even the encoder's states where
    only a decoder's head is ablated. Ablations by `metric` decode all of the task once for every
    head, which takes many times as long: 48 heads are 49 times `evaluate`. Name an attention by
    `at`, decode greedily, or give a part of the data. The likelihood says what the targets lose,
    which need not be what the metric loses: an output can stay right though less probable.

    Args:
        translator: the model; its options decide how outputs are decoded.
        data: pairs; where a target is missing, the model's own output takes its place.
        options: what is asked.
        task: what is decoded, where ablations are judged by a metric.

    Raises:
        ConfigError: no attention has such a name or has heads left, or the model is an ensemble.
        DataError: there is no pair, or a pair has no target and heads are ablated.
    """
    ats = standing(only(translator.network), options.at)
    pairs = as_pairs(data)
    if options.ablations != "none":
        check_targets(pairs)
    if options.ablations == "metric" and task is None:
        raise ConfigError("no task to decode", where="ablations", mend="Give the task")
    forced = force(translator, pairs)
    found = measure(translator, forced, list(ats), options.reach)
    each = removals(translator, pairs, ats, options.by, options.seed)
    changes: dict[Head, Change] = {}
    if options.ablations == "likelihood":
        changes = likelihood_changes(translator, forced, each)
    elif task is not None and options.ablations == "metric":
        changes = metric_changes(translator, task, each)
    rows = [
        replace(_row(at, head, found[at], options.reach), change=changes.get((at, head)))
        for at, count in ats.items()
        for head in range(count)
    ]
    queries = {at: means.counts[ENTROPY] for at, means in found.items()}
    return HeadTable(tuple(rows), queries, options.by if changes else "")


def _row(at: str, head: int, means: Means, reach: int) -> HeadRow:
    mean = partial(means.mean, head=head)
    names = [name.removesuffix(" match") for name in means.sums if name.endswith(" match")]
    matches = [
        Match(
            name,
            mean(f"{name} match"),
            means.mean(f"{name} even"),
            mean(f"{name} weighted"),
            means.counts[f"{name} match"] / means.counts[ENTROPY],
        )
        for name in names
        if means.counts[f"{name} match"]
    ]
    return HeadRow(
        at,
        head,
        tuple(matches),
        mean(ENTROPY),
        mean(RELATIVE),
        mean(CONFIDENCE),
        mean(IMPORTANCE),
        tuple(mean(f"offset {n}") for n in range(-reach, reach + 1)),
        tuple(mean(f"weighted offset {n}") for n in range(-reach, reach + 1)),
    )

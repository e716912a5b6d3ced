"""What do queries, keys and values do for attention?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean

from seq2see.nn.plan import HeadRole
from seq2see.report.charts import Axis, bars
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match, size
from seq2see.study.patterns import ITSELF, weight_on_itself
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.readings import Reading
from seq2see.study.results import Results, by_seed
from seq2see.study.trial import Subject
from seq2see.study.verdict import Verdict, allowed, judge

_HEADS, _LAYERS = 4, 2
_FACTS = {"pairs": (2, 6), "keys": 12}
_FULL, _RAW, _TIED, _OWN, _EVEN = "Q, K and V", "none", "Q = K", "V identity", "V alone"
_MARGIN = 5.0
"""Points of recall that count as nothing, lost or picked."""

GUESSED = "guessed (%)"


def _even() -> str:
    """Lets every head look alike everywhere, so that neither query nor key is left."""
    attentions = [
        f"{side}.{layer}.{each}"
        for side, kinds in (("encoder", ("self",)), ("decoder", ("self", "cross")))
        for layer in range(_LAYERS)
        for each in kinds
    ]
    given = [HeadRole(at, h, "uniform", "fixed") for at in attentions for h in range(_HEADS)]
    return settings.roles(given)


def guessed(subject: Subject) -> Iterator[Reading]:
    """Measures how often the commonest value of a source is right, whichever key is asked for.

    That is the best that can be answered without picking one of the pairs. Other tasks than recall
    have none.
    """
    facts = [[w for w in pair.source.split() if "=" in w] for pair in subject.test]
    counts = [Counter(fact.partition("=")[2] for fact in each) for each in facts if each]
    if counts:
        shares = [max(count.values()) / count.total() for count in counts]
        yield Reading(GUESSED, 100 * sum(shares) / len(shares))


def claim(results: Results) -> Verdict:
    """Holds each clause of the hypothesis against recall, and the first against the patterns too.

    Expected are: more weight on the position itself without projections, and less recall; with
    values alone no more recall than by a guess; less recall with one map for query and key; and
    with identity values no less. A guess, and no less, are meant to within 5 points.
    """
    full, raw = {"projections": _FULL}, {"projections": _RAW}
    own = [results.mean(ITSELF, where) for where in (full, raw)]
    every = (_FULL, _RAW, _TIED, _OWN, _EVEN)
    right = {each: results.values(EXACT, projections=each, task="recall") for each in every}
    lucky = results.values(GUESSED, projections=_EVEN, task="recall")
    means = {each: fmean(values.values()) for each, values in right.items()}
    text = (
        f"Without projections {own[1]:.0f} % of the encoder's weight stays on the position itself,"
        f" with them {own[0]:.0f} %; {means[_RAW]:.0f} % and {means[_FULL]:.0f} % are recalled."
        f" With one map for query and key {means[_TIED]:.0f} % are, without one for values"
        f" {means[_OWN]:.0f} %, without query and key {means[_EVEN]:.0f} %, where a guess gives"
        f" {fmean(lucky.values()):.0f} %."
    )
    return judge(
        text,
        results.difference(ITSELF, full, raw),
        by_seed(right[_RAW], right[_FULL]),
        allowed(by_seed(right[_EVEN], lucky), _MARGIN),
        by_seed(right[_TIED], right[_FULL]),
        allowed(by_seed(right[_FULL], right[_OWN]), _MARGIN),
    )


def figures(results: Results) -> Sequence[Figure]:
    """Draws accuracy by task, and the weight on a position itself."""
    return tuple(
        Figure(
            f"raw-{name}",
            title,
            f"Bars: {title.lower()}, for each task and each kind of projections.",
            bars(
                rows.named(rows.by_condition(results, measure), "task", "projections"),
                Axis("name", ""),
                Axis("value", measure, zero=True),
            ),
        )
        for name, title, measure in (
            ("accuracy", "Right answers", EXACT),
            ("itself", "Weight of a position on itself", ITSELF),
        )
    )


STUDY = Study(
    name="raw",
    question="What do queries, keys and values do for attention?",
    varied="which of query, key and value vectors are projected to, whether query and key share a"
    " map, and the task",
    fixed="layers, heads, width, training pairs, the number of updates",
    hypothesis="A raw vector is most like itself, so that without projections each position looks"
    " at itself; what has to look from one thing at another, as recall, suffers. Without query and"
    " key nothing can be picked at all. One map for query and key lets whatever looks be looked at"
    " alike, so that recall suffers there, too. Values need no map of their own beside the"
    f" output's: without it at most {_MARGIN:g} points of recall are lost (He and Hofmann 2023).",
    caution="Feed-forward layers stay in all models and may make up for missing projections; models"
    " that lack maps have fewer parameters. A guess is the commonest value of a source. A pair that"
    " is recalled is one word; with key and value as two words no model learned the task (5,000"
    " updates, 16,000 pairs, seed 1): they only named some value of the source.",
    factors=(
        Factor(
            "projections",
            (
                Level(_FULL),
                Level(_RAW, ("model.projections=false",)),
                Level(_TIED, ("model.tied_query_key=true",)),
                Level(_OWN, ("model.value_projection=false",)),
                Level(_EVEN, (_even(),)),
            ),
        ),
        Factor(
            "task",
            (
                Level("recall", sizes={"task": "recall", "joined": True, **_FACTS}),
                Level("sort", sizes={"task": "sort", "length": (2, 8)}),
                Level("copy", sizes={"task": "copy", "length": (2, 8)}),
            ),
        ),
    ),
    material=Material("recall", train=4000),
    measures=(exact_match, guessed, weight_on_itself(), size),
    claim=claim,
    figures=figures,
    settings=(*settings.transformer(_LAYERS, heads=_HEADS), *settings.training(800)),
)

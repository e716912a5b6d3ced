"""What do queries, keys and values do for attention?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.nn.plan import HeadRole
from seq2see.report.charts import Axis, bars
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match, size
from seq2see.study.patterns import ITSELF, weight_on_itself
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results
from seq2see.study.verdict import Verdict, judge

_HEADS, _LAYERS = 4, 2
_FACTS = {"pairs": (2, 6), "keys": 12}
_FULL, _RAW, _EVEN = "Q, K and V", "none", "V alone"


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


def claim(results: Results) -> Verdict:
    """Expects raw vectors to look at themselves, and to recall less than with projections."""
    full, raw = {"projections": _FULL}, {"projections": _RAW}
    recall = {"task": "recall"}
    own = [results.mean(ITSELF, where) for where in (full, raw)]
    right = [results.mean(EXACT, {**where, **recall}) for where in (full, raw)]
    text = (
        f"Without projections {own[1]:.0f} % of the encoder's weight stays on the position itself,"
        f" with them {own[0]:.0f} %; {right[1]:.0f} % and {right[0]:.0f} % are recalled."
    )
    return judge(
        text,
        results.difference(ITSELF, full, raw),
        results.difference(EXACT, {**raw, **recall}, {**full, **recall}),
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
    varied="whether vectors are projected to query, key and value, and the task",
    fixed="layers, heads, width, training pairs, the number of updates",
    hypothesis="A raw vector is most like itself, so that without projections each position looks"
    " at itself; what has to look from one thing at another, as recall, suffers. Without query and"
    " key nothing can be picked at all.",
    caution="Feed-forward layers stay in all models and may make up for missing projections; models"
    " without projections have fewer parameters. A pair that is recalled is one word; with key and"
    " value as two words none of these models learned the task (5,000 updates, 16,000 pairs, seed"
    " 1): they only named some value of the source.",
    factors=(
        Factor(
            "projections",
            (
                Level(_FULL),
                Level(_RAW, ("model.projections=false",)),
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
    measures=(exact_match, weight_on_itself(), size),
    claim=claim,
    figures=figures,
    settings=(*settings.transformer(_LAYERS, heads=_HEADS), *settings.training(800)),
)

"""Why are scores divided by the root of the number of features?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.material import Material
from seq2see.study.measures import exact_match, size
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results
from seq2see.study.saturation import LARGEST, SLOPE, SPREAD, UNTRAINED, saturation
from seq2see.study.speed import until, updates_until
from seq2see.study.verdict import Verdict, judge

_ENOUGH = 90
_FEATURES, _FROM = (4, 16, 64, 256), 64
_FEW, _MANY = str(_FEATURES[0]), str(_FEATURES[-1])
_SCALED, _RAW = "scaled", "raw"


def claim(results: Results) -> Verdict:
    """Expects raw scores to spread with d_key and the slope to fall, and training to be slower.

    Slower than with scaled scores, at each number of features from `_FROM` on.
    """
    few, many = ({"features": d, "scores": _RAW} for d in (_FEW, _MANY))
    tame = {"features": _MANY, "scores": _SCALED}
    spread = [results.mean(SPREAD, w, UNTRAINED) for w in (few, many, tame)]
    slope = [results.mean(SLOPE, w, UNTRAINED) for w in (few, many)]
    took = [results.mean(until(_ENOUGH), where) for where in (many, tame)]
    text = (
        f"From {_FEW} to {_MANY} features the scores of an untrained model spread from"
        f" {spread[0]:.2f} to {spread[1]:.2f}, scaled to {spread[2]:.2f}; with raw scores the"
        f" slope of the softmax goes from {slope[0]:.2f} to {slope[1]:.2f}. {_ENOUGH} % take"
        f" {took[0]:.0f} updates with raw scores and {took[1]:.0f} with scaled ones, at {_MANY}."
    )
    slower = [
        results.difference(until(_ENOUGH), at | {"scores": _SCALED}, at | {"scores": _RAW})
        for at in ({"features": str(d)} for d in _FEATURES if d >= _FROM)
        if results.has(until(_ENOUGH), features=at["features"])
    ]
    return judge(
        text,
        results.difference(SPREAD, few, many, series=UNTRAINED),
        results.difference(SLOPE, many, few, series=UNTRAINED),
        *slower,
    )


def figures(results: Results) -> Sequence[Figure]:
    """Draws the spread of scores and the slope of the softmax before training, and the updates."""
    shown = (
        ("spread", "Scores of an untrained model", SPREAD, UNTRAINED),
        ("slope", "What gradient the softmax lets through, untrained", SLOPE, UNTRAINED),
        ("largest", "The largest weight of an untrained model", LARGEST, UNTRAINED),
        ("updates", f"Updates until {_ENOUGH} % are right", until(_ENOUGH), ""),
    )
    return tuple(
        Figure(
            f"scale-{name}",
            title,
            f"Lines: {measure} against the features of a key, scaled and raw.",
            lines(
                rows.by_condition(results, measure, series=series, numbers=["features"]),
                Axis("features", "features of a key", log=True),
                Axis("value", measure),
                series="scores",
                points=True,
            ),
        )
        for name, title, measure, series in shown
    )


STUDY = Study(
    name="scale",
    question="Why are scores divided by the root of the number of features?",
    varied="the features of a query and key, and whether scores are divided by their root",
    fixed="the task, layers, heads, the features of a value, the number of updates",
    hypothesis="The spread of raw scores grows with the features (Vaswani et al. 2017, section"
    " 3.2.1): the softmax saturates, its slope falls, and learning takes longer from 64 on.",
    caution="Queries and keys of a network are drawn with a spread of their own, so that raw scores"
    " need not grow as those of unit vectors; a run that never gets there counts as all its"
    " updates.",
    factors=(
        Factor.setting("features", "model.d_key", _FEATURES),
        Factor(
            "scores", (Level(_SCALED, ("model.scaled=true",)), Level(_RAW, ("model.scaled=false",)))
        ),
    ),
    material=Material("recall", train=4000, sizes={"pairs": (2, 4), "keys": 10, "joined": True}),
    measures=(saturation(), updates_until(_ENOUGH), exact_match, size),
    claim=claim,
    figures=figures,
    settings=(
        *settings.transformer(layers=1, heads=2),
        "model.d_value=32",
        *settings.training(600, validations=20),
    ),
)

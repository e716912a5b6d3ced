"""How many facts can a model keep and find again?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.contrast import interaction
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match, size
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results
from seq2see.study.verdict import Verdict, judge

_PAIRS = (4, 16, 64)
_WIDTHS = (32, 64)
_GRU, _LSTM, _TRANSFORMER = "gru", "lstm+attention", "transformer"


def _models() -> tuple[Level, ...]:
    made = {
        f"{kind} {width}": settings.transformer(d_model=width)
        if kind == _TRANSFORMER
        else settings.recurrent(kind, width)
        for kind in (_GRU, _LSTM, _TRANSFORMER)
        for width in _WIDTHS
    }
    return tuple(Level(name, settings) for name, settings in made.items())


def claim(results: Results) -> Verdict:
    """Expects attention to lose less than a fixed vector when there is more to keep."""
    few, many = str(_PAIRS[0]), str(_PAIRS[-1])
    gru, lstm, transformer = (
        (
            {"model": f"{kind} {_WIDTHS[-1]}", "pairs": few},
            {"model": f"{kind} {_WIDTHS[-1]}", "pairs": many},
        )
        for kind in (_GRU, _LSTM, _TRANSFORMER)
    )
    means = [results.mean(EXACT, w) for each in (gru, lstm, transformer) for w in each]
    text = (
        f"From {few} to {many} pairs the GRU falls from {means[0]:.0f} to {means[1]:.0f} % right,"
        f" the LSTM with attention from {means[2]:.0f} to {means[3]:.0f} %, the Transformer from"
        f" {means[4]:.0f} to {means[5]:.0f} %."
    )
    return judge(
        text,
        interaction(results, EXACT, gru, lstm),
        interaction(results, EXACT, gru, transformer),
    )


def figures(results: Results) -> Sequence[Figure]:
    """Draws accuracy by the number of pairs."""
    return (
        Figure(
            "recall-pairs",
            "Right answers by what there is to keep",
            "Lines: the share of right answers against the number of pairs, for each model.",
            lines(
                rows.by_condition(results, EXACT, numbers=["pairs"]),
                Axis("pairs", "pairs of a key and a value", log=True),
                Axis("value", EXACT),
                series="model",
                points=True,
            ),
            caption="The number behind a model is its width. One in ten is right by chance.",
        ),
    )


STUDY = Study(
    name="recall",
    question="How many facts can a model keep and find again?",
    varied="the pairs of a key and a value that a source holds, the architecture and its width",
    fixed="keys, values, training pairs, the number of updates",
    hypothesis="What a GRU keeps is bounded by its state, so that its accuracy falls with the pairs"
    " and rises with the width; attention looks every value up and stays flat (Arora et al. 2023).",
    caution="A model that has not learned to look up within these updates shows what training"
    " gives, not what the architecture can hold.",
    factors=(
        Factor("model", _models()),
        Factor("pairs", tuple(Level(str(n), sizes={"pairs": (n, n)}) for n in _PAIRS)),
    ),
    material=Material("recall", train=4000, dev=100, sizes={"keys": 64, "joined": True}),
    measures=(exact_match, size),
    claim=claim,
    figures=figures,
    settings=settings.training(500, 4096),
)

"""How many facts can a model keep and find again?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.contrast import over, under
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match, exact_up_to, size
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results, by_seed
from seq2see.study.verdict import Verdict, judge

_PAIRS = (4, 16, 64)
_WIDTHS = (32, 64)
_FLAT = 5.0
"""Points of right answers that a flat curve may lose."""

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
    """Expects the GRU to fall with the pairs and rise with the width, and attention to stay flat.

    Flat: at most `_FLAT` points lost from few pairs to many, and fewer than the GRU loses, since a
    model that learned nothing is flat too.
    """
    bounds = (_PAIRS[0], _PAIRS[-1])
    right = {
        kind: [results.values(EXACT, at=at, model=f"{kind} {_WIDTHS[-1]}") for at in bounds]
        for kind in (_GRU, _LSTM, _TRANSFORMER)
    }
    falls = {
        kind: {seed: few[seed] - many[seed] for seed in few} for kind, (few, many) in right.items()
    }
    wider = results.difference(EXACT, *({"model": f"{_GRU} {width}"} for width in _WIDTHS))
    said = [
        " to ".join(f"{sum(each.values()) / len(each):.0f}" for each in pair)
        for pair in right.values()
    ]
    text = (
        f"From up to {bounds[0]} pairs to more than {_PAIRS[-2]} the GRU falls from {said[0]} %"
        f" right, the LSTM with attention from {said[1]} %, the Transformer from {said[2]} %."
        f" Width adds {wider.value:+.1f} points to the GRU."
    )
    seeing = [falls[each] for each in (_LSTM, _TRANSFORMER)]
    flat = (rule for each in seeing for rule in (under(each, _FLAT), by_seed(each, falls[_GRU])))
    return judge(text, over(falls[_GRU]), wider, *flat)


def figures(results: Results) -> Sequence[Figure]:
    """Draws accuracy by the number of pairs."""
    return (
        Figure(
            "recall-pairs",
            "Right answers by what there is to keep",
            "Lines: the share of right answers against the number of pairs, for each model.",
            lines(
                rows.by_place(results, EXACT),
                Axis("at", "pairs of a key and a value, at most", log=True),
                Axis("value", EXACT),
                series="model",
                points=True,
            ),
            caption="The number behind a model is its width. A point holds the sources with more"
            " pairs than the point before. One in four is right by chance.",
        ),
    )


STUDY = Study(
    name="recall",
    question="How many facts can a model keep and find again?",
    varied="the architecture and its width, and in testing the pairs that a source holds",
    fixed="keys, values, training pairs, the number of updates",
    hypothesis="What a GRU keeps is bounded by its state, so that its accuracy falls with the pairs"
    " and rises with the width; attention looks every value up and stays flat (Arora et al. 2023).",
    caution="A model that has not learned to look up within these updates shows what training"
    " gives, not what the architecture can hold. A pair is one word, and sources of few pairs are"
    " as frequent as those of many: in trials with seed 1, where most held many, a Transformer of"
    " width 64 began to look up hundreds of updates later.",
    factors=(Factor("model", _models()),),
    material=Material(
        "recall",
        train=24_000,
        test=600,
        sizes={"pairs": (1, _PAIRS[-1]), "keys": 64, "values": 4, "joined": True},
    ),
    measures=(exact_match, exact_up_to(*_PAIRS, besides=2), size),
    claim=claim,
    figures=figures,
    settings=(
        *settings.WORDS,
        *settings.training(2000, 2048),
        "train.rate=0.002",  # the same for all; the default depends on the architecture
    ),
)

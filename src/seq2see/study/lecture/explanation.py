"""Is attention an explanation?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, bars
from seq2see.report.view import Figure
from seq2see.study import rows
from seq2see.study.alignments import (
    AER,
    EVEN,
    TAU,
    alignment_errors,
    exact_with_even_attention,
    rank_agreement,
)
from seq2see.study.contrast import over, under
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results, by_seed
from seq2see.study.settings import RUN, TRANSFORMER, WORDS
from seq2see.study.verdict import Verdict, judge

_PARTLY = 0.5
"""Kendall's tau from which on two orders agree in more than part: in 3 of 4 pairs of words."""

_MEASURES = ("weight", "norm", "gradient", "erasure")


def claim(results: Results) -> Verdict:
    """Expects value norms nearer the links than weights, and attention to be needed at all.

    Gradient and erasure rank the source as the weights do in part: Kendall's tau above 0, and below
    `_PARTLY`.
    """
    weight = results.values(AER, series="weight", model="transformer")
    norm = results.values(AER, series="norm", model="transformer")
    even = results.values(EXACT, series=EVEN, model="transformer")
    right = results.values(EXACT, model="transformer")
    nearer, needed = by_seed(norm, weight), by_seed(even, right)
    taus = [
        results.values(TAU, series=f"weight, {other}", model="transformer")
        if results.has(TAU, series=f"weight, {other}", model="transformer")
        else {}
        for other in ("gradient", "erasure")
    ]
    text = (
        f"In the Transformer the AER of value norms is {nearer.value:.3f} below that of the raw"
        f" weights; with even attention {needed.value:.1f} points of right outputs are lost."
        f" Kendall's tau with the weights is {over(taus[0]).value:.2f} for the gradient and"
        f" {over(taus[1]).value:.2f} for erasure."
    )
    partly = (rule for tau in taus for rule in (over(tau), under(tau, _PARTLY)))
    return judge(text, nearer, needed, *partly)


def figures(results: Results) -> Sequence[Figure]:
    """Draws the error of each measure, and how alike weights and the others rank the source."""
    errors = [
        {**each, "name": f"{each['name']}: {by}"}
        for by in _MEASURES
        for each in _named(results, AER, by)
    ]
    alike = [
        {**each, "name": f"{each['name']}: {by}"}
        for by in _MEASURES[1:]
        for each in _named(results, TAU, f"weight, {by}")
    ]
    return (
        Figure(
            "explanation-error",
            "Distance from the known links",
            "Bars: the alignment error rate of four measures, by architecture.",
            bars(errors, Axis("name", "", type="nominal"), Axis("value", AER, zero=True)),
        ),
        Figure(
            "explanation-rank",
            "Do they rank the source as the weights do?",
            "Bars: Kendall's tau between attention weights and three other measures.",
            bars(alike, Axis("name", "", type="nominal"), Axis("value", TAU, zero=True)),
            caption="1: the same order of source words; 0: no agreement.",
        ),
    )


def _named(results: Results, measure: str, series: str) -> list[rows.Row]:
    return rows.named(rows.by_condition(results, measure, series=series), "task", "model")


STUDY = Study(
    name="explanation",
    question="Is attention an explanation?",
    varied="the architecture, the task with its known links, and what the alignment is read from:"
    " attention weight, value norm, gradient or erasure",
    fixed="the training pairs, the number of updates",
    hypothesis="Value norms are nearer the known links than raw weights (Kobayashi et al. 2020);"
    " gradient and erasure rank the source only partly as the weights do (Jain and Wallace 2019);"
    " and with even attention the outputs are lost (a control of Wiegreffe and Pinter 2019).",
    caution="The links say what decides the answer in the task, not what this network went by. The"
    " attention is that of one layer of the decoder, all its heads; even attention is put into a"
    " model that was not trained with it.",
    factors=(
        Factor(
            "model",
            (
                Level("bilstm+attention", ("model.kind=bilstm+attention", "model.d_hidden=64")),
                Level("transformer", TRANSFORMER),
            ),
        ),
        Factor("task", tuple(Level(each, sizes={"task": each}) for each in ("sort", "reverse"))),
    ),
    material=Material("sort", train=4000, test=100, sizes={"length": (3, 8)}),
    measures=(
        exact_match,
        exact_with_even_attention,
        alignment_errors({by: {"by": by} for by in _MEASURES}),
        rank_agreement("weight", _MEASURES[1:]),
    ),
    claim=claim,
    figures=figures,
    drawn=(),  # pieces may be copied, as in any run of words
    settings=(*WORDS, *RUN, "train.steps=800"),
)

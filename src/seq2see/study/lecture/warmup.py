"""Why does a learning rate warm up?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, bars, lines
from seq2see.report.view import Figure
from seq2see.study import rows
from seq2see.study.contrast import UNKNOWN, above, turned
from seq2see.study.failures import GRADIENT, RATIO, failed, first_gradients
from seq2see.study.material import Material
from seq2see.study.measures import exact_match
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.readings import FAILED
from seq2see.study.results import Results
from seq2see.study.settings import TRANSFORMER, WORDS
from seq2see.study.verdict import Verdict, judge

_DEPTHS, _RATES, _WARM = (2, 6), (0.001, 0.003), 200
_DEEP, _HOT = str(_DEPTHS[-1]), str(_RATES[-1])
_HALF = 0.5
_LEAST = 10.0
"""Per cent of right outputs below which a run has failed."""


def claim(results: Results) -> Verdict:
    """Expects the deep, hot post-norm network to fail without warm-up, and pre-norm not to.

    Its last layer begins with a larger gradient than its first; pre-norm fails in fewer than half
    of the runs without warm-up.
    """
    bare = {"norm": "after", "warmup": "0", "depth": _DEEP, "peak_rate": _HOT}
    by_place = results.difference(FAILED, bare | {"norm": "before"}, bare)
    by_warmup = results.difference(FAILED, bare | {"warmup": str(_WARM)}, bare)
    alone = {**bare, "norm": "before"}
    spared = turned(above(results, FAILED, _HALF, **alone))
    steep, told = UNKNOWN, "no gradient at step 0 is known"
    if results.has(RATIO, norm="after", depth=_DEEP):  # a run that diverges leaves none
        steep = above(results, RATIO, 1.0, norm="after", depth=_DEEP)
        told = f"its last layer begins with {steep.value + 1:.1f} times the gradient of its first"
    text = (
        f"At depth {_DEEP} and peak rate {_HOT} without warm-up,"
        f" {100 * results.summary(FAILED, at=None, **bare).value:.0f} % of the post-norm runs fail;"
        f" {100 * by_place.value:.0f} points more than pre-norm, {100 * by_warmup.value:.0f} more"
        f" than with warm-up; {told}."
    )
    return judge(text, steep, by_place, by_warmup, spared)


def figures(results: Results) -> Sequence[Figure]:
    """Draws the share of failed runs of every condition, and gradients by layer at step 0."""
    fell = rows.by_condition(results, FAILED)
    for each in fell:  # a share of three runs has no interval worth drawing
        each.pop("low", None)
        each.pop("high", None)
    begun = rows.by_place(results, GRADIENT, warmup="0", depth=_DEEP, peak_rate=_HOT)
    return (
        Figure(
            "warmup-failed",
            "Runs that fail",
            "Bars: the share of failed runs by place of the norm, warm-up, depth and peak rate.",
            bars(fell, Axis("name", "", type="nominal"), Axis("value", FAILED, zero=True)),
            caption="Place of the norm, updates of warm-up, layers a side, peak rate. Failed: fewer"
            f" than {_LEAST:.0f} % right outputs, or a loss that is not finite.",
        ),
        Figure(
            "warmup-gradient",
            "Gradients before the first update",
            "Lines: the gradient of each decoder layer at step 0, by place of the norm.",
            lines(
                begun,
                Axis("at", "layer of the decoder", format="d"),
                Axis("value", GRADIENT, zero=True),
                series="norm",
                points=True,
            ),
            caption=f"Norm of the gradient by the second feed-forward map; {RATIO} stands below.",
        ),
    )


STUDY = Study(
    name="warmup",
    question="Why does a learning rate warm up?",
    varied="the place of the norm, the updates of warm-up, the depth, the peak rate",
    fixed="the task, its training pairs, the width, the number of updates, AdamW",
    hypothesis="With the norm after the addition the last layers begin with the largest gradients,"
    " so that a deep network with a high rate fails without warm-up; with the norm before the"
    " sub-layer it does not need one (Xiong et al. 2020).",
    caution="A shallow network may show nothing. Gradients are clipped at norm 1, and AdamW divides"
    " by their size, both of which hide what plain gradient descent would show. Rates and sizes"
    " were set by trials with seeds 1 and 2, so that every network learns with some rate: at half"
    " the width, with dropout, lower rates and 400 updates, those with the lower rate learned"
    " nothing, and a deep post-norm network nothing at all.",
    factors=(
        Factor.setting("norm", "model.norm_place", ("before", "after")),
        Factor.setting("warmup", "train.warmup", (0, _WARM)),
        Factor(
            "depth",
            tuple(
                Level(str(n), (f"model.encoder_layers={n}", f"model.decoder_layers={n}"))
                for n in _DEPTHS
            ),
        ),
        Factor.setting("peak rate", "train.rate", _RATES),
    ),
    material=Material("copy", train=3000, sizes={"length": (2, 5)}),
    measures=(exact_match, failed(_LEAST), first_gradients()),
    claim=claim,
    figures=figures,
    settings=(
        *WORDS,
        *TRANSFORMER,
        "model.dropout=0.0",
        "train.optimizer=adamw",
        "train.steps=500",
        "train.batch_tokens=768",
        "train.validations=3",
    ),
    may_fail=True,
)

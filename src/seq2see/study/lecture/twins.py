"""Do heads have different queries, keys and values, and why do they part?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.along import along
from seq2see.study.cloned import UNEQUAL, cloned, gradient_difference
from seq2see.study.contrast import above, turned
from seq2see.study.material import Material
from seq2see.study.measures import exact_match
from seq2see.study.patterns import APART, UNLIKE, head_distance, largest_difference
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results
from seq2see.study.verdict import Verdict, judge

_WHOLE, _DROPPED = "twins with W_O", "twins with W_O, weights dropped"
_MAPS, _DRAWN = "twins without W_O", "independent"
_PARTED = 0.01
"""The distance, out of 1, from which on heads have parted."""


def claim(results: Results) -> Verdict:
    """Expects whole twins to stay together to the end, and all others to have parted by then."""
    ends = {each: above(results, APART, _PARTED, heads=each) for each in _LEVELS}
    far = {each: found.value + _PARTED for each, found in ends.items()}
    unlike = results.summary(UNLIKE, heads=_WHOLE).value
    text = (
        f"After the last update heads are {far[_WHOLE]:.1g} of 1 apart where they began as twins"
        f" with W_O (no two weights differ by more than {unlike:.1g}), {far[_DROPPED]:.2f} where"
        f" weights were dropped too, {far[_MAPS]:.2f} where W_O was each head's own,"
        f" {far[_DRAWN]:.2f} where all were drawn; {_PARTED:g} counts as parted."
    )
    return judge(text, turned(ends.pop(_WHOLE)), *ends.values())


def figures(results: Results) -> Sequence[Figure]:
    """Draws how far heads are apart over training, and how far rounding has parted twins."""
    shown = (
        ("apart", "How far heads are apart", APART, rows.by_place(results, APART)),
        (
            "rounding",
            "What rounding does to twins with W_O",
            UNLIKE,
            rows.by_place(results, UNLIKE, heads=_WHOLE),
        ),
        (
            "gradients",
            "How unlike their gradients are",
            UNEQUAL,
            rows.by_place(results, UNEQUAL),
        ),
    )
    return tuple(
        Figure(
            f"twins-{name}",
            title,
            f"Lines: {measure} against the number of updates, by how heads began.",
            lines(
                found,
                Axis("at", "updates", format="d"),
                Axis("value", measure, zero=True, format=".0e" if name == "rounding" else ""),
                series="heads",
                points=True,
            ),
        )
        for name, title, measure, found in shown
    )


_LEVELS = {
    _WHOLE: Level(_WHOLE, begin=cloned(with_output=True)),
    _DROPPED: Level(_DROPPED, ("model.attention_dropout=0.1",), begin=cloned(with_output=True)),
    _MAPS: Level(_MAPS, begin=cloned(with_output=False)),
    _DRAWN: Level(_DRAWN),
}

STUDY = Study(
    name="twins",
    question="Do heads have different queries, keys and values, and why do they part?",
    varied="what the heads of each attention begin with: copies of one head, its columns of the"
    " output map W_O included or not, with or without attention dropout; or heads drawn one by one",
    fixed="the task, its training pairs and their order, the network, everything but the heads, the"
    " number of updates, AdamW",
    hypothesis="Heads that share W_O too get equal gradients and so stay twins, up to rounding; W_O"
    " of their own, or a dropout that hits each head's weights by itself, parts them; heads that"
    " were drawn one by one are apart from the start. That follows from the equations (Vaswani et"
    " al. 2017, section 3.2.2).",
    caution="Rounding may part whole twins too in a longer run; how soon depends on how a machine"
    " adds up. Weight decay, clipping and AdamW treat twins alike. Muon, which orthogonalises all"
    " heads' maps together, heads with roles and frozen heads would be another experiment. A key's"
    " bias changes no weight, so that its gradient is rounding alone, which AdamW makes large: it"
    " parts even in whole twins, and shows in no pattern. All heads of an attention are twins here,"
    " so that it does what one head could. The number of updates was set after a trial with seed 1,"
    " in which two weights of whole twins differed by 2e-6 at most after 400.",
    factors=(Factor("heads", tuple(_LEVELS.values())),),
    material=Material("sort", train=4000, sizes={"length": (2, 8), "vocabulary": 20}),
    measures=(
        exact_match,
        along(head_distance()),
        along(largest_difference()),
        along(gradient_difference()),
    ),
    claim=claim,
    figures=figures,
    drawn=(),  # pieces may be copied, as in any run of words
    settings=(
        *settings.transformer(),
        *settings.training(400),
        "train.milestones=[0,10,25,50,100,200,400]",
    ),
    real=True,
)

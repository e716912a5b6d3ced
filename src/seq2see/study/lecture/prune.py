"""Which heads can go?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.look.prune import ORDERS
from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure
from seq2see.study import rows
from seq2see.study.contrast import over, under
from seq2see.study.material import Material
from seq2see.study.measures import EXACT
from seq2see.study.plan import Study
from seq2see.study.pruning import SCRATCH, TUNED, TUNED_RANDOM, pruning
from seq2see.study.results import Results, by_seed
from seq2see.study.settings import RUN, TRANSFORMER
from seq2see.study.verdict import Verdict, judge

_KEPT = (1.0, 0.75, 0.5, 0.375, 0.25, 0.125)
_TUNED = (0.5, 0.25)
_HEADS = 24
_HALF, _FEWEST = _HEADS // 2, round(_KEPT[-1] * _HEADS)
_FLAT = 5.0
"""Points of right outputs that a flat curve may lose."""


def claim(results: Results) -> Verdict:
    """Expects a flat curve with a cliff, above that of chance, and the pruned model to gain.

    Flat: with half of the heads left by gradient at most `_FLAT` points are lost. A cliff: the last
    heads before the fewest cost more than that first half. Against chance at half of the heads;
    trained on, against the twin from nothing at a quarter.
    """
    chance = results.values(EXACT, at=_HALF, series="random")
    chosen = results.values(EXACT, at=_HALF, series="gradient")
    quarter = _HALF // 2
    twin = results.values(EXACT, at=quarter, series=SCRATCH)
    tuned = results.values(EXACT, at=quarter, series=TUNED)
    whole = results.values(EXACT, at=_HEADS, series="gradient")
    fewest = results.values(EXACT, at=_FEWEST, series="gradient")
    better, gained = by_seed(chance, chosen), by_seed(twin, tuned)
    first = {seed: whole[seed] - chosen[seed] for seed in whole}
    last = {seed: chosen[seed] - fewest[seed] for seed in chosen}
    text = (
        f"With {_HALF} of {_HEADS} heads left by gradient, {better.value:+.1f} points of right"
        f" outputs against a random choice; with {quarter} left and trained on,"
        f" {gained.value:+.1f} against a twin of the same heads from nothing. From"
        f" {_HEADS} heads to {_HALF} {over(first).value:.1f} points are lost, from there to"
        f" {_FEWEST} {over(last).value:.1f}."
    )
    return judge(text, under(first, _FLAT), by_seed(first, last), better, gained)


def figures(results: Results) -> Sequence[Figure]:
    """Draws right outputs against the heads that are left, by order and by training after."""
    every = [
        {**each, "order": series}
        for series in (*ORDERS, TUNED, TUNED_RANDOM, SCRATCH)
        for each in rows.by_place(results, EXACT, series=series)
    ]
    return (
        Figure(
            "prune-curves",
            "Right outputs by heads left",
            "Lines: the share of right outputs against the number of heads left, by order.",
            lines(
                every,
                Axis("at", "heads left", format="d"),
                Axis("value", EXACT, zero=True),
                series="order",
                points=True,
            ),
            caption=f"{TUNED}: pruned by gradient and trained on. {TUNED_RANDOM}: pruned at"
            f" random and trained on. {SCRATCH}: a new network of the same heads,"
            " trained as long as both together.",
        ),
    )


STUDY = Study(
    name="prune",
    question="Which heads can go?",
    varied="how many heads are left, the order in which they go, whether training goes on",
    fixed="the trained model, the pairs that judge the heads (held-out) and those that judge the"
    " outputs (test)",
    hypothesis="Right outputs stay flat while heads go in a good order, then fall off a cliff; a"
    " good order beats a random one (Michel et al. 2019), and a pruned model that is trained on"
    " beats one of the same heads from nothing (Voita et al. 2019).",
    caution="Heads are judged with all others in place, before the first of them goes. A small task"
    " needs few heads; which ones says nothing of other tasks.",
    factors=(),
    material=Material("sort", train=4000, sizes={"length": (3, 8)}),
    measures=(pruning(_KEPT, _TUNED, steps=200),),
    claim=claim,
    figures=figures,
    settings=(*TRANSFORMER, *RUN, "train.steps=800"),
    real=True,
)

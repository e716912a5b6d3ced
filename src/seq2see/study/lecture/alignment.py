"""Can a head be taught alignment, and what does it cost?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, bars
from seq2see.report.view import Figure
from seq2see.study import rows
from seq2see.study.alignments import AER, alignment_errors
from seq2see.study.material import LINKS, Material
from seq2see.study.measures import EXACT, exact_match
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results, by_seed
from seq2see.study.settings import RUN, TRANSFORMER, WORDS
from seq2see.study.verdict import Verdict, allowed, judge

_LAYER = {"by": "weight", "layer": 0}
_WAYS = {
    "all heads": _LAYER,
    "all heads, shifted": _LAYER | {"shift": True},
    "head 0": _LAYER | {"head": 0},
    "head 0, shifted": _LAYER | {"head": 0, "shift": True},
}
_SPARED = 5.0
"""Points of right outputs that guidance may cost and still count as free."""


def _guided(label: str, weight: float, *, shift: bool = False) -> Level:
    role = (
        f'at="decoder.0.cross",head=0,role="links",how="guided",weight={weight}'
        f",shift={str(shift).lower()}"
    )
    return Level(label, (f"model.roles=[{{{role}}}]", f"data.links={LINKS}"))


def claim(results: Results) -> Verdict:
    """Expects a guided head nearer the links than all heads unguided, at no cost.

    And all heads unguided to be nearer where they are read a step later.
    """
    taught = results.values(AER, series="head 0", guidance="0.5")
    free = [results.values(AER, series=name, guidance="none") for name in _WAYS if "all" in name]
    cost = results.difference(EXACT, {"guidance": "none"}, {"guidance": "0.5"})
    nearer = by_seed(free[1], free[0])
    best = min(sum(each.values()) / len(each) for each in free)
    text = (
        f"The head guided with weight 0.5 has an AER of {sum(taught.values()) / len(taught):.2f},"
        f" all heads unguided {best:.2f} at best; right outputs changed by {cost.value:+.1f}"
        f" points. Unguided, the shifted reading is {nearer.value:+.2f} of AER nearer."
    )
    far = (by_seed(taught, each) for each in free)
    return judge(text, *far, allowed(cost, _SPARED), nearer)


def figures(results: Results) -> Sequence[Figure]:
    """Draws the error of each way to align by guidance, and the right outputs."""
    errors = [
        {**each, "name": f"{each['name']}: {way}"}
        for way in _WAYS
        for each in rows.by_condition(results, AER, series=way)
    ]
    right = rows.by_condition(results, EXACT)
    return (
        Figure(
            "alignment-error",
            "Distance from the known links",
            "Bars: the alignment error rate of each way to align under each guidance.",
            bars(errors, Axis("name", "", type="nominal"), Axis("value", AER, zero=True)),
            caption="0: all links found and no other. Shifted: read off one step later.",
        ),
        Figure(
            "alignment-right",
            "What guidance costs",
            "Bars: the share of right outputs under each guidance.",
            bars(right, Axis("name", "", type="nominal"), Axis("value", EXACT, zero=True)),
        ),
    )


STUDY = Study(
    name="alignment",
    question="Can a head be taught alignment, and what does it cost?",
    varied="the weight of a loss that pulls one head towards the known links, and whether a target"
    " word is aligned when it is predicted or when it is read",
    fixed="the task, its training pairs, the network, the number of updates",
    hypothesis="A guided head finds the links far better than unguided heads do, and the outputs do"
    f" not suffer: at most {_SPARED:.0f} points (Garg et al. 2019). Unguided, the shifted reading"
    " is nearer the links (Chen et al. 2020).",
    caution="The links are exact here. Those of a statistical aligner hold errors, which a guided"
    " head learns as well.",
    factors=(
        Factor(
            "guidance",
            (
                Level("none"),
                _guided("0.05", 0.05),
                _guided("0.5", 0.5),
                _guided("0.5 shifted", 0.5, shift=True),
            ),
        ),
    ),
    material=Material("sort", train=4000, sizes={"length": (3, 8)}),
    measures=(exact_match, alignment_errors(_WAYS)),
    claim=claim,
    figures=figures,
    drawn=(),  # pieces may be copied, as in any run of words
    settings=(*WORDS, *TRANSFORMER, *RUN, "train.steps=800"),
)

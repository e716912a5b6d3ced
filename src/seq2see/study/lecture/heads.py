"""How many heads does a model need?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.contrast import above, turned
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match, size
from seq2see.study.patterns import APART, head_distance
from seq2see.study.plan import Factor, Study
from seq2see.study.results import Results, by_seed
from seq2see.study.single import HARM, LEAST, MATTER, harm
from seq2see.study.verdict import Verdict, allowed, judge

_FEW, _MANY = "1", "8"
_HALF = 50.0
_NEARLY = 5.0


def claim(results: Results) -> Verdict:
    """Expects few of eight heads to matter, the last over the source most, and one to do as well.

    Few: fewer than half. Most: the head worth most is worth more there than in any other attention.
    As well: at most `_NEARLY` points of right outputs less than eight.
    """
    matter = above(results, MATTER, _HALF, heads=_MANY)
    right = [results.summary(EXACT, heads=each).value for each in (_FEW, _MANY)]
    last, others = _worth(results)
    best = [sum(each.values()) / len(each) for each in (last, others)]
    text = (
        f"Of {_MANY} heads a layer {matter.value + _HALF:.0f} % matter: without each of them a"
        f" target token loses more than {LEAST} nats. The head worth most costs {best[0]:.2f} nats"
        f" in the last attention over the source, {best[1]:.2f} in any other. {right[1]:.0f} % are"
        f" right, with one head {right[0]:.0f} %."
    )
    alone = results.difference(EXACT, {"heads": _MANY}, {"heads": _FEW})
    return judge(text, turned(matter), by_seed(others, last), allowed(alone, _NEARLY))


def _worth(results: Results) -> tuple[dict[int, float], dict[int, float]]:
    """Returns by seed what the best head is worth in the last attention over the source, and else.

    Else: in that of the other attentions where it is worth most.
    """
    read = {r.series for o in results.outcomes for r in o.readings if r.measure == HARM}
    every = {at: results.values(HARM, series=at, heads=_MANY) for at in sorted(read) if at}
    last = max((at for at in every if at.endswith(".cross")), key=lambda at: int(at.split(".")[1]))
    rest = [values for at, values in every.items() if at != last]
    seeds = every[last]
    return every[last], {seed: max(values[seed] for values in rest) for seed in seeds}


def figures(results: Results) -> Sequence[Figure]:
    """Draws accuracy, and how far heads are apart and what each is worth, by their number."""
    shown = (
        ("accuracy", "Right answers", EXACT),
        ("apart", "How far heads are apart", APART),
        ("matter", "Heads that matter", MATTER),
        ("harm", "The loss without the head that is worth most", HARM),
    )
    return tuple(
        Figure(
            f"heads-{name}",
            title,
            f"A line: {measure} against the number of heads.",
            lines(
                rows.by_condition(results, measure, numbers=["heads"]),
                Axis("heads", "heads of a layer", format="d"),
                Axis("value", measure),
                points=True,
            ),
        )
        for name, title, measure in shown
    )


STUDY = Study(
    name="heads",
    question="How many heads does a model need?",
    varied="the number of heads, which share the width out among themselves",
    fixed="the width and so the number of parameters, the task, the number of updates",
    hypothesis="Few heads matter, those of the last attention over the source most (Michel et al."
    " 2019, Voita et al. 2019); one head alone does nearly as well on a task that has to look at"
    " one place at a time.",
    caution="A head that is taken out alone may be made up for by another that does the same.",
    factors=(Factor.setting("heads", "model.heads", (1, 2, 4, 8)),),
    material=Material("sort", train=4000, sizes={"length": (2, 8), "vocabulary": 20}),
    measures=(exact_match, head_distance(), harm(), size),
    claim=claim,
    figures=figures,
    drawn=(),  # pieces may be copied, as in any run of words
    settings=(*settings.transformer(), *settings.training(1000)),
    real=True,
)

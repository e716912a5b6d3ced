"""Is the sinusoid unique, and does that carry it to longer texts?"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure
from seq2see.study import rows
from seq2see.study.codes import BEYOND, FEWER, TWIN, WITHIN, exact_within_and_beyond, nearest_twins
from seq2see.study.material import Material
from seq2see.study.measures import EXACT
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results, by_seed
from seq2see.study.settings import RUN, TRANSFORMER, WORDS
from seq2see.study.verdict import Verdict, judge

_KINDS = ("none", "sinusoidal", "learned", "rotary", "alibi")
_FEW, _FREQUENCIES = "sinusoidal, 2 frequencies", 2
_LONGEST = 8
_UNIQUE = 1e-3
"""Distance up to which two codes count as the same, as on the page of a report."""


def _levels() -> tuple[Level, ...]:
    """Sets each kind, and beside the whole sinusoid one of which two frequencies are left."""
    levels = [Level(kind, (f"model.positions={kind}",)) for kind in _KINDS]
    few = ("model.positions=sinusoidal", f"model.frequencies={_FREQUENCIES}")
    levels.insert(_KINDS.index("sinusoidal") + 1, Level(_FEW, few))
    return tuple(levels)


def claim(results: Results) -> Verdict:
    """Expects sinusoids to be unique and to help within the lengths trained on, few as well as all.

    Beyond those lengths the right outputs of the sinusoid are expected to fall.
    """
    within = results.values(EXACT, series=WITHIN, positions="sinusoidal")
    beyond = results.values(EXACT, series=BEYOND, positions="sinusoidal")
    none = results.values(EXACT, series=WITHIN, positions="none")
    few = results.values(EXACT, series=WITHIN, positions=_FEW)
    helps, less, falls = by_seed(none, within), by_seed(none, few), by_seed(beyond, within)
    twins = results.values(TWIN, positions="sinusoidal"), results.values(TWIN, positions=_FEW)
    apart = [by_seed(dict.fromkeys(each, _UNIQUE), each) for each in twins]
    near = [fmean(each.values()) for each in twins]
    text = (
        f"No two of 2,000 sinusoidal codes are nearer than {near[0]:.2f}, and they add"
        f" {helps.value:.1f} points of right outputs up to {_LONGEST} words; beyond that"
        f" {falls.value:.1f} points are lost. {_FREQUENCIES} frequencies keep {near[1]:.2g} between"
        f" codes, and add {less.value:.1f} points."
    )
    return judge(text, *apart, helps, less, falls)


def figures(results: Results) -> Sequence[Figure]:
    """Draws right outputs by length, and the nearest twin by the number of frequencies."""
    right = rows.by_place(results, EXACT)
    twins = rows.by_place(results, TWIN, series=FEWER, positions="sinusoidal")
    return (
        Figure(
            "positions-length",
            "Right outputs by length",
            "Lines: the share of right outputs against the words of the source, by encoding.",
            lines(
                right,
                Axis("at", "words of the source", format="d"),
                Axis("value", EXACT, zero=True),
                series="positions",
            ),
            caption=f"Trained on sources of at most {_LONGEST} words.",
        ),
        Figure(
            "positions-twin",
            "How many frequencies make a position unique",
            "Line: the least distance of two among 2,000 codes against the number of frequencies.",
            lines(
                twins,
                Axis("at", "frequencies", format="d"),
                Axis("value", TWIN, log=True),
                points=True,
            ),
            caption="Each frequency is a sine and a cosine. Logarithmic.",
        ),
    )


STUDY = Study(
    name="positions",
    question="Is the sinusoid unique, and does that carry it to longer texts?",
    varied="how a token knows where it stands",
    fixed=f"the task, its training pairs of at most {_LONGEST} words, the network, the number of"
    " updates",
    hypothesis="A few frequencies make every position unique, and a network that knows positions"
    f" beats one that does not; {_FREQUENCIES} frequencies are enough for both. But unique is not"
    " enough: beyond the lengths trained on the sinusoid's right outputs fall (Press et al. 2022).",
    caution="Rotary and ALiBi codes stand in self-attention alone; attention over the source has"
    " none of its own. How far each reaches depends on the task: a copy needs exact places.",
    factors=(Factor("positions", _levels()),),
    material=Material(
        "copy",
        train=4000,
        test=400,
        sizes={"length": (2, _LONGEST)},
        test_sizes={"length": (2, 2 * _LONGEST)},
    ),
    measures=(exact_within_and_beyond(_LONGEST), nearest_twins()),
    claim=claim,
    figures=figures,
    settings=(*WORDS, *TRANSFORMER, *RUN, "train.steps=800", "data.copies=0"),
)

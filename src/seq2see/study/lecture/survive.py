"""Does a programmed role survive training?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from seq2see.nn.plan import HeadRole
from seq2see.report.charts import Axis, bars, lines
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.material import Material
from seq2see.study.measures import exact_match
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results, by_seed
from seq2see.study.survival import ABOVE, HALF, KEPT, SHARE, USE, survival
from seq2see.study.verdict import Verdict, judge

_STEPS, _RELEASE = 600, 200
_NONE, _FIXED, _WRITTEN, _STRONG = "none", "fixed", "init", "bias 6"
_FREE = ("bias 2", _STRONG, "guided")
"""What every role can be given by, and lose."""

_HEADS = {
    "previous": ("encoder.0.self", 0),
    "next": ("encoder.0.self", 0),
    "diagonal": ("decoder.0.cross", 0),
}

_STRENGTHS: Mapping[str, dict[str, object]] = {
    _WRITTEN: {"how": "init"},
    "bias 2": {"how": "bias", "gain": 2.0},
    _STRONG: {"how": "bias", "gain": 6.0},
    "guided": {"how": "guided", "weight": 1.0, "until": _RELEASE},
    _FIXED: {"how": "fixed"},
}


def _given(labels: Mapping[str, str]) -> tuple[str, ...]:
    if labels["role"] == _NONE:
        return ()
    at, head = _HEADS[labels["role"]]
    return (settings.roles([HeadRole(at, head, labels["role"], **_STRENGTHS[labels["strength"]])]),)


def _meaningless(labels: Mapping[str, str]) -> bool:
    # Query and key of an attention over the source stand in two rows of positions.
    crossed = labels["strength"] == _WRITTEN and labels["role"] == "diagonal"
    return crossed or (labels["role"] == _NONE) != (labels["strength"] == _NONE)

STUDY = Study(
    name="survive",
    question="Does a programmed role survive training?",
    varied="",
    fixed="",
    hypothesis="",
    caution="",
    factors=(
        Factor("role", tuple(Level(each) for each in (_NONE, *_HEADS))),
        Factor("strength", tuple(Level(each) for each in (_NONE, *_STRENGTHS))),
    ),
    material=Material("copy", train=8000, sizes={"length": (2, 12)}),
    measures=(exact_match, survival(_HEADS)),
    claim=None,
    figures=None,
    settings=(*settings.transformer(), *settings.training(_STEPS), "train.milestones=[0,25,50,100,200,300,400,600]"),
    combined=_given,
    left_out=_meaningless,
    real=True,
)

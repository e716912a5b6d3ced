"""Does a programmed role survive training?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

from seq2see.nn.plan import HeadRole
from seq2see.report.charts import Axis, bars, lines
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.contrast import mean_of
from seq2see.study.material import Material
from seq2see.study.measures import exact_match
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Difference, Results, by_seed
from seq2see.study.single import LEAST
from seq2see.study.survival import ABOVE, HALF, KEPT, SHARE, USE, survival
from seq2see.study.verdict import Verdict, judge

_STEPS, _RELEASE = 500, 150
_NONE, _FIXED, _WRITTEN, _STRONG = "none", "fixed", "init", "bias 6"
_HEADS = {
    "previous": ("encoder.0.self", 0),
    "next": ("encoder.0.self", 0),
    "diagonal": ("decoder.0.cross", 0),
}
_STRENGTHS = {
    _WRITTEN: partial(HeadRole, how="init"),
    "bias 2": partial(HeadRole, how="bias", gain=2.0),
    _STRONG: partial(HeadRole, how="bias", gain=6.0),
    "guided": partial(HeadRole, how="guided", weight=1.0, until=_RELEASE),
    _FIXED: partial(HeadRole, how="fixed"),
}
_LOST = 0.05
"""A difference of S that counts."""


def claim(results: Results) -> Verdict:
    """Expects init to lose more than a strong bias, and the least useful role more than the most.

    What a role is worth to the task is told by a head that is fixed to it and so cannot lose it: by
    what a target token loses without that head. Roles are told apart where the most useful one is
    worth more than `LEAST` nats, and the least useful one less than half of that.
    """
    left = _left(results)
    sooner = [
        by_seed(each[_WRITTEN], each[_STRONG])
        for each in left.values()
        if _WRITTEN in each and _STRONG in each
    ]
    uses = {
        role: results.summary(USE, series=role, role=role, strength=_FIXED).value for role in left
    }
    most, least = max(uses, key=uses.__getitem__), min(uses, key=uses.__getitem__)
    text = (
        f"S after the last update: {'; '.join(map(_told, left.items()))}. Without the fixed head a"
        f" target token loses {uses[most]:.2f} nats of {most}, {uses[least]:.2f} of {least}"
    )
    if uses[most] > LEAST and uses[least] < uses[most] / 2:
        stays = _contrast(left[least], left[most])
        return judge(f"{text}.", *sooner, stays, least=_LOST)
    unknown = Difference(math.nan, math.nan, math.nan, math.nan)
    known = "all roles are of much the same use" if uses[most] > LEAST else "no role is of use"
    return judge(f"{text}: {known} here.", *sooner, unknown, least=_LOST)


def figures(results: Results) -> Sequence[Figure]:
    """Draws S over training by role, and what every role came to and is used for."""
    ends = (
        ("match", "Who does the role in the end", ABOVE, ""),
        ("half", "How long a role lasts", HALF, "Updates since the head is left to itself; a role"
         " that never falls to half counts as all of them."),
        ("use", "What the head is used for", USE, "The fixed head tells what the role is worth."),
        ("share", "How much the head writes", SHARE, "One of four heads: 0.25 would be even."),
    )  # fmt: skip
    return (
        *(_curves(results, role) for role in _roles(results)),
        *(
            Figure(
                f"survive-{name}",
                title,
                f"Bars: {measure} after the last update, by role and strength.",
                bars(
                    _ends(results, measure),
                    Axis("name", "", type="nominal"),
                    Axis("value", measure, zero=True),
                ),
                caption=caption,
            )
            for name, title, measure, caption in ends
        ),
    )


def _curves(results: Results, role: str) -> Figure:
    return Figure(
        f"survive-{role}",
        f"How much is left of the role {role}",
        f"Lines: S, the share of the role {role} that is kept, over updates, by strength.",
        lines(
            rows.by_place(results, KEPT, series=role, role=role),
            Axis("at", "updates", format="d"),
            Axis("value", "S", zero=True),
            series="strength",
            points=True,
        ),
        caption="1: as at the start; 0: an even look. Guided heads count from their release.",
    )


def _ends(results: Results, measure: str) -> list[rows.Row]:
    """Makes a row of each head at the end: those with a role, and the control's beside them."""
    found = []
    for role in _roles(results):
        for of in (_NONE, role):
            for row in rows.by_condition(results, measure, series=role, role=of):
                found.append({**row, "name": f"{role}, {row['strength']}"})
    return found


def _roles(results: Results) -> list[str]:
    every = dict.fromkeys(each["role"] for each in results.conditions())
    return [role for role in every if role != _NONE]


def _left(results: Results) -> dict[str, dict[str, dict[int, float]]]:
    """Returns S after the last update by role, strength and seed, where there was a role."""
    found: dict[str, dict[str, dict[int, float]]] = {role: {} for role in _roles(results)}
    for each in results.conditions():
        role, strength = each["role"], each["strength"]
        if role != _NONE and results.has(KEPT, series=role, role=role, strength=strength):
            values = results.values(KEPT, series=role, role=role, strength=strength)
            found[role][strength] = values
    return found


def _contrast(
    first: Mapping[str, Mapping[int, float]], second: Mapping[str, Mapping[int, float]]
) -> Difference:
    """Compares two roles by the mean of the strengths that both can lose."""
    both = [each for each in first if each in second and each not in (_FIXED, _WRITTEN)]
    ours, theirs = (mean_of([role[each] for each in both]) for role in (first, second))
    return by_seed(ours, theirs)


def _told(item: tuple[str, Mapping[str, Mapping[int, float]]]) -> str:
    role, each = item
    means = {name: sum(found.values()) / len(found) for name, found in each.items()}
    return f"{role} " + ", ".join(f"{name} {mean:.2f}" for name, mean in means.items())


def _given(labels: Mapping[str, str]) -> tuple[str, ...]:
    if labels["role"] == _NONE:
        return ()
    return (
        settings.roles([_STRENGTHS[labels["strength"]](*_HEADS[labels["role"]], labels["role"])]),
    )


def _meaningless(labels: Mapping[str, str]) -> bool:
    # Query and key of an attention over the source stand in two rows of positions.
    crossed = labels["strength"] == _WRITTEN and labels["role"] == "diagonal"
    return crossed or (labels["role"] == _NONE) != (labels["strength"] == _NONE)


STUDY = Study(
    name="survive",
    question="Does a programmed role survive training?",
    varied="the role that one head is given (previous or next in the encoder, diagonal between"
    " source and target), and how: written into query and key, as a bias of gain 2 or 6, guided by"
    f" a loss until update {_RELEASE}, or fixed; and no role, as the control",
    fixed="the task, its training pairs, the network, which head it is, the number of updates",
    hypothesis="Roles that the task uses stay, those of little use decay; what is written into"
    " query and key decays before a bias of gain 6 does. A fixed head survives trivially, so that"
    " use is told by ablation. Roles were given to heads before, fixed (Raganato et al. 2020, You"
    " et al. 2020) and guided (Deshpande and Narasimhan 2020).",
    caution="S compares a head with its own start: a weak bias begins with little, and can grow"
    " past 1. A role without use may stay merely because nothing pulls at it. Ablation by the mean"
    " shows what the trained network leans on; another head may do the same job. A run of some"
    " hundred updates says nothing of long ones. Task, updates and the rule by which roles are told"
    " apart were set after a trial with seed 1.",
    factors=(
        Factor("role", tuple(Level(each) for each in (_NONE, *_HEADS))),
        Factor("strength", tuple(Level(each) for each in (_NONE, *_STRENGTHS))),
    ),
    material=Material("copy", train=8000),
    measures=(exact_match, survival(_HEADS)),
    claim=claim,
    figures=figures,
    settings=(
        *settings.transformer(),
        *settings.training(_STEPS),
        "train.milestones=[0,25,50,100,150,200,300,500]",
    ),
    combined=_given,
    left_out=_meaningless,
    real=True,
)

"""Every study runs from data to page, and its claim says what made-up figures show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from study_samples import options, shrunk

from seq2see.study.accuracy import WORDS
from seq2see.study.lecture import (
    bottleneck,
    functions,
    heads,
    raw,
    recall,
    scale,
)
from seq2see.study.measures import EXACT
from seq2see.study.patterns import ITSELF
from seq2see.study.plan import Study
from seq2see.study.publish import publish
from seq2see.study.readings import Outcome, Reading
from seq2see.study.results import Results
from seq2see.study.saturation import SPREAD, UNTRAINED
from seq2see.study.single import MATTER
from seq2see.study.speed import until
from seq2see.study.trial import trials

TINY = {
    "bottleneck": shrunk(bottleneck.STUDY),
    "raw": shrunk(raw.STUDY, projections=("Q, K and V", "none"), task=("recall",)),
    "scale": shrunk(scale.STUDY, features=("4", "256")),
    "heads": shrunk(heads.STUDY, heads=("1", "8")),
    "functions": shrunk(
        functions.STUDY, attention=("learned", "Gaussian self", "Gaussian cross too"),
        pairs=("8000",),
    ),
    "recall": shrunk(
        recall.STUDY,
        model=("gru 64", "lstm+attention 64", "transformer 64"), pairs=("4", "64"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TINY)
def test_a_study_runs_from_data_to_page(name: str, tmp_path: Path) -> None:
    study = TINY[name]
    found = []
    for trial in trials(study, 1, options(tmp_path)):
        sizes = {k: (40 if k == "train" else v) for k, v in trial.condition.sizes.items()}
        condition = replace(trial.condition, sizes=sizes)
        found.append(replace(trial, condition=condition).run())
    verdict, (html, page, figures) = publish(study, Results(tuple(found)), "again", tmp_path)
    assert verdict.answer == "undecided"  # one seed says nothing of the spread
    assert study.question in html.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").count(".png)") == len(study.figures(Results(())))
    for outcome in json.loads(figures.read_text(encoding="utf-8"))["outcomes"]:
        assert outcome["readings"]


@pytest.mark.parametrize("name", TINY)
def test_the_whole_grid_of_a_study_can_be_written_down(name: str) -> None:
    study = {
        each.STUDY.name: each.STUDY for each in (bottleneck, functions, heads, raw, recall, scale)
    }[name]
    assert len({each.name for each in study.conditions()}) == len(study.conditions()) <= 24


Value = Callable[[Mapping[str, str]], float]


def made(study: Study, **measures: Value) -> Results:
    """Gives every condition and three seeds the values that the functions of labels say."""

    def readings(labels: Mapping[str, str], seed: int) -> Iterator[Reading]:
        for name, value in measures.items():
            measure, _, series = name.partition("/")
            yield Reading(measure, value(labels) + 0.01 * seed, series=series)

    return Results(
        tuple(
            Outcome(dict(each.labels), seed, tuple(readings(each.labels, seed)), 1.0)
            for seed in (1, 2, 3)
            for each in study.conditions()
        )
    )


def test_attention_that_keeps_more_supports_recall() -> None:
    def right(fall: float) -> Value:
        many = str(recall.STUDY.factors[-1].levels[-1].label)
        return lambda at: 90.0 - (fall if many in at.values() and "gru" in at["model"] else 0.0)

    assert recall.claim(made(recall.STUDY, **{EXACT: right(60.0)})).answer == "supported"
    assert recall.claim(made(recall.STUDY, **{EXACT: right(-5.0)})).answer == "not supported"


def test_functions_that_cost_nothing_within_and_much_across_are_supported() -> None:
    def right(within: float, across: float) -> Value:
        lost = {"Gaussian self": within, "Gaussian cross too": across}
        return lambda at: 90.0 - lost.get(at["attention"], 0.0)

    claim = functions.claim
    assert claim(made(functions.STUDY, **{EXACT: right(0.0, 40.0)})).answer == "supported"
    assert claim(made(functions.STUDY, **{EXACT: right(40.0, 60.0)})).answer == "not supported"
    assert claim(made(functions.STUDY, **{EXACT: right(0.0, -9.0)})).answer == "not supported"


def test_vectors_that_look_at_themselves_and_recall_less_are_supported() -> None:
    def share(raw_share: float) -> Value:
        return lambda at: raw_share if at["projections"] == "none" else 20.0

    def right(at: Mapping[str, str]) -> float:
        return 40.0 if at["projections"] == "none" else 95.0

    figures = {ITSELF: share(80.0), EXACT: right}
    assert raw.claim(made(raw.STUDY, **figures)).answer == "supported"
    figures[ITSELF] = share(10.0)
    assert raw.claim(made(raw.STUDY, **figures)).answer == "not supported"


def words(seen: float, turned: float) -> Results:
    """A GRU that has 20 % right, and more by what attention and a turned source add."""

    def right(labels: Mapping[str, str]) -> float:
        blind = labels["attention"] == "none"
        return (20 + turned * (labels["source"] == "reversed")) if blind else 20 + seen

    return made(bottleneck.STUDY, **{WORDS: right})


def test_bottleneck_is_supported_where_attention_helps_and_turning_helps_without_it() -> None:
    assert bottleneck.claim(words(70, 30)).answer == "supported"
    assert bottleneck.claim(words(70, -5)).answer == "not supported"
    assert bottleneck.claim(words(-5, 30)).answer == "not supported"


def scales(growth: float, slower: float) -> Results:
    def far(labels: Mapping[str, str]) -> bool:
        return labels["features"] == "256" and labels["scores"] == "raw"

    return made(
        scale.STUDY,
        **{
            f"{SPREAD}/{UNTRAINED}": lambda labels: 1 + growth * far(labels),
            until(90): lambda labels: 100 + slower * far(labels),
        },
    )


def test_scale_needs_both_a_spread_that_grows_and_slower_learning() -> None:
    assert scale.claim(scales(15, 200)).answer == "supported"
    assert scale.claim(scales(15, -50)).answer == "not supported"
    assert scale.claim(scales(-0.5, 200)).answer == "not supported"


@pytest.mark.parametrize(
    ("matter", "eight", "answer"),
    [(20.0, 90.0, "supported"), (70.0, 90.0, "not supported"), (20.0, 60.0, "not supported")],
)
def test_heads_asks_for_few_that_matter_and_no_loss(
    matter: float, eight: float, answer: str
) -> None:
    found = made(
        heads.STUDY,
        **{MATTER: lambda _: matter, EXACT: lambda at: 90.0 if at["heads"] == "1" else eight},
    )
    assert heads.claim(found).answer == answer


def test_seeds_that_disagree_leave_a_claim_undecided() -> None:
    noisy = [
        replace(one, readings=tuple(replace(r, value=r.value + 60 * (-1) ** one.seed
        * (one.labels["attention"] == "none")) for r in one.readings))
        for one in words(20, 5).outcomes
    ]  # fmt: skip
    assert bottleneck.claim(Results(tuple(noisy))).answer == "undecided"

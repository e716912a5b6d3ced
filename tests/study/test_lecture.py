"""Every study runs from data to page, and its claim says what made-up figures show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from study_samples import options, shrunk

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

"""Studies that take a person's own pairs run on them, without what sizes or cuts their task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from study_samples import options, shrunk

from seq2see.study.catalogue import NAMES, OWN, find
from seq2see.study.measures import EXACT
from seq2see.study.plan import Study
from seq2see.study.pruning import TUNED_RANDOM, pruning
from seq2see.study.reach import FALL
from seq2see.study.readings import Outcome
from seq2see.study.results import Results
from seq2see.study.trial import trials

TINY = ("model.d_model=16", "model.d_ff=16", "decode.beam=1")
REAL = ("far", "heads", "functions", "survive", "twins", "prune")


@pytest.fixture
def own(tmp_path: Path) -> str:
    """A file of spelled words: characters to words, of many lengths."""
    rng, path = Random(1), tmp_path / "pairs.tsv"
    words = ["".join(rng.choices("abcdef", k=rng.randint(1, 9))) for _ in range(60)]
    path.write_text("".join(f"{w}\t{' '.join(w.upper())}\n" for w in words), encoding="utf-8")
    return str(path)


def first(study: Study, own: str, folder: Path, *settings: str) -> Outcome:
    """Runs the first condition on own pairs."""
    said = replace(options(folder, *TINY, *settings), data=own, dev=own)
    condition, *_ = trials(study, 1, said)
    sizes = dict.fromkeys(condition.condition.sizes, 40)
    return replace(condition, condition=replace(condition.condition, sizes=sizes)).run()


def test_the_studies_of_real_data_are_these() -> None:
    assert {name for name in NAMES if find(name).real} == set(REAL)


@pytest.mark.parametrize("name", ["heads", "functions", "survive", "prune"])
def test_a_study_runs_on_own_pairs(name: str, own: str, tmp_path: Path) -> None:
    study = shrunk(find(f"{name}{OWN}"))
    if name == "prune":
        study = replace(study, measures=(pruning((0.5,), (0.25,), steps=2),))
    readings = first(study, own, tmp_path).readings
    assert [each for each in readings if each.measure == EXACT]
    if name == "prune":
        assert [each for each in readings if each.series == TUNED_RANDOM]


def test_far_has_no_gap_on_own_pairs_and_tells_short_sources_from_long_ones(
    own: str, tmp_path: Path
) -> None:
    study = shrunk(find(f"far{OWN}"), model=("rnn", "lstm+attention", "transformer"))
    outcomes = []
    for level in study.factors[0].levels:
        one = replace(study, factors=(replace(study.factors[0], levels=(level,)),))
        sizes = () if level.label == "transformer" else ("model.d_hidden=8", "model.d_embedding=8")
        said = replace(options(tmp_path / level.label, *sizes), data=own, dev=own)
        outcomes += [each.run() for each in trials(one, 1, said)]
    results = Results(tuple(outcomes))
    assert list(results.conditions()) == [
        {"model": each} for each in ("rnn", "lstm+attention", "transformer")
    ]
    assert results.has(FALL, model="rnn")
    verdict = study.claim(results)
    assert verdict.answer == "undecided"
    assert "in short sources" in verdict.sentence
    assert study.figures(results)[0].name == "far-accuracy"

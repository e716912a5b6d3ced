"""Studies that end in a page at a tiny size, and claims that follow made-up figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from study_samples import options, shrunk

from seq2see.bundle.folder import network_settings
from seq2see.config import override
from seq2see.nn.network import Network, Sizes
from seq2see.report.view import Chart
from seq2see.study.alignments import AER, EVEN
from seq2see.study.catalogue import find
from seq2see.study.codes import BEYOND, TWIN, WITHIN
from seq2see.study.measures import EXACT
from seq2see.study.modes import GAP
from seq2see.study.patterns import APART, UNLIKE
from seq2see.study.pruning import SCRATCH, TUNED, pruning
from seq2see.study.publish import publish
from seq2see.study.readings import FAILED, Outcome, Reading
from seq2see.study.results import Results
from seq2see.study.states import LAST, RESIDUE
from seq2see.study.survival import KEPT, USE
from seq2see.study.trial import trials

TINY = (
    "model.d_model=16", "model.d_ff=16", "model.heads=4",
    "model.encoder_layers=2", "model.decoder_layers=2", "decode.beam=1",
)  # fmt: skip

LEVELS: dict[str, dict[str, tuple[str, ...]]] = {
    "alignment": {"guidance": ("none", "0.5")},
    "explanation": {"model": ("transformer",), "task": ("reverse",)},
    "feedforward": {"feedforward": ("none, wider", "relu"), "depth": ("4",)},
    "norm": {"norm": ("layer", "batch")},
    "positions": {"positions": ("none", "sinusoidal", "sinusoidal, 2 frequencies")},
    "prune": {},
    "survive": {
        "role": ("none", "previous"), "strength": ("none", "init", "bias 6", "fixed"),
    },
    "twins": {},
    "warmup": {"depth": ("6",), "peak_rate": ("0.002",)},
}  # fmt: skip


@pytest.mark.parametrize("name", LEVELS)
def test_a_study_ends_in_a_page_with_its_pictures(name: str, tmp_path: Path) -> None:
    study = find(name)
    small = shrunk(study, **LEVELS[name])
    if name == "prune":  # each point is a decoding, and each fine-tuned one two trainings
        small = replace(small, measures=(pruning((0.5,), (0.25,), steps=2),))
    said = options(tmp_path, *TINY)
    assert all(condition.name for condition in small.conditions())
    results = Results(tuple(each.run() for each in trials(small, 1, said)))
    verdict, places = publish(small, results, f"seq2see study {name}", tmp_path)
    assert verdict.answer == "undecided"  # one seed says nothing of its spread
    for place in places:
        assert place.stat().st_size > 0
    for figure in study.figures(results):
        assert isinstance(figure.drawing, Chart)
        assert all(figure.drawing.spec["datasets"].values()), figure.name
        assert (tmp_path / f"{figure.name}.png").stat().st_size > 0


SURE_HIGH, SURE_LOW, WIDE = (90.0, 91.0, 92.0), (10.0, 11.5, 12.0), (95.0, 50.0, 5.0)
Row = tuple[dict[str, str], str, tuple[float, ...], dict[str, Any]]


def made(*rows: Row) -> Results:
    """Results of a reading a row and a seed: levels, measure, values by seed, where it stands."""
    return Results(
        tuple(
            Outcome(labels, seed, (Reading(measure, value, **place),), 1.0)
            for labels, measure, values, place in rows
            for seed, value in enumerate(values, 1)
        )
    )


def _alignment(value: tuple[float, ...]) -> tuple[Row, ...]:
    none, guided = {"guidance": "none"}, {"guidance": "0.5"}
    errors = tuple(each / 100 for each in value)  # the higher, the better it is for the claim
    return (
        (guided, AER, (0.05, 0.06, 0.05), {"series": "head 0"}),
        (none, AER, errors, {"series": "all heads"}),
        (none, AER, (0.6, 0.61, 0.6), {"series": "all heads, shifted"}),
        (none, EXACT, SURE_HIGH, {}),
        (guided, EXACT, (88.0, 89.5, 90.0), {}),
    )


def _explanation(value: tuple[float, ...]) -> tuple[Row, ...]:
    model = {"model": "transformer"}
    return (
        (model, AER, tuple(each / 100 for each in value), {"series": "weight"}),
        (model, AER, (0.5, 0.51, 0.5), {"series": "norm"}),
        (model, EXACT, SURE_LOW, {"series": EVEN}),
        (model, EXACT, SURE_HIGH, {}),
    )


def _feedforward(value: tuple[float, ...]) -> tuple[Row, ...]:
    on = {"feedforward": "relu", "skip": "true", "depth": "4"}
    return (
        (on, RESIDUE, (0.6, 0.61, 0.6), {"series": LAST}),
        (on | {"skip": "false"}, RESIDUE, (0.1, 0.1, 0.12), {"series": LAST}),
        (on, EXACT, value, {}),
        (on | {"feedforward": "none, wider"}, EXACT, (50.0, 51.0, 50.0), {}),
    )


def _norm(value: tuple[float, ...]) -> tuple[Row, ...]:
    small = {"norm": "batch", "batch": "128"}
    return (
        (small, GAP, tuple(each / 100 for each in value), {}),
        (small | {"batch": "1024"}, GAP, (0.3, 0.31, 0.3), {}),
        (small | {"norm": "layer"}, GAP, (0.0, 0.0, 0.0), {}),
    )


def _positions(value: tuple[float, ...]) -> tuple[Row, ...]:
    sine, few = {"positions": "sinusoidal"}, {"positions": "sinusoidal, 2 frequencies"}
    return (
        (sine, EXACT, value, {"series": WITHIN}),
        (sine, EXACT, (20.0, 21.0, 20.0), {"series": BEYOND}),
        ({"positions": "none"}, EXACT, (30.0, 31.0, 30.0), {"series": WITHIN}),
        (sine, TWIN, (1.5, 1.5, 1.5), {}),
        (few, EXACT, (80.0, 81.0, 80.0), {"series": WITHIN}),
        (few, TWIN, (0.03, 0.03, 0.03), {}),
    )


def _prune(value: tuple[float, ...]) -> tuple[Row, ...]:
    return (
        ({}, EXACT, value, {"at": 12, "series": "gradient"}),
        ({}, EXACT, (40.0, 41.0, 40.0), {"at": 12, "series": "random"}),
        ({}, EXACT, (70.0, 71.0, 70.0), {"at": 6, "series": TUNED}),
        ({}, EXACT, (60.0, 61.0, 60.0), {"at": 6, "series": SCRATCH}),
    )


def _warmup(value: tuple[float, ...]) -> tuple[Row, ...]:
    bare = {"norm": "after", "warmup": "0", "depth": "6", "peak rate": "0.002"}
    return (
        (bare, FAILED, tuple(float(each > 20) for each in value), {}),
        (bare | {"norm": "before"}, FAILED, (0.0, 0.0, 0.0), {}),
        (bare | {"warmup": "150"}, FAILED, (0.0, 0.0, 0.0), {}),
    )


def _survive(value: tuple[float, ...]) -> tuple[Row, ...]:
    def of(role: str, strength: str) -> dict[str, str]:
        return {"role": role, "strength": strength}

    def row(role: str, strength: str, measure: str, values: tuple[float, ...]) -> Row:
        return of(role, strength), measure, values, {"series": role}

    left = tuple(each / 100 for each in value)
    return (
        row("next", "fixed", USE, (0.01, 0.02, 0.01)),
        row("next", "fixed", KEPT, (1.0, 1.0, 1.0)),
        row("next", "init", KEPT, (0.2, 0.21, 0.2)),
        row("next", "bias 6", KEPT, (0.4, 0.41, 0.4)),
        row("diagonal", "fixed", USE, (0.9, 1.0, 0.8)),
        row("diagonal", "fixed", KEPT, (1.0, 1.0, 1.0)),
        row("diagonal", "bias 6", KEPT, left),
        (of("none", "none"), USE, (0.0, 0.0, 0.0), {"series": "next"}),
    )


def _twins(value: tuple[float, ...]) -> tuple[Row, ...]:
    whole = {"heads": "twins with W_O"}
    return (
        (whole, APART, (1e-13, 2e-13, 1e-13), {}),
        (whole, UNLIKE, (1e-6, 2e-6, 1e-6), {}),
        ({"heads": "twins with W_O, weights dropped"}, APART, (0.05, 0.06, 0.05), {}),
        ({"heads": "twins without W_O"}, APART, tuple((each - 1.9) / 1000 for each in value), {}),
        ({"heads": "independent"}, APART, (0.2, 0.21, 0.2), {}),
    )


CASES: dict[str, Callable[[tuple[float, ...]], tuple[Row, ...]]] = {
    "alignment": _alignment,
    "explanation": _explanation,
    "feedforward": _feedforward,
    "norm": _norm,
    "positions": _positions,
    "prune": _prune,
    "survive": _survive,
    "twins": _twins,
    "warmup": _warmup,
}


@pytest.mark.parametrize("name", CASES)
def test_a_claim_follows_the_figures(name: str) -> None:
    """Values well above what they are compared with, well below, and of a wide spread."""
    below = (1.0, 1.5, 1.2)
    found = {
        key: find(name).claim(made(*CASES[name](values))).answer
        for key, values in (("high", SURE_HIGH), ("low", below), ("wide", WIDE))
    }
    assert found == {"high": "supported", "low": "not supported", "wide": "undecided"}


def test_a_guided_head_that_costs_right_outputs_does_not_support_the_claim() -> None:
    rows = list(_alignment(SURE_HIGH))
    rows[-1] = (rows[-1][0], EXACT, SURE_LOW, {})
    assert find("alignment").claim(made(*rows)).answer == "not supported"


@pytest.mark.parametrize(
    ("measure", "series", "values"),
    [(EXACT, WITHIN, (1.0, 1.5, 1.2)), (TWIN, "", (1e-4, 1e-4, 1e-4))],
)
def test_two_frequencies_have_to_help_and_to_be_unique(
    measure: str, series: str, values: tuple[float, ...]
) -> None:
    few = {"positions": "sinusoidal, 2 frequencies"}
    rows = [row for row in _positions(SURE_HIGH) if row[:2] != (few, measure)]
    worse = (few, measure, values, {"series": series})
    assert find("positions").claim(made(*rows, worse)).answer == "not supported"


def test_twins_that_rounding_has_parted_do_not_support_the_claim() -> None:
    whole, *rest = _twins(SURE_HIGH)
    parted = (whole[0], APART, (0.05, 0.06, 0.05), {})
    assert find("twins").claim(made(parted, *rest)).answer == "not supported"


@pytest.mark.parametrize(
    ("next_use", "init", "answer"),
    [(0.9, 0.2, "undecided"), (0.9, 0.9, "not supported"), (0.01, 0.9, "not supported")],
)
def test_roles_are_contrasted_only_where_one_is_worth_much_more_than_another(
    next_use: float, init: float, answer: str
) -> None:
    rows = list(_survive(SURE_HIGH))
    rows[0] = (rows[0][0], USE, (next_use, next_use + 0.01, next_use), rows[0][3])
    rows[2] = (rows[2][0], KEPT, (init, init + 0.01, init), rows[2][3])
    verdict = find("survive").claim(made(*rows))
    assert verdict.answer == answer
    assert ("much the same use" in verdict.sentence) is (next_use > 0.1)


def test_every_role_can_be_given_as_the_survival_study_gives_it() -> None:
    study = find("survive")
    found = {}
    for condition in study.conditions():
        tree = override({}, (*study.settings, *condition.settings))
        network = Network(network_settings(tree["model"]), Sizes(20, 20))
        found[condition.name] = [str(role) for role in network.settings.roles]
    assert len(found) == 15
    assert found["role none, strength none"] == []
    assert found["role next, strength bias 2"] == ["head 0 of encoder.0.self: next (bias, gain 2)"]
    assert found["role diagonal, strength guided"] == [
        "head 0 of decoder.0.cross: diagonal (guided, weight 1, until step 150)"
    ]
    assert "role diagonal, strength init" not in found


def test_kinds_of_feed_forward_have_parameters_alike() -> None:
    study = find("feedforward")
    counts: dict[str, dict[str, int]] = {}
    for condition in study.conditions():
        tree = override({}, (*study.settings, *condition.settings))
        network = Network(network_settings(tree["model"]), Sizes(20, 20))
        labels = condition.labels
        counts.setdefault(labels["depth"], {})[labels["feedforward"]] = network.parameter_count
    for found in counts.values():
        assert found.pop("none") < 0.5 * found["relu"]
        assert all(0.9 < each / found["relu"] < 1.1 for each in found.values()), found

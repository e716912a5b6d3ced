"""Studies that end in a page at a tiny size, and claims that follow made-up figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from study_cases import CASES, SURE_HIGH, SURE_LOW, WIDE, made
from study_samples import options, shrunk

from seq2see.bundle.folder import network_settings
from seq2see.config import override
from seq2see.nn.network import Network, Sizes
from seq2see.report.view import Chart
from seq2see.study.catalogue import find
from seq2see.study.codes import TWIN, WITHIN
from seq2see.study.measures import EXACT
from seq2see.study.patterns import APART
from seq2see.study.pruning import pruning
from seq2see.study.publish import publish
from seq2see.study.results import Results
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
    "warmup": {"depth": ("6",), "peak_rate": ("0.003",)},
}  # fmt: skip


@pytest.mark.parametrize("name", LEVELS)
def test_a_study_ends_in_a_page_with_its_pictures(name: str, tmp_path: Path) -> None:
    study = find(name)
    small = shrunk(study, **LEVELS[name])
    if name == "prune":  # each point is a decoding, and each fine-tuned one two trainings
        small = replace(small, measures=(pruning((1.0, 0.5, 0.125), (0.25,), steps=2),))
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
    rows = list(CASES["alignment"](SURE_HIGH))
    rows[-1] = (rows[-1][0], EXACT, SURE_LOW, {})
    assert find("alignment").claim(made(*rows)).answer == "not supported"


CONTRADICTED: dict[str, tuple[str, int, tuple[float, ...]]] = {
    "attention loses the gradient too": ("far", 1, (3.0, 3.1, 3.0)),
    "so does the Transformer": ("far", 2, (3.0, 3.1, 3.0)),
    "the RNN is as good far as near": ("far", 4, (60.0, 61.0, 60.0)),
    "the RNN is as good as attention": ("far", 5, (4.0, 3.5, 4.0)),
    "the shifted reading is farther": ("alignment", 2, (0.95, 0.96, 0.95)),
    "gradients rank as weights do": ("explanation", 3, (0.8, 0.81, 0.8)),
    "erasure ranks the other way": ("explanation", 4, (-0.2, -0.21, -0.2)),
    "a layer stops the collapse": ("feedforward", 5, (0.9, 0.91, 0.9)),
    "there is no cliff": ("prune", 2, (95.0, 95.5, 96.0)),
    "the curve is not flat": ("prune", 0, (99.0, 99.5, 100.0)),
    "the first layer's gradient is larger": ("warmup", 3, (0.5, 0.6, 0.5)),
    "pre-norm fails too": ("warmup", 1, (1.0, 1.0, 1.0)),
}


@pytest.mark.parametrize("clause", CONTRADICTED)
def test_one_contradicted_clause_is_enough(clause: str) -> None:
    name, place, values = CONTRADICTED[clause]
    rows = list(CASES[name](SURE_HIGH))
    rows[place] = (*rows[place][:2], values, rows[place][3])
    assert find(name).claim(made(*rows)).answer == "not supported"


@pytest.mark.parametrize(
    ("measure", "series", "values"),
    [(EXACT, WITHIN, (1.0, 1.5, 1.2)), (TWIN, "", (1e-4, 1e-4, 1e-4))],
)
def test_two_frequencies_have_to_help_and_to_be_unique(
    measure: str, series: str, values: tuple[float, ...]
) -> None:
    few = {"positions": "sinusoidal, 2 frequencies"}
    rows = [row for row in CASES["positions"](SURE_HIGH) if row[:2] != (few, measure)]
    worse = (few, measure, values, {"series": series})
    assert find("positions").claim(made(*rows, worse)).answer == "not supported"


def test_twins_that_rounding_has_parted_do_not_support_the_claim() -> None:
    whole, *rest = CASES["twins"](SURE_HIGH)
    parted = (whole[0], APART, (0.05, 0.06, 0.05), {})
    assert find("twins").claim(made(parted, *rest)).answer == "not supported"


@pytest.mark.parametrize(
    ("next_use", "init", "answer"),
    [(0.9, 0.2, "undecided"), (0.9, 0.9, "not supported"), (0.01, 0.9, "not supported")],
)
def test_roles_are_contrasted_only_where_one_is_worth_much_more_than_another(
    next_use: float, init: float, answer: str
) -> None:
    rows = list(CASES["survive"](SURE_HIGH))
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

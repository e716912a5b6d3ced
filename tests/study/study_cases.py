"""Made-up figures on which a claim holds, of which one measure is left open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seq2see.study.alignments import AER, EVEN, TAU
from seq2see.study.codes import BEYOND, TWIN, WITHIN
from seq2see.study.failures import RATIO
from seq2see.study.measures import EXACT
from seq2see.study.modes import GAP
from seq2see.study.patterns import APART, UNLIKE
from seq2see.study.pruning import SCRATCH, TUNED
from seq2see.study.reach import FALL
from seq2see.study.readings import FAILED, Outcome, Reading
from seq2see.study.results import Results
from seq2see.study.states import LAST, RESIDUE
from seq2see.study.survival import KEPT, USE

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


def _far(value: tuple[float, ...]) -> tuple[Row, ...]:
    rnn, seen, last = ({"model": each} for each in ("rnn", "lstm+attention", "transformer"))
    far = {"gap": "80"}
    return (
        (rnn | far, FALL, tuple(each / 10 - 0.9 for each in value), {}),
        (seen | far, FALL, (0.1, 0.12, 0.1), {}),
        (last | far, FALL, (-0.1, -0.12, -0.1), {}),
        (rnn | {"gap": "5"}, EXACT, (50.0, 51.0, 50.0), {}),
        (rnn | far, EXACT, (12.0, 11.0, 12.0), {}),
        (seen | far, EXACT, (70.0, 71.0, 70.0), {}),
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
        (model, TAU, (0.3, 0.31, 0.3), {"series": "weight, gradient"}),
        (model, TAU, (0.2, 0.21, 0.2), {"series": "weight, erasure"}),
        (model, EXACT, SURE_HIGH, {}),
    )


def _feedforward(value: tuple[float, ...]) -> tuple[Row, ...]:
    on, last = {"feedforward": "relu", "skip": "true", "depth": "4"}, {"series": LAST}
    return (
        (on, RESIDUE, (0.6, 0.61, 0.6), {"series": LAST}),
        (on | {"skip": "false"}, RESIDUE, (0.1, 0.1, 0.12), {"series": LAST}),
        (on, EXACT, value, {}),
        (on | {"feedforward": "none, wider"}, EXACT, (50.0, 51.0, 50.0), {}),
        (on | {"feedforward": "none, wider"}, RESIDUE, (0.5, 0.51, 0.5), {"series": LAST}),
        (on | {"feedforward": "none, wider", "skip": "false"}, RESIDUE, (0.1, 0.1, 0.12), last),
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
        ({}, EXACT, (92.0, 92.5, 93.0), {"at": 24, "series": "gradient"}),
        ({}, EXACT, value, {"at": 12, "series": "gradient"}),
        ({}, EXACT, (1.0, 1.2, 0.0), {"at": 3, "series": "gradient"}),
        ({}, EXACT, (40.0, 41.0, 40.0), {"at": 12, "series": "random"}),
        ({}, EXACT, (70.0, 71.0, 70.0), {"at": 6, "series": TUNED}),
        ({}, EXACT, (60.0, 61.0, 60.0), {"at": 6, "series": SCRATCH}),
    )


def _warmup(value: tuple[float, ...]) -> tuple[Row, ...]:
    bare = {"norm": "after", "warmup": "0", "depth": "6", "peak rate": "0.003"}
    return (
        (bare, FAILED, tuple(float(each > 20) for each in value), {}),
        (bare | {"norm": "before"}, FAILED, (0.0, 0.0, 0.0), {}),
        (bare | {"warmup": "200"}, FAILED, (0.0, 0.0, 0.0), {}),
        (bare, RATIO, (3.0, 3.1, 3.0), {}),
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
    "far": _far,
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

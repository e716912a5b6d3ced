"""The session measures all of its scope, or says what it left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from itertools import count

import pytest
import torch
from bench_samples import SMALL, small

from seq2see.bench import session, timing
from seq2see.bench.decoding import BEAMS
from seq2see.bench.peak import Product
from seq2see.bench.session import ARITHMETICS, PRECISIONS, Scope, everything, run
from seq2see.errors import ConfigError

SQUARE = Product("square", 1, 16, 16, 16)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_WINDOW", 0.001)
    monkeypatch.setattr(session, "SQUARE", SQUARE)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of threads asked for, each of which stays what it was: another slows tests."""
    numbers: list[int] = []

    def ask(number: int) -> nullcontext[None]:
        numbers.append(number)
        return nullcontext()

    monkeypatch.setattr(session, "set_torch_threads", ask)
    return numbers


def scope(*threads: int) -> Scope:
    return Scope([small(name) for name in SMALL], [Product("other", 2, 4, 8, 4)], threads)


def test_everything_is_measured_when_there_is_time(asked: list[int]) -> None:
    watched: list[str] = []
    before = torch.get_rng_state()
    report = run(1.0, scope(2, 1), watched.append)
    assert report.missing == []
    assert len(watched) == len(set(watched)) == scope(2, 1).parts
    assert [(p.product.name, p.precision, p.threads) for p in report.peaks] == [
        *(("square", precision, n) for n in (2, 1) for precision in PRECISIONS),
        *(("other", precision, 2) for precision in PRECISIONS),
    ]
    faster = {advice.network: advice.precision for advice in report.advice}
    assert [(t.network, t.precision, t.threads) for t in report.training] == [
        row
        for name in SMALL
        for row in (*((name, each, 2) for each in PRECISIONS), (name, faster[name], 1))
    ]
    assert [(d.network, d.beam, d.precision) for d in report.decoding] == [
        (name, beam, each) for name in SMALL for beam in BEAMS for each in ARITHMETICS
    ]
    assert torch.equal(before, torch.get_rng_state())
    assert [
        n for n, name in zip(asked, watched, strict=True) if f"with {n} thread" not in name
    ] == []


def test_utilisation_is_useful_operations_over_the_peak() -> None:
    report = run(1.0, scope(1))
    peaks = {p.precision: p.flops.value for p in report.peaks if p.product == SQUARE}
    for row in report.training:
        assert row.utilisation == pytest.approx(
            row.tokens.value * row.operations / peaks[row.precision]
        )
        assert 0 < row.tokens.low <= row.tokens.value <= row.tokens.high
    kept = json.loads(json.dumps(asdict(report), allow_nan=False))
    assert kept["training"][0]["tokens"]["repetitions"] >= timing.LEAST
    assert kept["machine"]["torch"] == torch.__version__
    assert 0 < kept["seconds"] < 60 * kept["minutes"]


def test_what_the_budget_does_not_reach_is_listed() -> None:
    ticks = count(0.0, 0.25)  # a second is four looks at the clock
    measured = scope(1)
    report = run(0.25, measured, clock=lambda: next(ticks))
    reached = len(report.peaks) + len(report.training) + len(report.decoding)
    assert 0 < reached < measured.parts
    assert reached + len(report.missing) == measured.parts
    assert "used up" in report.missing[-1].why
    assert report.missing[-1].name == (
        "decoding with bilstm+additive in int8, beam 5, with 1 thread"
    )
    assert 15 <= report.seconds < 25


def failing(*_: object) -> Callable[[], float]:
    def work() -> float:
        raise RuntimeError("no such arithmetic")

    return work


def test_bfloat16_that_does_not_work_leaves_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    real = session.multiplying
    monkeypatch.setattr(
        session, "multiplying", lambda p, kind: (real if kind == "float32" else failing)(p, kind)
    )
    report = run(1.0, scope(1))
    assert {p.precision for p in report.peaks} == {t.precision for t in report.training} == {
        "float32"
    }  # fmt: skip
    assert {missing.why for missing in report.missing} == {
        "does not work here (no such arithmetic)",
        "there is no peak of bfloat16 to foretell its time",
    }
    assert all(advice.precision is None for advice in report.advice)


def test_the_scope_is_every_network_and_fewer_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    whole = everything()
    assert [each.name for each in whole.subjects] == ["tiny", "bilstm+additive", "small", "base"]
    assert whole.threads == [6, 3, 1]
    assert whole.products[0].inner == 256
    assert whole.parts == 2 * (3 + 5) + 4 * (2 + 2 + 2 * 3)


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf")])
def test_a_budget_is_above_nothing(minutes: float) -> None:
    with pytest.raises(ConfigError, match="--minutes"):
        run(minutes, scope(1))

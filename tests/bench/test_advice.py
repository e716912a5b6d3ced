"""Advice follows from ratios that were measured, and is not given without two to compare."""

from __future__ import annotations

import pytest

from seq2see.bench.advice import advise
from seq2see.bench.timing import Figure
from seq2see.bench.training import Trained
from seq2see.train.settings import Precision


def row(
    speed: float, precision: Precision = "float32", threads: int = 4, network: str = "tiny"
) -> Trained:
    return Trained(network, precision, threads, 100, Figure(speed, speed, speed, 3), 1e6, None)


@pytest.mark.parametrize(
    ("speed", "chosen"),
    [(50.0, "float32"), (109.0, "float32"), (112.0, "bfloat16"), (260.0, "bfloat16")],
)
def test_bfloat16_has_to_save_a_tenth_of_the_time(speed: float, chosen: str) -> None:
    [advice] = advise([row(100.0), row(speed, "bfloat16")])
    assert advice.precision == chosen
    assert f"bfloat16 has {speed / 100:.2f} times the tokens/s of float32" in advice.reasons[0]


@pytest.mark.parametrize(
    ("speeds", "chosen", "why"),
    [
        ({4: 300.0, 2: 200.0, 1: 100.0}, 4, "4 have 1.50 times the tokens/s of 2, 3.00 times"),
        ({4: 102.0, 2: 100.0, 1: 60.0}, 2, "2 have 0.98 times the tokens/s of 4, 1.67 times"),
        ({2: 50.0, 1: 100.0}, 1, "1 has 2.00 times the tokens/s of 2"),
    ],
)
def test_threads_that_bring_less_than_a_twentieth_are_left_to_others(
    speeds: dict[int, float], chosen: int, why: str
) -> None:
    [advice] = advise([row(speed, threads=threads) for threads, speed in speeds.items()])
    assert advice.threads == chosen
    assert why in advice.reasons[1]


def test_threads_are_compared_in_the_chosen_precision() -> None:
    rows = [row(100.0), row(300.0, "bfloat16"), row(150.0, "bfloat16", threads=1)]
    [advice] = advise(rows)
    assert (advice.precision, advice.threads) == ("bfloat16", 4)
    assert advice.reasons[1] == "4 have 2.00 times the tokens/s of 1"


def test_one_figure_alone_is_no_reason() -> None:
    [advice] = advise([row(100.0)])
    assert (advice.precision, advice.threads) == (None, None)
    assert advice.reasons[0] == "no two precisions were measured"
    assert advise([]) == []


def test_each_network_is_advised_on_by_itself() -> None:
    rows = [row(100.0), row(50.0, "bfloat16"), row(1.0, network="base")]
    rows += [row(2.0, "bfloat16", network="base")]
    assert [(a.network, a.precision) for a in advise(rows)] == [
        ("tiny", "float32"),
        ("base", "bfloat16"),
    ]

"""A figure is the median of windows that are long enough, and none is made up."""

from __future__ import annotations

import pytest
from bench_samples import Watch

from seq2see.bench.timing import LEAST, MOST, OutOfTimeError, repeat


def test_a_steady_rate_is_found() -> None:
    watch = Watch()
    figure = repeat(watch.work(10.0, 2.0), 100.0, 100.0, watch)
    assert (figure.value, figure.low, figure.high) == (5.0, 5.0, 5.0)
    assert figure.repetitions == MOST


def test_the_median_counts_and_the_warm_up_does_not() -> None:
    watch = Watch()
    figure = repeat(watch.work(8.0, 16.0, 4.0, 1.0, 2.0), 0.0, 100.0, watch)
    assert (figure.low, figure.value, figure.high) == (2.0, 4.0, 8.0)
    assert figure.repetitions == LEAST


def test_windows_go_on_while_the_share_lasts() -> None:
    watch = Watch()
    assert repeat(watch.work(1.0, 1.0), 5.0, 100.0, watch).repetitions == 4  # and the warm-up
    assert watch.now == 5.0


def test_short_work_is_repeated_until_a_window_is_full() -> None:
    watch = Watch()
    figure = repeat(watch.work(3.0, 0.015625), 0.0, 100.0, watch)
    assert figure.value == 192.0
    assert watch.calls == 4 * (1 + LEAST)  # 0.0625 s each, for 0.05 at least


def test_too_little_time_is_said_after_the_warm_up() -> None:
    watch = Watch()
    with pytest.raises(OutOfTimeError, match=r"takes 4\.0 s, and 11\.0 s are left for 3 of them"):
        repeat(watch.work(1.0, 4.0), 100.0, 15.0, watch)
    assert watch.calls == 1
    assert repeat(watch.work(1.0, 4.0), 0.0, 16.0, watch).repetitions == LEAST

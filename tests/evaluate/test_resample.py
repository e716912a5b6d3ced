"""Resampled sums are sums of draws, whatever the chunks."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from seq2see.evaluate import resample
from seq2see.evaluate.resample import bootstrap, swap


def test_every_bootstrap_corpus_has_as_many_sources_as_the_real_one():
    ones, index = np.ones((50, 1)), np.arange(50.0)[:, None]
    counted, summed = bootstrap([ones, np.hstack([index, 2 * index])], 200, seed=1)
    assert (counted == 50).all()
    assert (summed[:, 1] == 2 * summed[:, 0]).all()
    # The mean of a drawn corpus varies by sigma / sqrt(n) about the real one.
    means = summed[:, 0] / 50
    assert means.mean() == pytest.approx(24.5, abs=0.6)
    assert means.std() == pytest.approx(index.std() / 50**0.5, rel=0.15)


def test_bootstrap_spans_several_chunks(monkeypatch):
    monkeypatch.setattr(resample, "_CELLS", 35)
    (counted,) = bootstrap([np.ones((10, 1))], 8, seed=1)
    assert counted.tolist() == [[10]] * 8
    (values,) = bootstrap([np.arange(10.0)[:, None]], 8, seed=1)
    assert len(set(values[:, 0])) > 3


def test_swapping_keeps_the_sum_of_both_systems(monkeypatch):
    first, second = np.arange(12.0).reshape(6, 2), np.full((6, 2), 3.0)
    for cells in (7, 2**20):
        monkeypatch.setattr(resample, "_CELLS", cells)
        (ours,), (theirs,) = swap([first], [second], 300, seed=2)
        assert (ours + theirs == first.sum(0) + second.sum(0)).all()
        reached = {sum(row) for row in np.unique(ours, axis=0).tolist()}
        assert min(reached) < second.sum() < first.sum() < max(reached)


def test_a_thousand_resamples_of_six_thousand_sources_are_quick_and_small():
    table = np.ones((6000, 2))
    start = time.process_time()
    bootstrap([table], 1000, seed=1)
    assert time.process_time() - start < 2
    tracemalloc.start()
    bootstrap([table], 1000, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6

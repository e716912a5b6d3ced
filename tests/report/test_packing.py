from __future__ import annotations

import numpy as np
import pytest

from seq2see.report.packing import packed, packed_signed, unpacked


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 5.0)])
def test_bytes_come_back_within_half_a_step(low: float, high: float) -> None:
    values = np.random.default_rng(0).uniform(low, high, (2, 3, 4))
    found = unpacked(packed(values, low=low, high=high))
    assert found.shape == values.shape
    assert np.abs(found - values).max() <= (high - low) / 510 + 1e-12


def test_what_lies_outside_is_put_on_the_bound() -> None:
    assert unpacked(packed(np.array([-2.0, 0.5, 7.0]))).tolist() == pytest.approx([0, 128 / 255, 1])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6, 0.0])
def test_signed_numbers_come_back_to_five_digits(scale: float) -> None:
    values = scale * np.random.default_rng(1).normal(size=(5, 7))
    error = np.abs(unpacked(packed_signed(values)) - values).max()
    assert error <= np.abs(values).max() / 65534 + 1e-30

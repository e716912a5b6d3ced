"""Agreement of alignments: the figures of small examples worked out by hand."""

from __future__ import annotations

import pytest
import torch

from seq2see.data.links import parse_pharaoh
from seq2see.errors import DataError
from seq2see.look.agreement import aer, aer_against, kendall


def test_the_error_rate_is_that_of_a_small_example() -> None:
    found = [[(0, 0), (1, 1), (2, 2)], [(0, 0)]]
    sure = [[(0, 0), (1, 2)], []]
    possible = [[(1, 1)], [(5, 5)]]
    # A and S share 1 link, A and P 2 of the first pair and none of the second; |A| + |S| = 4 + 2.
    assert aer(found, sure, possible) == pytest.approx(1 - (1 + 2) / 6)
    assert aer(sure, sure) == 0.0
    gold = [parse_pharaoh("0-0 1-2 1p1"), parse_pharaoh("5?5")]
    assert aer_against(found, gold) == aer(found, sure, possible)


def test_taus_are_those_of_small_rows() -> None:
    first = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.2, 0.2, 0.2], [1.0, 2.0, 4.0]])
    second = torch.tensor([[2.0, 4.0, 9.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]])
    found = kendall(first, second)
    torch.testing.assert_close(found[[0, 1, 3]], torch.tensor([1.0, -1.0, 1 / 3]))
    assert found[2].isnan()


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(DataError, match="1 pairs found, 2 sure"):
        aer([[(0, 0)]], [[], []])
    with pytest.raises(DataError, match="no link found and none sure"):
        aer([[]], [[]])
    with pytest.raises(DataError, match=r"\[1, 2\] and \[1, 3\]"):
        kendall(torch.zeros(1, 2), torch.zeros(1, 3))

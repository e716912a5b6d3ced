from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2see.decode.request import FREE, Request, by_length, lay


def test_requests_are_padded_on_the_right() -> None:
    group = lay(
        [Request([7, 8, 3], 10, copies=1), Request([3], 5, prefix=[9])], torch.device("cpu")
    )
    assert group.source.tolist() == [[7, 8, 3], [3, 0, 0]]
    assert group.real.tolist() == [[True] * 3, [True, False, False]]
    assert group.limit.tolist() == [10, 5]
    assert group.copies.tolist() == [1, 0]
    assert group.prefix.tolist() == [[FREE], [9]]


def test_requests_without_a_prefix_force_nothing() -> None:
    group = lay([Request([7, 3], 10), Request([3], 5)], torch.device("cpu"))
    assert group.prefix.shape == (2, 0)
    assert group.source.dtype == group.prefix.dtype == torch.long


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 30), max_size=30), st.integers(1, 60))
def test_every_row_is_in_one_group_that_keeps_to_the_budget(
    lengths: list[int], budget: int
) -> None:
    groups = by_length(lengths, budget)
    assert sorted(row for group in groups for row in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(lengths[row] for row in group) <= budget

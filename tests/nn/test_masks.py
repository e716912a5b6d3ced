"""Where a query may look."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2see.nn.masks import additive, causal, over_keys, padding

CPU = torch.device("cpu")


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(0, 3))
def test_padding_marks_as_many_tokens_as_the_length_says_from_the_left(
    lengths: list[int], extra: int
) -> None:
    width = max(lengths) + extra
    mask = padding(torch.tensor(lengths), width)
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[p < length for p in range(width)] for length in lengths]


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 6), st.integers(0, 6))
def test_causal_lets_a_query_see_itself_and_its_past(queries: int, past: int) -> None:
    mask = causal(queries, past + queries, CPU)
    assert mask.shape == (1, 1, queries, past + queries)
    expected = [[key <= past + query for key in range(past + queries)] for query in range(queries)]
    assert mask[0, 0].tolist() == expected


def test_over_keys_is_the_same_for_every_head_and_query() -> None:
    real = torch.tensor([[True, False], [True, True]])
    mask = over_keys(real)
    assert mask.shape == (2, 1, 1, 2)
    assert mask[:, 0, 0].tolist() == real.tolist()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_additive_is_0_where_allowed_and_finite_elsewhere(dtype: torch.dtype) -> None:
    term = additive(torch.tensor([True, False]), dtype)
    assert term.dtype == dtype
    assert float(term[0]) == 0
    assert bool(torch.isfinite(term).all())
    assert bool(torch.isfinite(term + term).all())
    assert torch.softmax(term, -1).tolist() == [1, 0]

from __future__ import annotations

import pytest

from seq2see.errors import ConfigError
from seq2see.report.sample import Extent, chosen, drawn


def test_a_draw_is_of_its_seed() -> None:
    first = drawn(100, 10, 1)
    assert first == sorted(set(first)) and len(first) == 10
    assert drawn(100, 10, 1) == first != drawn(100, 10, 2)
    assert drawn(3, 10, 1) == [0, 1, 2]


def test_half_of_the_pairs_are_wrong_as_far_as_there_are_such() -> None:
    right = [i % 4 > 0 for i in range(40)]
    picked = chosen(right, [5] * 40, Extent(pairs=6))
    assert sum(not right[i] for i in picked) == 3 and len(set(picked)) == 6
    few = chosen([i != 7 for i in range(40)], [5] * 40, Extent(pairs=6))
    assert len(few) == 6 and 7 in few
    assert len(chosen([False] * 40, [5] * 40, Extent(pairs=6))) == 6


def test_long_pairs_are_taken_only_where_nothing_else_is_left() -> None:
    sizes = [50, 8, 60, 9, 10]
    assert set(chosen([True] * 5, sizes, Extent(pairs=3, longest=40))) == {1, 3, 4}
    assert set(chosen([True] * 2, [90, 80], Extent(pairs=1, longest=40))) == {1}


def test_no_pair_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 or more"):
        Extent(pairs=0)

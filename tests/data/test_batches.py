"""Batches: each pair once an epoch, within budget, the same from any cursor, consistent noise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures import copying, joint, stored
from seq2see.data import batches as batches_module
from seq2see.data.batches import Batch, Batches, BatchPlan, Cursor, group_by_length
from seq2see.data.pairs import Pair
from seq2see.data.side import Side
from seq2see.data.store import Store
from seq2see.data.tokenizers import END, PAD, SPECIALS, START

COPIES = 4
MARKS = range(len(SPECIALS), len(SPECIALS) + COPIES)

lengths = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=60)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("store"), copying(120), copies=COPIES)


def same(a: Batch, b: Batch) -> bool:
    pairs = ((a.source, b.source), (a.real, b.real), (a.target, b.target), (a.wanted, b.wanted))
    equal = all(torch.equal(left, right) for left, right in pairs)
    return equal and a.tokens == b.tokens and np.array_equal(a.lines, b.lines)


def of_lengths(source: Sequence[int], target: Sequence[int]) -> Store:
    """A store whose rows have the given lengths, with ids that tell rows apart."""

    def side(sizes: Sequence[int]) -> Side:
        ids = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32) + len(SPECIALS)
        return Side(ids, np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]))

    return Store(side(source), side(target), np.arange(len(source)) + 1)


@given(lengths, st.integers(1, 200), st.integers(0, 3))
def test_groups_hold_each_row_once_within_the_budget(
    rows: list[tuple[int, int]], budget: int, seed: int
) -> None:
    source, target = (np.array([r[i] for r in rows], np.int64) for i in (0, 1))
    groups = group_by_length(source, target, budget, np.random.default_rng(seed))
    assert sorted(row for group in groups for row in group.tolist()) == list(range(len(rows)))
    for group in groups:
        widest = max(source[group].max(), target[group].max())
        assert len(group) * widest <= budget or len(group) == 1


@given(lengths.filter(bool), st.integers(1, 100))
def test_groups_are_as_full_as_the_order_allows(rows: list[tuple[int, int]], budget: int) -> None:
    source, target = (np.array([r[i] for r in rows], np.int64) for i in (0, 1))
    groups = group_by_length(source, target, budget, np.random.default_rng(0))
    for group, following in pairwise(groups):
        joined = np.append(group, following[0])
        assert len(joined) * max(source[joined].max(), target[joined].max()) > budget


def test_ties_are_broken_anew_in_each_epoch() -> None:
    batches = Batches(of_lengths([5] * 40, [5] * 40), BatchPlan(50))
    first, second = ([sorted(g.tolist()) for g in batches.epoch(n)] for n in (0, 1))
    assert sorted(first) != sorted(second)


def test_every_pair_stands_once_in_every_epoch(store: Store) -> None:
    batches = Batches(store, BatchPlan(100, seed=3))
    stream, cursor, lines = batches.after(Cursor()), Cursor(), {0: [], 1: [], 2: []}
    while cursor.epoch < 3:
        epoch = cursor.epoch
        batch, cursor = next(stream)
        lines[epoch].extend(batch.lines.tolist())
    assert all(sorted(seen) == list(range(1, 121)) for seen in lines.values())
    assert lines[0] != lines[1]


def test_order_follows_from_the_seed_alone(store: Store) -> None:
    plan = BatchPlan(100, seed=5, copy_noise=0.5, copies=COPIES)
    streams = [Batches(store, plan).after(Cursor()) for _ in range(2)]
    torch.manual_seed(0)
    first = list(islice(streams[0], 40))
    torch.manual_seed(1)
    second = list(islice(streams[1], 40))
    assert all(same(a, b) and c == d for (a, c), (b, d) in zip(first, second, strict=True))
    other = islice(Batches(store, BatchPlan(100, seed=6)).after(Cursor()), 40)
    assert not all(
        np.array_equal(a.lines, b.lines) for (a, _), (b, _) in zip(first, other, strict=True)
    )


@given(st.integers(0, 45))
def test_any_cursor_continues_with_the_same_batches(stop: int) -> None:
    store = of_lengths([3, 4, 5, 6] * 10, [4, 4, 6, 6] * 10)
    plan = BatchPlan(30, seed=2, copy_noise=0.3, copies=COPIES)
    whole = list(islice(Batches(store, plan).after(Cursor()), 60))
    cursor = whole[stop][1]
    rest = islice(Batches(store, plan).after(cursor), 60 - stop - 1)
    for (batch, behind), (again, place) in zip(whole[stop + 1 :], rest, strict=True):
        assert same(batch, again)
        assert behind == place


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> Batches:
    """Batches of 100 pairs in four pools, whose lengths tell nothing of their place."""
    monkeypatch.setattr(batches_module, "_POOL", 30)
    store = of_lengths([3, 4, 5, 6, 7] * 20, [4, 4, 6, 6, 9] * 20)
    return Batches(store, BatchPlan(30, seed=2, copy_noise=0.3, copies=COPIES))


def test_a_corpus_of_one_pool_is_grouped_and_shuffled_as_a_whole(store: Store) -> None:
    batches = Batches(store, BatchPlan(100, seed=3))
    for epoch in range(3):
        random = np.random.default_rng([3, epoch])
        groups = group_by_length(store.source.lengths, store.target.lengths, 100, random)
        random.shuffle(groups)
        planned = batches.epoch(epoch)
        assert [rows.tolist() for rows in planned] == [rows.tolist() for rows in groups]
        for index in range(len(groups)):
            assert batches.epochs(Cursor(epoch, index)) == epoch + index / len(groups)


def test_pools_share_the_pairs_of_an_epoch_evenly_and_at_random(pooled: Batches) -> None:
    assert pooled.pools == 4
    epochs = []
    for epoch in range(2):
        pools = [np.concatenate(pooled.pool(epoch, pool)) for pool in range(4)]
        assert [len(rows) for rows in pools] == [25] * 4
        assert sorted(np.concatenate(pools).tolist()) == list(range(100))
        assert all(rows.max() - rows.min() > 50 for rows in pools)  # out of the whole corpus
        epochs.append([frozenset(rows.tolist()) for rows in pools])
    assert epochs[0] != epochs[1]


def test_batches_of_pools_are_of_similar_length_and_in_random_order(pooled: Batches) -> None:
    lengths = pooled.store.target.lengths
    for groups in (pooled.pool(0, pool) for pool in range(4)):
        assert all(len(rows) * lengths[rows].max() <= 30 for rows in groups)
        means = [lengths[rows].mean() for rows in groups]
        assert means != sorted(means)
        assert len(groups) <= 25 * lengths.max() / 30 + 2  # as many as full batches of them make


def test_any_cursor_of_a_pool_continues_with_the_same_batches(pooled: Batches) -> None:
    whole = list(islice(pooled.after(Cursor()), 80))
    assert {place.pool for _, place in whole} == {0, 1, 2, 3}
    assert {place.epoch for _, place in whole} >= {0, 1}
    for stop in range(0, 79, 3):
        anew = Batches(pooled.store, pooled.plan)
        rest = islice(anew.after(whole[stop][1]), 5)
        for (batch, behind), (again, place) in zip(whole[stop + 1 :], rest, strict=False):
            assert same(batch, again)
            assert behind == place


def test_resuming_and_progress_plan_one_pool_alone(
    pooled: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[tuple[int, int]] = []
    plan = Batches.pool

    def watched(self: Batches, epoch: int, number: int) -> list[np.ndarray]:
        planned.append((epoch, number))
        return plan(self, epoch, number)

    monkeypatch.setattr(Batches, "pool", watched)
    stream = pooled.after(Cursor(5, 2, pool=2))
    for _ in range(3):
        _, cursor = next(stream)
        pooled.epochs(cursor)
    assert planned == [(5, 2)]
    assert pooled.epochs(Cursor(7)) == 7
    assert pooled.epochs(Cursor(7, 0, pool=3)) == 7.75
    assert planned == [(5, 2)]


def test_progress_over_pools_rises_to_the_next_epoch(pooled: Batches) -> None:
    places = [Cursor(), *(place for _, place in islice(pooled.after(Cursor()), 60))]
    seen = [pooled.epochs(place) for place in places]
    assert all(before < after for before, after in pairwise(seen))
    assert 1.0 in seen
    pairs = 0
    for batch, place in pooled.after(Cursor()):  # never further from the truth than a batch or two
        pairs += len(batch.lines)
        assert abs(pooled.epochs(place) - pairs / 100) < 0.08
        if place.epoch:
            break


def test_batches_keep_within_the_budget_except_single_long_pairs() -> None:
    store = of_lengths([3] * 30 + [90], [4] * 30 + [70])
    batches = Batches(store, BatchPlan(40))
    found = [batches.collate(rows) for rows in batches.epoch(0)]
    long = [b for b in found if max(b.source.numel(), b.target.numel()) > 40]
    assert [b.lines.tolist() for b in long] == [[31]]
    assert long[0].source.shape == (1, 90)  # neither cut nor left out
    assert long[0].wanted.shape == (1, 70)


def test_little_padding_on_lengths_like_those_of_captions() -> None:
    # Means, deviations and correlation of 29,000 English and German picture captions.
    rng = np.random.default_rng(0)
    common = rng.gamma(12.2, 1.15, 29_000)
    source = np.maximum(3, common + rng.normal(0, 1.0, common.size)).astype(np.int64)
    target = np.maximum(3, 0.96 * common + rng.normal(0, 1.8, common.size)).astype(np.int64)
    assert 0.84 < np.corrcoef(source, target)[0, 1] < 0.90
    groups = group_by_length(source, target, 4096, rng)
    padded = sum(len(g) * (source[g].max() + target[g].max()) for g in groups)
    assert 1 - (source.sum() + target.sum()) / padded < 0.05


def test_collated_rows_are_padded_shifted_and_counted(tmp_path: Path) -> None:
    pairs = [Pair("ab", "c", (), 7), Pair("c", "abc", (), 9)]
    tokenizers = joint(pairs)
    batch = Batches(Store.write(tmp_path, pairs, tokenizers), BatchPlan(99)).collate(
        np.array([0, 1])
    )
    (a, b, c), _ = tokenizers.source.encode(["abc"])[0].ids, None
    assert batch.source.tolist() == [[a, b, END], [c, END, PAD]]
    assert batch.real.tolist() == [[True, True, True], [True, True, False]]
    assert batch.wanted.tolist() == [[c, END, PAD, PAD], [a, b, c, END]]
    assert batch.target.tolist() == [[START, c, END, PAD], [START, a, b, c]]
    assert (batch.tokens, batch.lines.tolist()) == (6, [7, 9])


def test_moving_a_batch_keeps_all_of_it(store: Store) -> None:
    batch, _ = next(Batches(store, BatchPlan(50)).after(Cursor()))
    assert same(batch, batch.to(torch.device("cpu")))


def test_copy_noise_hides_one_piece_on_both_sides(store: Store) -> None:
    plain = Batches(store, BatchPlan(100, seed=1))
    noisy = Batches(store, BatchPlan(100, seed=1, copy_noise=1.0, copies=COPIES))
    for rows in plain.epoch(0):
        clear, hidden = plain.collate(rows), noisy.collate(rows)
        for row in range(len(rows)):
            changed = clear.source[row] != hidden.source[row]
            pieces = clear.source[row][changed].unique()
            marks = hidden.source[row][changed].unique()
            assert len(pieces) == len(marks) == 1
            assert int(marks) in MARKS
            for before, after in ((clear.source, hidden.source), (clear.wanted, hidden.wanted)):
                expected = torch.where(before[row] == pieces, marks, before[row])
                assert torch.equal(after[row], expected)
        assert torch.equal(hidden.target[:, 1:], hidden.wanted[:, :-1])


def test_copy_noise_meets_the_share_asked_for_and_changes_by_epoch(store: Store) -> None:
    batches = Batches(store, BatchPlan(100, seed=1, copy_noise=0.25, copies=COPIES))

    def hidden(epoch: int) -> list[int]:
        found = (batches.collate(rows, epoch) for rows in batches.epoch(0))
        marked = ((b, torch.isin(b.source, torch.tensor(list(MARKS))).any(1)) for b in found)
        return sorted(int(line) for b, rows in marked for line in b.lines[rows.numpy()])

    counts = [len(hidden(epoch)) for epoch in range(10)]
    assert 0.2 < np.mean(counts) / 120 < 0.3
    assert hidden(0) == hidden(0)
    assert hidden(0) != hidden(1)


def test_copy_noise_leaves_marks_and_pairs_with_nothing_in_common_alone(tmp_path: Path) -> None:
    pairs = [Pair("abc", "def"), Pair("", "")]
    plan = BatchPlan(99, copy_noise=1.0, copies=COPIES)
    batches = Batches(Store.write(tmp_path, pairs, joint(pairs, copies=COPIES)), plan)
    for epoch in range(5):
        batch = batches.collate(np.array([0, 1]), epoch)
        for side in (batch.source, batch.wanted):
            assert not torch.isin(side, torch.tensor(list(MARKS))).any()
        assert batch.source[1].tolist() == [END, PAD, PAD, PAD]

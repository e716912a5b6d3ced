"""Held-out pairs by source: nothing lost, no source on both sides, and few sources remembered."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2see.data import split as split_module
from seq2see.data.pairs import Pair, fingerprint
from seq2see.data.split import Key, Ranking, key_of, split_by_source
from seq2see.errors import ConfigError

quick = settings(deadline=None, derandomize=True, max_examples=80)
few_pairs = st.lists(
    st.builds(
        Pair, st.sampled_from("abcdef"), st.text("xy", max_size=2), st.sampled_from([(), ("V",)])
    )
)


def keys(pairs: list[Pair]) -> set[Key]:
    return set(map(key_of, pairs))


@quick
@given(few_pairs, st.integers(0, 20), st.integers(0, 5))
def test_a_split_shares_no_source_loses_no_pair_and_keeps_order(pairs, held_out, seed):
    numbered = [Pair(p.source, p.target, p.features, n) for n, p in enumerate(pairs)]
    train, dev = split_by_source(numbered, held_out, seed)
    assert not keys(train) & keys(dev)
    assert sorted(train + dev, key=lambda pair: pair.line) == numbered
    assert all(part == sorted(part, key=lambda pair: pair.line) for part in (train, dev))
    assert len(dev) <= held_out
    left = [sum((p.source, p.features) == key for p in train) for key in keys(train)]
    assert all(size > held_out - len(dev) for size in left)


def test_a_split_holds_out_what_is_asked_and_follows_the_seed():
    pairs = [Pair(str(n % 900), str(n)) for n in range(1000)]
    train, dev = split_by_source(pairs, 100, 1)
    assert (len(train), len(dev)) == (900, 100)
    assert split_by_source(pairs, 100, 1)[1] == dev
    assert split_by_source(pairs, 100, 2)[1] != dev
    assert keys(split_by_source(pairs[::-1], 100, 1)[1]) == keys(dev)
    with pytest.raises(ConfigError, match="-1 pairs"):
        split_by_source(pairs, -1, 1)


def test_a_split_is_the_same_in_every_process():
    code = (
        "from seq2see.data.pairs import Pair\n"
        "from seq2see.data.split import split_by_source\n"
        "pairs = [Pair(str(n), '') for n in range(50)]\n"
        "print([pair.source for pair in split_by_source(pairs, 5, 3)[1]])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert said.pop().count("'") == 10


def chosen_of_all(pairs: list[Pair], held_out: int, seed: int) -> set[Key]:
    """The same choice with every source ranked."""
    sizes = Counter(map(key_of, pairs))
    chosen, room = set(), held_out
    for key in sorted(sizes, key=lambda key: fingerprint(str(seed), key[0], *key[1])):
        if sizes[key] <= room:
            chosen.add(key)
            room -= sizes[key]
    return chosen


def ranked(pairs: list[Pair], held_out: int, seed: int) -> frozenset[Key]:
    ranking = Ranking(seed, held_out)
    for pair in pairs:
        ranking.add(pair)
    assert len(ranking._sizes) == len(ranking._highest_first) <= max(9, 2 * held_out)
    return ranking.choose(held_out)


@pytest.mark.parametrize("seed", range(5))
def test_few_sources_remembered_choose_as_all_would(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(split_module, "_RANKED", 9)
    pairs = [Pair(str(n % 500), str(n)) for n in range(900)]  # one or two of each source
    for held_out in (4, 7, 30):
        assert ranked(pairs, held_out, seed) == chosen_of_all(pairs, held_out, seed)
        assert ranked(pairs[::-1], held_out, seed) == ranked(pairs, held_out, seed)


def test_where_no_source_remembered_fits_the_room_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_module, "_RANKED", 9)
    pairs = [Pair(str(n % 100), str(n)) for n in range(300)]  # three of each source
    assert len(ranked(pairs, 4, 1)) == 1
    assert len(ranked(pairs, 2, 1)) == 0

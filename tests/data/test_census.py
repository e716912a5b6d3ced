from __future__ import annotations

import gzip
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from seq2see.data.doctor import Limits, examine


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def found(diagnosis) -> dict[str, tuple[int, ...]]:
    assert all(item.count == len(item.lines) for item in diagnosis.findings if item.lines)
    return {item.name: item.lines for item in diagnosis.findings if item.count}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("doctor")


small = st.lists(st.tuples(st.sampled_from(["", "a", "b", " "]), st.sampled_from(["", "a", "c"])))


@settings(deadline=None, derandomize=True, max_examples=150)
@given(small)
def test_repeats_and_contradictions_agree_with_plain_loops(folder, pairs):
    path = write(folder, "r.tsv", "".join(f"{source}\t{target}\n" for source, target in pairs))
    lines, seen, targets = defaultdict(list), set(), defaultdict(set)
    for source, target in pairs:
        if source.strip() and target:
            targets[source].add(target)
    for number, (source, target) in enumerate(pairs, 1):
        filled = bool(source.strip()) + bool(target)
        if filled < 2:
            lines["one_sided" if filled else "empty"].append(number)
        if filled and (source, target) in seen:
            lines["duplicate"].append(number)
        if filled == 2 and len(targets[source]) > 1:
            lines["contradictory"].append(number)
        if filled == 2 and source == target:
            lines["copied"].append(number)
        seen.add((source, target))
    diagnosis = examine(path)
    found_lines = {name: list(numbers) for name, numbers in found(diagnosis).items()}
    assert found_lines == (dict(lines) if pairs else {"no_pairs": []})
    several = sum(len(answers) > 1 for answers in targets.values())
    assert diagnosis.summary.contradictory_sources == several


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1),
    st.floats(0, 6),
    st.floats(1, 5),
)
def test_length_ratios_follow_their_rule(folder, lengths, spread, factor):
    path = write(folder, "l.tsv", "".join("s" * s + "\t" + "t" * t + "\n" for s, t in lengths))
    logs = np.array([math.log(s / t) for s, t in lengths])
    off = np.abs(logs - np.median(logs))
    edges = (spread * 1.4826 * np.median(off), math.log(factor))
    if any(np.isclose(off, edge, atol=1e-6).any() for edge in edges):
        reject()  # on the edge itself rounding decides
    expected = np.flatnonzero((off > edges[0]) & (off > edges[1])) + 1
    limits = Limits(spread=spread, factor=factor)
    assert examine(path, limits=limits)["length_ratio"].lines == tuple(expected)


def test_threefold_is_an_outlier_among_equals_and_less_is_not(tmp_path):
    same = "abcd\twxyz\n" * 20
    path = write(tmp_path, "a.tsv", same + "ab\tuvwxyz\nab\tvwxyz\nabcdef\tyz\n")
    assert examine(path)["length_ratio"].lines == (21, 23)
    assert examine(path, limits=Limits(factor=2))["length_ratio"].lines == (21, 22, 23)

"""Pairs as ids: features first, end mark last, copy marks that agree on both sides; on disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import copying, joint
from seq2see.data import store as store_module
from seq2see.data.pairs import Pair
from seq2see.data.side import Side
from seq2see.data.store import Store, Tokenizers
from seq2see.data.tokenizers import END, SPECIALS, UNKNOWN, Layout, train_tokenizer
from seq2see.errors import TrainingError

FIRST_COPY = len(SPECIALS)


def both(copies: int = 2) -> Tokenizers:
    one = train_tokenizer("characters", ["abc"], 0, Layout(copies, ("N", "PL")))
    return Tokenizers(one, one)


def shown(tokenizers: Tokenizers, row: list[int]) -> list[str]:
    return [tokenizers.source.piece(i) for i in row]


def test_a_source_is_features_then_text_then_end() -> None:
    rows, unknowns = both().sources([Pair("ab", "", ("PL", "N")), Pair("", "")])
    assert shown(both(), rows[0]) == ["[PL]", "[N]", "a", "b", "</s>"]
    assert rows[1] == [END]
    assert unknowns == [[], []]


def test_an_unknown_feature_is_the_unknown_mark_not_a_copy() -> None:
    rows, unknowns = both().sources([Pair("Ω", "", ("DU",))])
    assert rows == [[UNKNOWN, FIRST_COPY, END]]
    assert unknowns == [["Ω"]]


def test_each_distinct_unknown_piece_has_its_own_copy_mark() -> None:
    rows, unknowns = both().sources([Pair("ΩaЖΩ", "")])
    assert shown(both(), rows[0]) == ["<copy0>", "a", "<copy1>", "<copy0>", "</s>"]
    assert unknowns == [["Ω", "Ж"]]


def test_beyond_the_last_copy_mark_pieces_stay_unknown() -> None:
    rows, unknowns = both(copies=1).sources([Pair("ΩЖ", "")])
    assert rows == [[FIRST_COPY, UNKNOWN, END]]
    assert both(copies=1).targets(["ЖΩ"], unknowns) == [[UNKNOWN, FIRST_COPY, END]]


def test_a_target_takes_the_marks_of_its_own_source() -> None:
    tokenizers = both()
    sources, unknowns = tokenizers.sources([Pair("ΩЖ", ""), Pair("ЖΩ", ""), Pair("ab", "")])
    targets = tokenizers.targets(["ЖaΩ", "ЖaΩ", "Ж"], unknowns)
    assert shown(tokenizers, targets[0]) == ["<copy1>", "a", "<copy0>", "</s>"]
    assert shown(tokenizers, targets[1]) == ["<copy0>", "a", "<copy1>", "</s>"]
    assert targets[2] == [UNKNOWN, END]
    for target, unknown in zip(targets[:2], unknowns, strict=False):
        assert tokenizers.target.decode(target, unknown) == "ЖaΩ"
    assert len(sources) == 3


def test_without_copy_marks_unknown_pieces_stay_unknown() -> None:
    rows, unknowns = both(copies=0).sources([Pair("Ωa", "")])
    assert rows[0][0] == UNKNOWN
    assert both(copies=0).targets(["Ω"], unknowns) == [[UNKNOWN, END]]


def test_separate_tokenizers_share_the_marks() -> None:
    layout = Layout(copies=2)
    source = train_tokenizer("characters", ["abc"], 0, layout)
    target = train_tokenizer("characters", ["xyzw"], 0, layout)
    _, unknowns = Tokenizers(source, target).sources([Pair("aΩ", "")])
    rows = Tokenizers(source, target).targets(["xΩ"], unknowns)
    assert target.decode(rows[0], unknowns[0]) == "xΩ"


@pytest.mark.parametrize("chunk", [1, 3, 7, 10_000])
def test_what_is_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(store_module, "_CHUNK", chunk)
    pairs = [Pair(p.source, p.target[::-1], (), p.line * 3) for p in copying(20)]
    tokenizers = joint(pairs)
    written = Store.write(tmp_path / "deep" / "store", iter(pairs), tokenizers)
    sources, unknowns = tokenizers.sources(pairs)
    targets = tokenizers.targets([pair.target for pair in pairs], unknowns)
    for store in (written, Store.open(tmp_path / "deep" / "store")):
        assert len(store) == 20
        assert store.lines.tolist() == [pair.line for pair in pairs]
        assert [store.source[row].tolist() for row in range(20)] == sources
        assert [store.target[row].tolist() for row in range(20)] == targets
        assert store.source.lengths.tolist() == list(map(len, sources))
        assert store.target.lengths.tolist() == list(map(len, targets))


def test_all_is_mapped_and_nothing_loaded(tmp_path: Path) -> None:
    store = Store.write(tmp_path, copying(5), joint(copying(5)))
    for side in (store.source, store.target):
        assert isinstance(side.ids, np.memmap)
        assert isinstance(side.offsets, np.memmap)
    assert isinstance(store.lines, np.memmap)


def test_the_index_is_written_as_numpy_saves_it(tmp_path: Path) -> None:
    store = Store.write(tmp_path / "store", copying(20), joint(copying(20)))
    for name, array in (("source.offsets", store.source.offsets), ("lines", store.lines)):
        np.save(tmp_path / "saved.npy", array)
        written = (tmp_path / "store" / f"{name}.npy").read_bytes()
        assert written == (tmp_path / "saved.npy").read_bytes()


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=60),
    st.sampled_from([0.0, 0.5, 0.9, 0.999, 1.0]),
)
def test_a_ratio_of_lengths_is_the_quantile_over_all_pairs(
    lengths: list[tuple[int, int]], share: float
) -> None:
    source, target = (np.array([pair[i] for pair in lengths]) for i in (0, 1))
    sides = [
        Side(np.zeros(each.sum(), np.int32), np.concatenate([[0], each.cumsum()]))
        for each in (source, target)
    ]
    store = Store(sides[0], sides[1], np.arange(len(lengths)))
    assert store.ratio(share) == np.quantile(target / source, share)


def test_writing_again_replaces_all(tmp_path: Path) -> None:
    Store.write(tmp_path, copying(20), joint(copying(20)))
    store = Store.write(tmp_path, copying(3), joint(copying(20)))
    assert len(store) == 3
    assert len(store.source.ids) == store.source.lengths.sum()


def test_no_pairs_are_an_empty_store(tmp_path: Path) -> None:
    store = Store.write(tmp_path, [], joint(copying(5)))
    assert len(store) == 0
    assert store.source.lengths.tolist() == []


def test_an_empty_pair_holds_end_marks_alone(tmp_path: Path) -> None:
    store = Store.write(tmp_path, [Pair("", "", (), 4)], joint(copying(5)))
    assert (store.source[0].tolist(), store.target[0].tolist()) == ([END], [END])


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "open"), (Path, "mkdir")])
def test_a_full_disk_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    tokenizers = joint(copying(5))
    monkeypatch.setattr(owner, name, full)
    with pytest.raises(TrainingError, match="No space left on device") as caught:
        Store.write(tmp_path / "store", copying(5), tokenizers)
    assert caught.value.where == str(tmp_path / "store")
    assert "--out" in caught.value.mend


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("name", ["source.ids", "target.ids", "lines.npy"])
def test_a_disk_that_fills_amid_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/full")
    with pytest.raises(TrainingError, match="cannot be written"):
        Store.write(tmp_path, copying(5), joint(copying(5)))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")
def test_all_is_on_disk_before_the_store_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda handle: synced.append(Path(f"/proc/self/fd/{handle}").resolve().name)
    )
    Store.write(tmp_path / "store", copying(5), joint(copying(5)))
    files = sorted(path.name for path in (tmp_path / "store").iterdir())
    assert len(files) == 5
    assert (sorted(synced[:-1]), synced[-1]) == (files, "store")

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2see.data.pairs import (
    Columns,
    Pair,
    fingerprint,
    read_lines,
    read_pairs,
    read_sources,
)
from seq2see.errors import ConfigError, DataError

quick = settings(deadline=None, derandomize=True, max_examples=80)

ODD = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\x00\"' ,;\\\ufeffàe\u0301한😀"
any_text = st.text(st.characters(codec="utf-8", exclude_characters="\n") | st.sampled_from(ODD))
# A carriage return in front of the line end belongs to the line end; a tab separates columns.
line_text = any_text.filter(lambda text: not text.endswith("\r"))
field = any_text.map(lambda text: text.replace("\t", "")).filter(lambda t: not t.endswith("\r"))
feature = st.text("ABC.=012\u2028é", min_size=1, max_size=5)


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def texts(pairs) -> list[tuple]:
    return [(pair.source, pair.target) for pair in pairs]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pairs")


@quick
@given(st.lists(st.tuples(field, field)), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_tsv_comes_back_as_written(folder, pairs, packed, end):
    text = "".join(f"{source}\t{target}{end}" for source, target in pairs)
    path = write(folder, "a.tsv.gz" if packed else "a.tsv", "\ufeff" + text if text else "")
    back = list(read_pairs(path))
    assert texts(back) == pairs
    assert [pair.line for pair in back] == list(range(1, len(pairs) + 1))


@quick
@given(st.lists(st.tuples(line_text, line_text), min_size=1))
def test_parallel_files_come_back_as_written(folder, pairs):
    sources, targets = zip(*pairs, strict=True)
    one = write(folder, "a.en", "\ufeff" + "\n".join(sources) + "\n")
    two = write(folder, "a.de.gz", "\ufeff" + "\n".join(targets) + "\n")
    assert texts(read_pairs(f"{one},{two}")) == pairs


@quick
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8")),
            st.text(st.characters(codec="utf-8")),
            st.lists(feature),
        )
    ),
    st.booleans(),
)
def test_json_lines_come_back_as_written(folder, rows, escaped):
    lines = [
        json.dumps({"source": s, "target": t, "features": f}, ensure_ascii=escaped) + "\n"
        for s, t, f in rows
    ]
    path = write(folder, "a.jsonl.gz" if escaped else "a.json", "".join(lines))
    back = [(pair.source, pair.target, list(pair.features)) for pair in read_pairs(path)]
    assert back == rows


@quick
@given(st.lists(st.tuples(field, st.lists(feature), field), min_size=1))
def test_features_come_back_as_written(folder, rows):
    text = "".join(f"{s}\t{';'.join(f)}\tignored\t{t}\n" for s, f, t in rows)
    path = write(folder, "f.tsv", "\ufeff" + text)
    back = read_pairs(path, Columns(source=1, target=4, features=2))
    assert [(pair.source, list(pair.features), pair.target) for pair in back] == rows


@quick
@given(st.lists(line_text, min_size=1))
def test_sources_are_one_a_line_empty_ones_included(folder, lines):
    path = write(folder, "s.txt", "\ufeff" + "".join(line + "\n" for line in lines))
    back = list(read_sources(path))
    assert [(pair.source, pair.target, pair.line) for pair in back] == [
        (line, "", number) for number, line in enumerate(lines, 1)
    ]


def test_an_empty_line_is_an_empty_pair_and_keeps_the_count(tmp_path):
    path = write(tmp_path, "a.tsv", "a\tb\n\n\t\n \tx\n")
    assert texts(read_pairs(path)) == [("a", "b"), ("", ""), ("", ""), (" ", "x")]
    assert [pair.line for pair in read_pairs(path)] == [1, 2, 3, 4]


def test_a_file_without_lines_gives_no_pairs(tmp_path):
    assert list(read_pairs(write(tmp_path, "a.tsv", ""))) == []
    assert list(read_pairs(write(tmp_path, "a.tsv.gz", ""))) == []


@pytest.mark.parametrize(
    ("one", "two", "counts"), [("a\nb\nc", "x\ny\n", (3, 2)), ("", "x\n", (0, 1))]
)
def test_unequal_parallel_files_are_refused_before_the_first_pair(tmp_path, one, two, counts):
    first, second = write(tmp_path, "t.en", one), write(tmp_path, "t.de", two)
    says = rf"t\.en has {counts[0]} lines, .*t\.de {counts[1]};"
    with pytest.raises(DataError, match=says):
        next(read_pairs(f"{first},{second}"))


@pytest.mark.parametrize("longer", [0, 1])
def test_unequal_pipes_are_refused_where_one_ends(tmp_path, longer):
    contents = [b"a\nb\n", b"x\ny\n"]
    contents[longer] += b"c\nd\ne\n"
    ends = [os.pipe(), os.pipe()]
    for (_, writing), content in zip(ends, contents, strict=True):
        os.write(writing, content)
        os.close(writing)
    counts = ("5", "2") if longer == 0 else ("2", "5")
    pairs = read_pairs(",".join(f"/dev/fd/{reading}" for reading, _ in ends))
    try:
        assert texts([next(pairs), next(pairs)]) == [("a", "x"), ("b", "y")]
        with pytest.raises(DataError, match=rf"has {counts[0]} lines, /dev/fd/\d+ {counts[1]};"):
            next(pairs)
    finally:
        for reading, _ in ends:
            os.close(reading)


def test_sources_take_columns_only_where_named(tmp_path):
    path = write(tmp_path, "a.tsv", "go\tV;PST\n\nbe\t\n")
    assert [pair.source for pair in read_sources(path)] == ["go\tV;PST", "", "be\t"]
    assert list(read_sources(path, Columns.parse("source=1,features=2"))) == [
        Pair("go", "", ("V", "PST"), 1),
        Pair("", "", (), 2),
        Pair("be", "", (), 3),
    ]
    with pytest.raises(DataError, match=r"a\.tsv:1: 2 columns; expected at least 3"):
        list(read_sources(path, Columns(1, 9, 3)))


def test_sources_need_no_target_in_json_and_refuse_two_files(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"source": "a"}\n{"translation": {"en": "b", "de": "c"}}\n')
    assert texts(read_sources(path)) == [("a", ""), ("b", "")]
    with pytest.raises(DataError, match="two files"):
        read_sources("x.en,x.de")


def test_a_dash_is_standard_input(monkeypatch):
    raw = "\ufeffa\u2028b\t1\r\n\nc".encode()

    def type_in():
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))

    type_in()
    assert list(read_lines("-")) == [(1, "a\u2028b\t1"), (2, ""), (3, "c")]
    type_in()
    assert [pair.source for pair in read_sources("-")] == ["a\u2028b\t1", "", "c"]
    type_in()
    with pytest.raises(DataError, match=r"<stdin>:3: 1 column;"):
        list(read_sources("-", Columns(1, None, 2)))
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="<stdin>: cannot be read"):
        list(read_lines("-"))


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("", [("a", "b"), ("c", "d")]),
        (":train", [("a", "b"), ("c", "d")]),
        (":dev", [("e", "f")]),
        (":en-de:dev", [("e", "f")]),
        (":train[1:]", [("c", "d")]),
        (":en-de:train[:1]+dev", [("a", "b"), ("e", "f")]),
    ],
)
def test_a_data_set_of_the_hub_has_configurations_and_splits(hub, name, pairs):
    assert texts(read_pairs(hub + name)) == pairs
    assert texts(read_sources(hub + name)) == [(source, "") for source, _ in pairs]


def test_a_row_of_the_hub_is_read_like_a_line_of_json(hub):
    pairs = read_pairs(f"{hub}:tagged:train")
    assert next(pairs) == Pair("go", "went", ("V", "PST"), 1)
    with pytest.raises(DataError, match=":tagged:train:2: null where a text should stand"):
        next(pairs)


def test_a_declared_translation_has_its_languages_in_alphabetical_order(hub, tmp_path):
    features = "- {name: translation, dtype: {translation: {languages: [en, de]}}}"
    info = f"dataset_info:\n- config_name: en-de\n  features:\n  {features}\n"
    card = tmp_path / "set" / "README.md"
    card.write_text(card.read_text().replace("---\n", f"---\n{info}", 1))
    assert texts(read_pairs(f"{hub}:dev")) == [("f", "e")]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (":test", "Unknown split .*train.*dev.* Check the network and each name"),
        (":en-fr:train", "'en-fr' not found. Available: .*en-de.*tagged"),
        (":train[", "cannot be read"),
        ("/absent", "cannot be read"),
    ],
)
def test_what_the_hub_does_not_have_is_said(hub, name, says):
    with pytest.raises(DataError, match=says) as caught:
        list(read_pairs(hub + name))
    assert caught.value.where == hub + name


@pytest.mark.parametrize(
    "data", ["hf:", "hf::dev", "hf:x:", "hf:x::dev", "hf:x:y:", "hf:x:y:z:dev"]
)
def test_a_malformed_name_shows_the_forms(data):
    with pytest.raises(ConfigError, match="hf:NAME, hf:NAME:SPLIT or hf:NAME:CONFIG:SPLIT"):
        list(read_pairs(data))


def test_the_hub_without_its_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError, match=re.escape("pip install seq2see[hub]")):
        list(read_pairs("hf:x"))


def test_a_fingerprint_knows_where_texts_part():
    assert fingerprint("ab", "c") != fingerprint("a", "bc") != fingerprint("abc")
    digest = hashlib.blake2b("2:é".encode(), digest_size=8).digest()
    assert fingerprint("é") == int.from_bytes(digest, "big")
    assert fingerprint("\ud800") != fingerprint("\ud801")

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from seq2see.data.pairs import (
    Columns,
    Pair,
    read_pairs,
)
from seq2see.data.rows import as_pairs
from seq2see.errors import ConfigError, DataError


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def texts(pairs) -> list[tuple]:
    return [(pair.source, pair.target) for pair in pairs]


def test_quotes_are_text_and_further_columns_are_ignored(tmp_path):
    path = write(tmp_path, "a.tsv", '"a\tb"\tc\n""\t"\n')
    assert texts(read_pairs(path)) == [('"a', 'b"'), ('""', '"')]


def test_features_split_on_semicolons_and_blanks(tmp_path):
    path = write(tmp_path, "a.tsv", "V;PST  3;;SG\tgo\twent\n\tgo\tgo\n")
    pairs = list(read_pairs(path, Columns(2, 3, 1)))
    assert pairs == [Pair("go", "went", ("V", "PST", "3", "SG"), 1), Pair("go", "go", (), 2)]


def test_too_few_columns_name_line_count_and_option(tmp_path):
    path = write(tmp_path, "a.tsv", "a\tb\tc\nx\ty\n")
    message = rf"{re.escape(str(path))}:2: 2 columns; expected at least 3.*--columns"
    with pytest.raises(DataError, match=message):
        list(read_pairs(path, Columns(1, 2, 3)))


def test_json_takes_translation_features_as_text_and_empty_lines(tmp_path):
    rows = [
        '{"translation": {"en": "a", "de": "b"}}',
        '{"target": "t", "id": 7, "source": "s", "features": "V;PST"}',
        "",
        '{"source": "s", "target": "t", "features": null}',
    ]
    assert list(read_pairs(write(tmp_path, "a.jsonl", "\r\n".join(rows)))) == [
        Pair("a", "b", (), 1),
        Pair("s", "t", ("V", "PST"), 2),
        Pair("", "", (), 3),
        Pair("s", "t", (), 4),
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"source": "a"}', "keys source; expected source and target"),
        ("{}", "no keys; expected"),
        ('{"source": 1, "target": "b"}', "a number where a text"),
        ('{"source": null, "target": "b"}', "null where a text"),
        ('{"source": "a", "target": "b", "features": {}}', "an object as features"),
        ('{"source": "a", "target": "b", "features": 0}', "a number as features"),
        ('{"source": "a", "target": "b", "features": [true]}', "true or false where a text"),
        ('{"translation": {"en": "a", "de": "b", "fr": "c"}}', "3 texts in `translation`"),
        ('[{"source": "a", "target": "b"}]', "a list, not an object"),
        ('{"source": "a", "target"', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"source": "\\ud800", "target": "b"}', "half of a surrogate pair"),
    ],
)
def test_json_that_is_no_pair_is_refused_with_its_place(tmp_path, row, says):
    path = write(tmp_path, "a.json", '{"source": "a", "target": "b"}\n' + row + "\n")
    with pytest.raises(DataError, match=rf"a\.json:2: {re.escape(says)}"):
        list(read_pairs(path))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("source=1,target=2,features=3", Columns(1, 2, 3)),
        (" features = 3 , source=2,target=1", Columns(2, 1, 3)),
        ("source=1,features=2", Columns(1, None, 2)),
        ("source=4", Columns(4, None, None)),
        ("target=2", Columns(1, 2, None)),
        ("", Columns()),
    ],
)
def test_columns_parse(text, columns):
    assert Columns.parse(text) == columns
    assert Columns.parse(str(columns)) == columns


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sorce=1,target=2", "Did you mean source?"),
        ("feature=3", "Did you mean features?"),
        ("qqq=1", "unknown column 'qqq'"),
        ("source=0", "source=0; expected a column number from 1"),
        ("source=one", "source=one is not a column number"),
        ("source=-1", "source=-1 is not"),
        ("source=²", "source=² is not"),
        ("source", "source=(nothing) is not"),
        ("source=1,source=2", "source is named twice"),
        ("target=1", "the source needs a column"),
        ("source=1,", "unknown column ''"),
    ],
)
def test_malformed_columns_are_refused(text, says):
    with pytest.raises(ConfigError, match=re.escape(says)):
        Columns.parse(text)


def test_texts_become_numbered_pairs() -> None:
    own = Pair("x", "", ("N",), 9)
    assert as_pairs(["a", own, "b"]) == [Pair("a", "", (), 1), own, Pair("b", "", (), 3)]
    assert as_pairs("a") == [Pair("a", "", (), 1)]
    assert as_pairs(own) == [own]

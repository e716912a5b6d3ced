from __future__ import annotations

import gzip
import re
import tracemalloc
from pathlib import Path

import pytest

from seq2see.data.pairs import (
    data_paths,
    read_pairs,
)
from seq2see.errors import DataError


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def texts(pairs) -> list[tuple]:
    return [(pair.source, pair.target) for pair in pairs]


def test_only_newline_ends_a_line_and_the_last_needs_none(tmp_path):
    path = write(tmp_path, "a.txt", "a\u2028b\tc\x85d\r\ne\x0bf\tg\x0ch\r\r\ni\tj\r")
    assert texts(read_pairs(path)) == [("a\u2028b", "c\x85d"), ("e\x0bf", "g\x0ch\r"), ("i", "j\r")]


def test_one_byte_order_mark_is_removed_at_the_start_only(tmp_path):
    path = write(tmp_path, "a.tsv", "\ufeff\ufeffa\tb\n\ufeffc\td\n")
    assert texts(read_pairs(path)) == [("\ufeffa", "b"), ("\ufeffc", "d")]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_invalid_utf8_names_line_offset_and_command(tmp_path, bom):
    path = write(tmp_path, "a.tsv", bom + "é\tb\n".encode() * 2 + b"caf\xe9\tb\n")
    with pytest.raises(DataError, match=r"a\.tsv:3: .*0xE9 at byte offset 3 .*iconv -f latin1"):
        list(read_pairs(path))
    path = write(tmp_path, "b.tsv", bom + b"ab\xff\tc\n")
    with pytest.raises(DataError, match=rf"b\.tsv:1: .*byte offset {len(bom) + 2} "):
        list(read_pairs(path))


def test_utf16_is_recognised(tmp_path):
    path = write(tmp_path, "a.tsv", "a\tb\n".encode("utf-16"))
    with pytest.raises(DataError, match="iconv -f utf-16"):
        list(read_pairs(path))


def test_a_file_with_a_comma_in_its_name_is_that_file(tmp_path):
    path = write(tmp_path, "a,b.tsv", "a\tb\n")
    assert data_paths(str(path)) == (path,)
    assert texts(read_pairs(str(path))) == [("a", "b")]
    other = write(tmp_path, "c.tsv", "c\nd\n")
    assert data_paths(f"{path},{other}") == (path, other)


def test_data_paths_names_one_file_two_or_none():
    assert data_paths(Path("x.tsv")) == (Path("x.tsv"),)
    assert data_paths("x.en,x.de") == (Path("x.en"), Path("x.de"))
    assert data_paths("hf:x") == ()
    assert data_paths(Path("hf:x")) == (Path("hf:x"),)
    for wrong in ("a,b,c", "a,", ",a", "x" * 5000 + ",b,c"):
        with pytest.raises(DataError, match=r"train\.en,train\.de"):
            data_paths(wrong)


def test_files_that_cannot_be_read_say_why_and_what_to_do(tmp_path):
    whole = gzip.compress(b"a\tb\n" * 1000)
    cases = {
        "absent.tsv": (None, "no such file. Check the path."),
        "file.tsv/x.tsv": (None, "no such file"),
        ".": (None, "a directory, not a file. Name a file"),
        "x" * 5000: (None, "cannot be read"),
        "plain.tsv.gz": (b"a\tb\n", "not gzip data"),
        "empty.tsv.gz": (b"", "truncated"),
        "short.tsv.gz": (whole[:-12], "truncated"),
        "spoilt.tsv.gz": (whole[:15] + b"\0\xff" * 8 + whole[31:], "not gzip data, or damaged"),
        "packed.tsv": (whole, "gzipped, though its name does not say so. Let the name end in .gz"),
    }
    (tmp_path / "file.tsv").write_bytes(b"")
    for name, (content, says) in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=re.escape(says)):
            list(read_pairs(tmp_path / name))


def test_an_unreadable_file_says_so(tmp_path, monkeypatch):
    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "a.tsv", "a\tb\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="no permission to read it"):
        list(read_pairs(path))


def test_reading_takes_constant_memory(tmp_path):
    path = write(tmp_path, "a.tsv", b"abcdefgh\tabcdefgh\n" * 50_000)
    tracemalloc.start()
    assert sum(1 for _ in read_pairs(path)) == 50_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000

from __future__ import annotations

import dataclasses
import gzip
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seq2see.data.doctor import Limits, examine
from seq2see.data.pairs import Columns, read_pairs
from seq2see.errors import ConfigError, DataError


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


def test_every_finding_of_a_sick_tsv_has_its_lines(tmp_path):
    lines = [
        b"\xef\xbb\xbfone\teins",
        b"",
        b"two\t",
        b" \tzwei",
        b"caf\xe9\tKaffee",
        b"alone",
        b"one\tein\r",
        b"one\teins",
        b"same\tsame",
        b"\t",
        "a\u2028b\tc d".encode(),
        b"n\0l\tnul",
        b"be\x07l\tbell",
        b" five\tcinq",
        "e\u0301t\tsum".encode(),
        b"x" * 11 + b"\t" + b"y" * 12,
        b"three\tdrei",
        b"z\tzzzzzzzzz",
    ]
    diagnosis = examine(write(tmp_path, "a.tsv", b"\n".join(lines)), limits=Limits(over_long=11))
    assert found(diagnosis) == {
        "invalid_utf8": (5,),
        "missing_columns": (6,),
        "empty": (2, 10),
        "one_sided": (3, 4),
        "over_long": (16,),
        "length_ratio": (18,),
        "duplicate": (8,),
        "contradictory": (1, 7, 8),
        "copied": (9,),
        "bom": (1,),
        "crlf": (7,),
        "nul": (12,),
        "line_separators": (11,),
        "control_characters": (13,),
        "surrounding_blanks": (14,),
        "not_nfc": (15,),
    }
    assert diagnosis.errors == 2
    assert (diagnosis.summary.lines, diagnosis.summary.pairs) == (18, 16)
    assert diagnosis.summary.contradictory_sources == 1
    assert "1 distinct sources" in diagnosis["contradictory"].meaning


def test_a_sound_file_has_no_findings_and_right_figures(tmp_path):
    path = write(tmp_path, "a.tsv", "ab\tx\nabcd\txy\nab c\txyy\nb\ty\n")
    diagnosis = examine(path)
    assert found(diagnosis) == {}
    assert diagnosis.errors == 0
    summary = diagnosis.summary
    assert (summary.lines, summary.pairs, summary.sources) == (4, 4, 4)
    assert dataclasses.astuple(summary.source) == (2.75, 3.0, 4.0, 4, 5)
    assert dataclasses.astuple(summary.target) == pytest.approx((1.75, 1.5, 2.85, 3, 2))


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz", "a.jsonl"])
def test_a_file_without_lines_is_an_error(tmp_path, name):
    diagnosis = examine(write(tmp_path, name, ""))
    assert found(diagnosis) == {"no_pairs": ()}
    assert diagnosis.errors == 1
    assert diagnosis.summary.source.mean == 0


@pytest.mark.parametrize("character", "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e")
def test_unusual_separators_are_text(tmp_path, character):
    path = write(tmp_path, "a.tsv", f"a{character}b\tcd\nab\tc{character}d\n")
    assert found(examine(path)) == {"line_separators": (1, 2)}


@pytest.mark.parametrize("character", ["\x01", "\x1b", "\x1f", "\x7f", "\x80", "\x9f", "\r"])
def test_other_control_characters_are_counted_apart(tmp_path, character):
    path = write(tmp_path, "a.tsv", f"a{character}b\tcd\nab\tcde\n")
    assert found(examine(path)) == {"control_characters": (1,)}


def test_columns_not_read_are_not_examined_and_features_tell_sources_apart(tmp_path):
    path = write(tmp_path, "a.tsv", "V;PST\tgo\twent\0\t\0\nV\tgo\tgo \t\u2028\nV\tgo\tgoes\n")
    assert found(examine(path, Columns(2, 3, 1))) == {
        "nul": (1,),
        "surrounding_blanks": (2,),
        "contradictory": (2, 3),
    }
    assert "source=1,target=9" in examine(path, Columns(1, 9))["missing_columns"].meaning


def test_parallel_files_of_unequal_length_are_counted(tmp_path):
    one = write(tmp_path, "a.en", b"a\r\nb\xff\nc\n\n\xff")
    two = write(tmp_path, "a.de", "\ufeffx\ny\r\nz\n")
    diagnosis = examine(f"{one},{two}")
    assert found(diagnosis) == {
        "bom": (1,),
        "crlf": (1, 2),
        "invalid_utf8": (2, 5),
        "unequal_lines": (4, 5),
    }
    assert (diagnosis.summary.lines, diagnosis.summary.pairs) == (5, 2)
    assert found(examine(f"{two},{one}"))["unequal_lines"] == (4, 5)


def test_records_that_are_no_pair_are_counted(tmp_path, hub):
    good = '{"source": "ab", "target": "cd"}'
    path = write(tmp_path, "a.jsonl", f'{good}\n{{"source": "a"}}\n\n[]\n{{\n'.encode() + b"\xff\n")
    assert found(examine(path)) == {
        "malformed_record": (2, 4, 5),
        "empty": (3,),
        "invalid_utf8": (6,),
    }
    assert found(examine(f"{hub}:tagged:train")) == {"malformed_record": (2,)}


def test_files_that_cannot_be_read_at_all_still_raise(tmp_path):
    sound, packed = write(tmp_path, "a.tsv", "a\tb\n"), tmp_path / "plain.gz"
    packed.write_bytes(b"a\tb\n")
    for wrong in (tmp_path / "absent", tmp_path, packed):
        with pytest.raises(DataError):
            examine(wrong)
        with pytest.raises(DataError):
            examine(sound, against=wrong)


# --- agreement with the reader


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.binary(max_size=60) | st.lists(st.sampled_from([b"a", b"\t", b"\n", b"\xff", b"\r"])))
def test_the_doctor_finds_no_error_exactly_where_the_reader_reads(folder, content):
    raw = content if isinstance(content, bytes) else b"".join(content)
    assume(not raw.startswith(b"\x1f\x8b"))  # gzip under a false name raises in both
    path = folder / "any.tsv"
    path.write_bytes(raw)
    diagnosis = examine(path)
    try:
        pairs = list(read_pairs(path))
    except DataError:
        assert diagnosis.errors
    else:
        assert diagnosis.errors == (not pairs)
        assert diagnosis.summary.pairs == diagnosis.summary.lines == len(pairs)
    assert diagnosis.summary.lines == raw.count(b"\n") + (not raw.endswith(b"\n") and raw != b"")


# --- another file


def test_leakage_and_unseen_characters_are_counted_in_the_other_file(tmp_path):
    train = write(tmp_path, "train.tsv", "ab\txy\nb\ty\n\nc\tz\n")
    test = write(tmp_path, "test.tsv", b"q\txxa\nab\txy\nbad\n\nab\tyx\nbb\tzz\n\xff\n")
    diagnosis = examine(train, against=test)
    assert found(diagnosis) == {
        "empty": (3,),
        "leaked_sources": (2, 5),
        "leaked_pairs": (2,),
        "unseen_characters": (1,),
        "against_unreadable": (3, 7),
    }
    overlap = diagnosis.overlap
    assert (overlap.pairs, overlap.leaked_sources, overlap.leaked_pairs) == (5, 0.4, 0.2)
    assert (overlap.unseen_source, overlap.unseen_target) == (1 / 7, 1 / 9)
    assert (overlap.new_source, overlap.new_target) == ("q", "a")
    assert f"40.00% of {test}" in diagnosis["leaked_sources"].meaning
    assert found(examine(test, against=train))["leaked_sources"] == (1,)


def test_features_belong_to_the_source_in_leakage(tmp_path):
    train = write(tmp_path, "train.tsv", "go\twent\tPST\n")
    test = write(tmp_path, "test.tsv", "go\twent\tSG\ngo\tgent\tPST\n")
    diagnosis = examine(train, Columns(1, 2, 3), against=test)
    assert diagnosis["leaked_sources"].lines == (2,)
    assert diagnosis["leaked_pairs"].count == 0


def test_an_empty_other_file_gives_shares_of_zero(tmp_path):
    train, test = write(tmp_path, "a.tsv", "a\tb\n"), write(tmp_path, "b.tsv", "")
    overlap = examine(train, against=test).overlap
    assert (overlap.pairs, overlap.leaked_sources, overlap.unseen_target) == (0, 0.0, 0.0)


# --- limits and costs


@pytest.mark.parametrize(
    "wrong", [{"over_long": 0}, {"spread": -1}, {"factor": 0.5}, {"examples": -1}]
)
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Limits(**wrong)


def test_examining_keeps_no_texts(tmp_path):
    line = "{0:0200d}\t{0:0200d}x\n"
    path = write(tmp_path, "a.tsv", "".join(line.format(number) for number in range(5000)))
    tracemalloc.start()
    examine(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 2_000_000
    assert peak < 1_000_000


def test_reading_and_examining_need_no_torch():
    code = "import sys, seq2see.data.doctor; print('torch' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"

"""`seq2see check` as a person and as a script see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seq2see.cli.check import ascii_safe


def test_a_clean_file(seq2see, tmp_path: Path) -> None:
    data = tmp_path / "clean.tsv"
    data.write_text("ab\tba\ncd\tdc\n")
    ran = seq2see("check", data)
    assert ran.code == 0
    assert "2 lines, 2 pairs, 2 distinct sources" in ran.out
    assert "nothing wrong or odd" in ran.out


def test_findings_name_count_lines_and_mend(seq2see, tmp_path: Path) -> None:
    data = tmp_path / "odd.tsv"
    data.write_text("ab\tba\n\t\n" + "x\ty\n" * 8)
    ran = seq2see("check", data)
    assert ran.code == 0
    row = next(line for line in ran.out.splitlines() if line.startswith("duplicate"))
    assert row.split()[1:3] == ["note", "7"]
    assert "4, 5, 6, 7, 8, …" in row
    assert "Take the lines out" in next(x for x in ran.out.splitlines() if x.startswith("empty"))


def test_json_holds_every_line_number(seq2see, tmp_path: Path) -> None:
    data = tmp_path / "odd.tsv"
    data.write_text("x\ty\n" * 8)
    ran = seq2see("check", data, "--json")
    assert json.loads(ran.out)["findings"]["duplicate"]["lines"] == [2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"ab\tba\nonly one column\n", "missing_columns"),
        (b"ab\tba\n\xff\tx\n", "invalid_utf8"),
        (b"", "no_pairs"),
    ],
)
def test_errors_in_the_data_exit_with_2(
    seq2see, tmp_path: Path, content: bytes, finding: str
) -> None:
    data = tmp_path / "bad.tsv"
    data.write_bytes(content)
    ran = seq2see("check", data)
    assert ran.code == 2
    assert any(line.split()[:2] == [finding, "error"] for line in ran.out.splitlines() if line)


def test_unequal_files_exit_with_2(seq2see, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\n2\n")
    (tmp_path / "b").write_text("1\n")
    ran = seq2see("check", f"{tmp_path / 'a'},{tmp_path / 'b'}", "--json")
    assert ran.code == 2
    assert json.loads(ran.out)["findings"]["unequal_lines"]["lines"] == [2]


def test_against_shows_leaks_and_unseen_characters(seq2see, tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("ab\tba\ncd\tdc\n")
    (tmp_path / "test.tsv").write_text("ab\tba\nzz\tba\n")
    ran = seq2see("check", tmp_path / "train.tsv", "--against", tmp_path / "test.tsv")
    assert ran.code == 0
    assert "sources that stand in both: 50.00%" in ran.out
    assert "source characters never seen: 50.00% (1 kinds: z)" in ran.out


def test_columns_are_read_as_said(seq2see, tmp_path: Path) -> None:
    data = tmp_path / "three.tsv"
    data.write_text("ab\tV;PST\tba\n")
    ran = seq2see("check", data, "--columns", "source=1,features=2,target=3", "--json")
    assert json.loads(ran.out)["summary"]["target"]["longest"] == 2


@pytest.mark.parametrize(
    ("columns", "said"),
    [("sauce=1", "Did you mean source"), ("source=1", "no column holds the target")],
)
def test_wrong_columns_are_refused(seq2see, pairs: Path, columns: str, said: str) -> None:
    ran = seq2see("check", pairs, "--columns", columns)
    assert ran.code == 2
    assert said in ran.err


@pytest.mark.parametrize(("name", "said"), [("absent", "no such file"), (".", "a directory")])
def test_what_is_no_file_is_named(seq2see, tmp_path: Path, name: str, said: str) -> None:
    ran = seq2see("check", tmp_path / name)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {tmp_path / name}: {said}")


def test_an_unreadable_file_is_named(seq2see, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The superuser reads everything, so the refusal is played.
    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    ran = seq2see("check", pairs)
    assert ran.code == 2
    assert f"{pairs}: no permission to read it" in ran.err


def test_characters_that_do_not_print_are_shown_as_code_points() -> None:
    assert ascii_safe("a\u2028 é") == "a U+2028 U+0020 é"

"""`seq2see translate`: lines in = lines out, whatever stands in them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ODD = 'abc\n\nab\u2028cd\na\x0bb\x0cc\x85d\na\rb\n  \nxyz\n"ab\tcd'


def lines(text: str) -> list[str]:
    """Lines end at a newline and nowhere else."""
    assert text.endswith("\n")
    return text[:-1].split("\n")


def test_one_line_out_for_each_line_in(seq2see, bundle: Path) -> None:
    ran = seq2see("translate", bundle, stdin=ODD.encode())
    assert ran.code == 0
    found = lines(ran.out)
    assert len(found) == len(ODD.split("\n"))
    assert [i for i, line in enumerate(found) if not line] == [1, 5]


def test_a_file_and_standard_input_give_the_same(seq2see, bundle: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_bytes(ODD.encode())
    assert seq2see("translate", bundle, source) == seq2see(
        "translate", bundle, "-", stdin=ODD.encode()
    )


def test_no_line_in_gives_no_line_out(seq2see, bundle: Path) -> None:
    ran = seq2see("translate", bundle)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_line_is_translated_alone_as_among_others(
    seq2see, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "abc\n\nabcdabcd\nd\n" * 3
    whole = seq2see("translate", bundle, stdin=text.encode())
    monkeypatch.setattr("seq2see.cli.stream.CHUNK", 5)
    assert seq2see("translate", bundle, "--batch-tokens", "7", stdin=text.encode()) == whole
    assert lines(whole.out)[2] == lines(seq2see("translate", bundle, stdin=b"abcdabcd").out)[0]


def test_scores_add_the_share_of_unseen_pieces(seq2see, bundle: Path) -> None:
    ran = seq2see("translate", bundle, "--scores", stdin=b"abc\n\nxy\naxby\n")
    fields = [line.split("\t") for line in lines(ran.out)]
    assert [len(row) for row in fields] == [3, 3, 3, 3]
    assert [row[2] for row in fields] == ["0.0000", "0.0000", "1.0000", "0.5000"]
    assert fields[1] == ["", "0.0000", "0.0000"]
    assert float(fields[0][1]) < 0


def test_alignments_point_at_pieces_of_the_source(seq2see, bundle: Path) -> None:
    ran = seq2see("translate", bundle, "--alignments", stdin=b"abc\n\n")
    (text, shown), empty = (line.split("\t") for line in lines(ran.out))
    found = [pair.split("-") for pair in shown.split()]
    assert [int(target) for _, target in found] == list(range(len(text)))
    assert {int(source) for source, _ in found} <= {0, 1, 2}
    assert empty == ["", ""]


def test_nbest_lines_carry_the_number_of_their_source(seq2see, bundle: Path) -> None:
    ran = seq2see("translate", bundle, "--nbest", "2", "--beam", "3", stdin=b"abc\n\nbcd\n")
    rows = [line.split(" ||| ") for line in lines(ran.out)]
    assert [row[0] for row in rows] == ["1", "1", "2", "3", "3"]
    assert rows[2] == ["2", "", "0.0000"]
    assert all(float(row[2]) <= 0 for row in rows)


def test_an_ensemble_of_one_model_twice_is_that_model(seq2see, bundle: Path) -> None:
    one = seq2see("translate", bundle, stdin=b"abc\ndcb\n")
    assert seq2see("translate", f"{bundle},{bundle}", stdin=b"abc\ndcb\n") == one


def test_an_ensemble_needs_the_same_tokenizers(seq2see, bundle: Path, other: Path) -> None:
    ran = seq2see("translate", f"{bundle},{other}", stdin=b"abc\n")
    assert ran.code == 2
    assert ran.err.startswith("error: ") and "ensemble" in ran.err


def test_sampling_depends_on_the_seed_alone(seq2see, bundle: Path) -> None:
    def drawn(seed: int) -> str:
        text = b"abcd\n" * 20
        return seq2see("translate", bundle, "--sample", "--seed", str(seed), stdin=text).out

    assert drawn(1) == drawn(1) != drawn(2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--temperature", "2"), "--temperature: has no effect without --sample"),
        (("--top-k", "2"), "--top-k: has no effect without --sample"),
        (("--sample", "--beam", "2"), "--beam: has no effect with --sample"),
        (("--nbest", "9"), "Set beam to 9 or more"),
        (("--beam", "0"), "beam: found 0"),
        (("--columns", "sauce=1"), "Did you mean source"),
        (("--device", "gpu"), "'gpu' cannot be computed on"),
        (("--prefix", "-"), "cannot both come from standard input"),
        (("--max-length", "x"), "--max-length"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    seq2see, bundle: Path, options: tuple[str, ...], said: str
) -> None:
    ran = seq2see("translate", bundle, *options, stdin=b"abc\n")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_alignments_need_attention(seq2see, recurrent: Path) -> None:
    ran = seq2see("translate", recurrent, "--alignments", stdin=b"abc\n")
    assert ran.code == 2
    assert "no attention" in ran.err


def test_strict_names_the_line_that_is_too_long(seq2see, bundle: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("ab\n" + "abcd" * 10 + "\n")
    ran = seq2see("translate", bundle, source, "--strict")
    assert ran.code == 2
    assert ran.err.startswith(f"error: {source}:2: a source of 41 tokens")
    assert seq2see("translate", bundle, source).code == 0


def test_outputs_begin_with_their_prefixes(seq2see, bundle: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix.txt"
    prefix.write_text("cb\n\n\n")
    ran = seq2see("translate", bundle, "--prefix", prefix, stdin=b"abc\nabc\n\n")
    assert lines(ran.out)[0].startswith("cb")
    assert lines(ran.out)[2] == ""


@pytest.mark.parametrize(("text", "place"), [("c\n", "<stdin>:2"), ("c\n\n\n", "prefix.txt:3")])
def test_prefixes_are_as_many_as_sources(
    seq2see, bundle: Path, tmp_path: Path, text: str, place: str
) -> None:
    (tmp_path / "prefix.txt").write_text(text)
    ran = seq2see("translate", bundle, "--prefix", tmp_path / "prefix.txt", stdin=b"abc\nab\n")
    assert ran.code == 2
    assert f"{place}: " in ran.err


def test_columns_name_source_and_features(seq2see, bundle: Path) -> None:
    plain = seq2see("translate", bundle, stdin=b"abc\n")
    columns = ("--columns", "source=2")
    assert seq2see("translate", bundle, *columns, stdin=b"9\tabc\tx\n") == plain
    ran = seq2see("translate", bundle, "--columns", "source=1,features=2", stdin=b"abc\n")
    assert ran.code == 2
    assert "<stdin>:1: 1 column" in ran.err


def test_lines_with_a_tab_are_read_whole_and_said(seq2see, bundle: Path, tmp_path: Path) -> None:
    text = "abc\nab\tcd\n" * 12 + "abc\n"
    ran = seq2see("translate", bundle, "--max-length", "60", stdin=text.encode())
    assert len(lines(ran.out)) == 25
    note = "note: 12 lines hold a tab and were read whole; name the columns with --columns source=1"
    assert f"{note} (input lines 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, …)\n" in ran.err
    assert ran.err.count("hold a tab") == 1
    named = seq2see("translate", bundle, "--columns", "source=1", stdin=text.encode())
    assert "hold a tab" not in named.err
    records = tmp_path / "in.jsonl"  # --columns would change nothing here
    records.write_text('{"source": "ab\\tcd"}\n')
    assert "hold a tab" not in seq2see("translate", bundle, records).err


def test_outputs_that_the_length_limit_stopped_are_said(seq2see, bundle: Path) -> None:
    text = b"\n" + b"abcd\n" * 11
    ran = seq2see("translate", bundle, "--beam", "1", "--max-length", "1", stdin=text)
    assert ran.code == 0
    assert ran.err.startswith("note: 11 outputs reached the length limit without an end mark")
    assert "(input lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …)\n" in ran.err
    assert seq2see("translate", bundle, stdin=b"\n\n").err == ""


def test_each_output_of_nbest_counts_and_its_line_is_named_once(seq2see, bundle: Path) -> None:
    ran = seq2see("translate", bundle, "--nbest", "2", "--max-length", "1", stdin=b"abcd\n")
    cut = sum(" |||  ||| " not in line for line in lines(ran.out))
    assert cut and ran.err.startswith(f"note: {cut} outputs reached the length limit")
    assert "(input lines 1)\n" in ran.err


def test_a_model_with_features_says_which_columns_to_name(
    seq2see, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seq2see.bundle.folder.check_sums", lambda *_: None)
    recipe = copied / "recipe.toml"
    text = recipe.read_text().replace("source=1,target=2", "source=1,target=2,features=3")
    recipe.write_text(text)
    ran = seq2see("translate", copied, stdin=b"abc\n")
    assert ran.code == 0
    assert "--columns source=1,features=3" in ran.err


@pytest.mark.parametrize(
    ("content", "said"), [(b"ab\n\xff\xfe\n", "in.txt:2: invalid UTF-8"), (None, "no such file")]
)
def test_a_file_that_cannot_be_read_is_named(
    seq2see, bundle: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "in.txt").write_bytes(content)
    ran = seq2see("translate", bundle, tmp_path / "in.txt")
    assert ran.code == 2
    assert said in ran.err


@pytest.mark.parametrize(
    "name",
    ["recipe.toml", "source.json", "target.json", "model.safetensors", "SHA256SUMS", "scores.json",
     "card.md"],
)  # fmt: skip
def test_a_missing_file_of_a_bundle_is_named(seq2see, copied: Path, name: str) -> None:
    (copied / name).unlink()
    ran = seq2see("translate", copied, stdin=b"abc\n")
    assert ran.code == 2
    assert ran.err.startswith(f"error: {copied / name}: ")


@pytest.mark.parametrize("damage", ["truncated", "foreign", "tampered"])
@pytest.mark.parametrize("name", ["recipe.toml", "source.json", "target.json", "model.safetensors"])
def test_a_damaged_file_of_a_bundle_is_named(seq2see, copied: Path, name: str, damage: str) -> None:
    content = (copied / name).read_bytes()
    changed = bytes([*content[:-1], content[-1] ^ 1])
    damaged = {"truncated": content[: len(content) // 2], "foreign": b"PK\3\4", "tampered": changed}
    (copied / name).write_bytes(damaged[damage])
    ran = seq2see("translate", copied, stdin=b"abc\n")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {copied / name}: ")


@pytest.mark.parametrize("damage", ["truncated", "foreign"])
@pytest.mark.parametrize("name", ["scores.json", "SHA256SUMS"])
def test_a_damaged_record_of_a_bundle_is_an_error(
    seq2see, copied: Path, name: str, damage: str
) -> None:
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[: len(content) // 2] if damage == "truncated" else b"\xff")
    ran = seq2see("translate", copied, stdin=b"abc\n")
    assert ran.code == 2
    assert ran.err.startswith(f"error: {copied}")


def test_what_is_no_bundle_is_named(seq2see, pairs: Path, tmp_path: Path) -> None:
    for path, said in (
        (tmp_path / "no", "no such folder"),
        (pairs, "a file"),
        (tmp_path, "missing"),
    ):
        ran = seq2see("translate", path, stdin=b"abc\n")
        assert ran.code == 2
        assert str(path) in ran.err and said in ran.err


def test_a_bundle_works_wherever_it_stands(seq2see, bundle: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(bundle, tmp_path / "a, b"))
    assert seq2see("translate", moved, stdin=b"abc\n") == seq2see(
        "translate", bundle, stdin=b"abc\n"
    )


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_another_precision_writes_a_line_for_each_line_too(
    seq2see, bundle: Path, precision: str
) -> None:
    ran = seq2see("translate", bundle, "--precision", precision, stdin=ODD.encode())
    assert ran.code == 0
    assert [i for i, line in enumerate(lines(ran.out)) if not line] == [1, 5]


def test_an_unknown_precision_is_refused_by_those_there_are(seq2see, bundle: Path) -> None:
    ran = seq2see("translate", bundle, "--precision", "int4", stdin=b"abc\n")
    assert ran.code == 2
    assert "precision" in ran.err
    assert "float32, bfloat16, int8" in ran.err


def test_workers_write_what_one_writes(seq2see, bundle: Path) -> None:
    text = "".join(f"{'abcdxyz'[i % 3 : 3 + i % 5]}\n" for i in range(40)).encode()
    few = ("--batch-tokens", "60")
    one = seq2see("translate", bundle, *few, "--workers", "1", stdin=text)
    assert len(lines(one.out)) == 40
    assert seq2see("translate", bundle, *few, "--workers", "3", stdin=text) == one

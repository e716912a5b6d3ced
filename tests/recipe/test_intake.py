"""From files to pairs: nothing is left out silently, and no source is on both sides."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Thread

import pytest

from fixtures import copying, write_tsv
from seq2see.data.pairs import Columns, Pair, read_pairs
from seq2see.data.split import split_by_source
from seq2see.errors import DataError
from seq2see.recipe.intake import gather, strict_pairs, usable
from seq2see.recipe.sections import DataSettings

BOTH = Columns()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pairs.tsv"


def lines(path: Path, *rows: str, full: int = 0) -> str:
    more = [f"s{i}\tt{i}" for i in range(full)]
    path.write_text("".join(f"{row}\n" for row in (*rows, *more)), encoding="utf-8")
    return str(path)


def test_whole_pairs_are_all_kept_as_they_stand(path: Path) -> None:
    data = lines(path, 'a "b\tc ', " x\ty", "a\ta\tmore")
    pairs, notes = usable(data, BOTH)
    assert list(pairs) == [Pair('a "b', "c ", (), 1), Pair(" x", "y", (), 2), Pair("a", "a", (), 3)]
    assert notes == ()


def test_what_is_left_out_is_said_with_its_lines(path: Path) -> None:
    data = lines(path, "a\tb", "", "only source\t", "\tonly target", " \t ", "no tab", full=300)
    pairs, notes = usable(data, BOTH)
    assert len(pairs) == 301
    assert notes == (
        f"{data}: 1 lines lack a column and are left out (line 6)",
        f"{data}: 2 lines are empty and are left out (lines 2, 5)",
        f"{data}: 2 lines have text on one side only and are left out (lines 3, 4)",
    )


def test_kept_and_left_out_lines_add_up(path: Path) -> None:
    rows = [f"w{i}\tv{i}" if i % 3 else f"w{i}\t" for i in range(50)]
    pairs, notes = usable(lines(path, *rows), BOTH)
    assert len(pairs) == 33
    assert "17 lines have text on one side only" in notes[0]
    assert notes[0].endswith("(lines 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, …)")
    assert [pair.line for pair in pairs] == [i + 1 for i in range(50) if i % 3]


def test_few_lines_without_a_column_are_forgiven(path: Path) -> None:
    pairs, notes = usable(lines(path, "no tab", "none here", full=300), BOTH)
    assert len(pairs) == 300
    assert "2 lines lack a column" in notes[0]


def test_many_lines_without_a_column_are_an_error(path: Path) -> None:
    data = lines(path, "a\tb", "no tab", "none here", "none", full=200)
    with pytest.raises(DataError) as caught:
        usable(data, BOTH)
    assert caught.value.where == f"{data}:2"


def test_a_missing_column_is_an_error_from_the_first_line_on(path: Path) -> None:
    data = lines(path, full=50)
    with pytest.raises(DataError, match="at least 3") as caught:
        usable(data, Columns(1, 3))
    assert caught.value.where == f"{data}:1"


@pytest.mark.parametrize("rows", [[], ["a\tb"], ["", "a\t", "\tb"], ["a\tb", "c\t"]])
def test_too_few_pairs_are_refused(path: Path, rows: list[str]) -> None:
    data = lines(path, *rows)
    with pytest.raises(DataError, match="usable pair") as caught:
        gather(DataSettings(train=data), 1)
    assert caught.value.where == data
    assert f"seq2see check {data}" in caught.value.mend


def test_a_part_is_held_out_by_source(path: Path) -> None:
    pairs = [Pair(p.source, p.target + ending) for p in copying(400) for ending in ("x", "y")]
    data = str(write_tsv(path, pairs))
    corpus = gather(DataSettings(train=data), 1)
    assert len(corpus.train) + len(corpus.dev) == 800
    assert not {p.source for p in corpus.train} & {p.source for p in corpus.dev}
    assert len(corpus.dev) == 50
    assert corpus.notes == ("50 of 800 pairs are held out, chosen by source (seed 1)",)
    assert {p.line for p in corpus.train} | {p.line for p in corpus.dev} == set(range(1, 801))


def test_what_is_held_out_is_what_a_split_of_the_list_gives(path: Path) -> None:
    pairs = [Pair(p.source, p.target + ending) for p in copying(200) for ending in ("x", "y", "z")]
    data = str(write_tsv(path, pairs))
    every = list(read_pairs(data))
    for seed in (1, 2, 3):
        corpus = gather(DataSettings(train=data), seed)
        assert (list(corpus.train), corpus.dev) == split_by_source(every, 50, seed)
        assert len(corpus.train) + len(corpus.dev) == 600


@pytest.mark.parametrize("form", ["tsv", "jsonl", "parallel"])
def test_training_pairs_are_read_again_whenever_they_are_gone_through(
    tmp_path: Path, form: str
) -> None:
    pairs = [Pair(p.source, p.target, (), p.line) for p in copying(60)]
    if form == "tsv":
        data = str(write_tsv(tmp_path / "a.tsv", pairs))
    elif form == "jsonl":
        data = str(tmp_path / "a.jsonl")
        rows = [json.dumps({"source": p.source, "target": p.target}) + "\n" for p in pairs]
        Path(data).write_text("".join(rows), encoding="utf-8")
    else:
        data = f"{tmp_path}/a.en,{tmp_path}/a.de"
        for name, side in (("en", "source"), ("de", "target")):
            text = "".join(getattr(p, side) + "\n" for p in pairs)
            (tmp_path / f"a.{name}").write_text(text, encoding="utf-8")
    train = gather(DataSettings(train=data, held_out=10), 1).train
    assert not isinstance(train, list)
    assert [list(train), list(train)] == [list(train)] * 2
    assert len(list(train)) == len(train) == 50


def test_a_file_that_changes_meanwhile_is_said(path: Path) -> None:
    data = lines(path, full=40)
    train = gather(DataSettings(train=data, held_out=5), 1).train
    path.write_text(path.read_text(encoding="utf-8") + "new\tpair\n", encoding="utf-8")
    with pytest.raises(DataError, match="36 usable pairs, where 35 were read") as caught:
        list(train)
    assert caught.value.where == data


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_read_once_and_kept(path: Path) -> None:
    os.mkfifo(path)
    text = "".join(f"s{i}\tt{i}\n" for i in range(40)) + "\n"
    writer = Thread(target=path.write_text, args=(text,), daemon=True)
    writer.start()
    corpus = gather(DataSettings(train=str(path), held_out=5), 1)
    writer.join()
    assert len(list(corpus.train)) == len(list(corpus.train)) == 35
    assert len(corpus.dev) == 5
    assert "1 lines are empty" in corpus.notes[0]


def test_the_seed_decides_what_is_held_out(path: Path) -> None:
    data = DataSettings(train=str(write_tsv(path, copying(200))))
    assert list(gather(data, 1).train) == list(gather(data, 1).train)
    assert gather(data, 1).dev == gather(data, 1).dev
    assert gather(data, 1).dev != gather(data, 2).dev


@pytest.mark.parametrize(
    ("pairs", "held_out", "expected"),
    [(60, 0, 30), (200, 0, 50), (2000, 0, 100), (200, 7, 7), (200, 500, 100)],
)
def test_how_much_is_held_out(path: Path, pairs: int, held_out: int, expected: int) -> None:
    data = DataSettings(train=str(write_tsv(path, copying(pairs))), held_out=held_out)
    assert len(gather(data, 1).dev) == expected


def test_given_pairs_are_held_out_and_nothing_else(path: Path, tmp_path: Path) -> None:
    dev = tmp_path / "dev.tsv"
    data = DataSettings(
        train=str(write_tsv(path, copying(30))), dev=lines(dev, "a\tb", "c\t", "d\te")
    )
    corpus = gather(data, 1)
    assert len(corpus.train) == 30
    assert [pair.source for pair in corpus.dev] == ["a", "d"]
    assert corpus.notes == (f"{dev}: 1 lines have text on one side only and are left out (line 2)",)


@pytest.mark.parametrize("rows", [[], [""], ["a\t"]])
def test_held_out_pairs_without_a_usable_one_are_refused(
    path: Path, tmp_path: Path, rows: list[str]
) -> None:
    dev = lines(tmp_path / "dev.tsv", *rows)
    with pytest.raises(DataError, match="no usable pair") as caught:
        gather(DataSettings(train=str(write_tsv(path, copying(30))), dev=dev), 1)
    assert caught.value.where == dev


def test_one_source_cannot_be_split(path: Path) -> None:
    data = lines(path, *[f"same\tt{i}" for i in range(20)])
    with pytest.raises(DataError, match="held out") as caught:
        gather(DataSettings(train=data), 1)
    assert "--dev" in caught.value.mend


def test_features_are_read_where_the_columns_say(path: Path) -> None:
    write_tsv(path, [Pair(p.source, p.target, ("V", "PST")) for p in copying(30)])
    data = DataSettings(train=str(path), columns="source=1,target=2,features=3")
    assert {pair.features for pair in gather(data, 1).train} == {("V", "PST")}


def test_parallel_files_of_unequal_length_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_text("one\ntwo\nthree\n", encoding="utf-8")
    (tmp_path / "a.de").write_text("eins\nzwei\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"3 lines.*2"):
        gather(DataSettings(train=f"{tmp_path}/a.en,{tmp_path}/a.de"), 1)


def test_pairs_to_score_are_all_kept(path: Path) -> None:
    data = lines(path, "a\tb", "\tc", "d\t")
    assert [(p.source, p.target) for p in strict_pairs(data, BOTH)] == [
        ("a", "b"), ("", "c"), ("d", "")
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [[], ["a\tb", "no tab"]])
def test_pairs_to_score_are_not_forgiven(path: Path, rows: list[str]) -> None:
    with pytest.raises(DataError):
        strict_pairs(lines(path, *rows), BOTH)

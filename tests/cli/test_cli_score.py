"""`seq2see score` and `seq2see evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_scores_are_json_lines_in_order(seq2see, bundle: Path, tmp_path: Path) -> None:
    data = tmp_path / "given.tsv"
    data.write_text('ab\tba\n"c\t\n\td\n', encoding="utf-8")
    ran = seq2see("score", bundle, data)
    assert (ran.code, ran.err) == (0, "")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    keys = ["line", "source", "target", "score", "tokens", "token_scores"]
    assert [list(row) for row in rows] == [keys] * 3
    assert [(r["line"], r["source"], r["target"]) for r in rows] == [
        (1, "ab", "ba"), (2, '"c', ""), (3, "", "d"),
    ]  # fmt: skip
    assert rows[0]["tokens"] == ["b", "a", "</s>"]
    assert rows[0]["score"] == pytest.approx(sum(rows[0]["token_scores"]))


def test_scores_without_pairs_are_an_error(seq2see, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.tsv").write_text("")
    ran = seq2see("score", bundle, tmp_path / "empty.tsv")
    assert (ran.code, ran.out) == (2, "")
    assert "no pairs" in ran.err


@pytest.mark.parametrize("command", ["score", "evaluate"])
def test_a_line_without_target_is_named(
    seq2see, bundle: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "bad.tsv").write_text("ab\tba\ncd\n")
    ran = seq2see(command, bundle, tmp_path / "bad.tsv")
    assert ran.code == 2
    assert f"{tmp_path / 'bad.tsv'}:2: 1 column" in ran.err


@pytest.mark.parametrize("command", ["score", "evaluate"])
def test_targets_need_a_column(seq2see, bundle: Path, pairs: Path, command: str) -> None:
    ran = seq2see(command, bundle, pairs, "--columns", "source=1")
    assert ran.code == 2
    assert "no column holds the target" in ran.err


def test_evaluate_shows_value_interval_n_and_signature(seq2see, bundle: Path, pairs: Path) -> None:
    ran = seq2see("evaluate", bundle, pairs, "--beam", "1")
    assert ran.code == 0
    heads, first, *_ = ran.out.splitlines()
    assert heads.split() == ["metric", "value", "95", "%", "interval", "n", "signature"]
    assert first.split()[0] == "accuracy" and " to " in first and "unit:text|n:60" in first
    assert "source pieces never seen in training: 0.00%" in ran.out


def test_evaluate_shows_the_share_of_unseen_pieces(seq2see, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "new.tsv").write_text("ax\tb\nbxy\tc\n")
    ran = seq2see("evaluate", bundle, tmp_path / "new.tsv", "--json", "--beam", "1")
    # The model counts the end mark of each source among its pieces.
    assert 0.4 < json.loads(ran.out)["unknown_share"] <= 0.6


def test_all_targets_of_a_source_are_references(seq2see, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "several.tsv").write_text("ab\tba\nab\tbb\ncd\tdc\n")
    ran = seq2see("evaluate", bundle, tmp_path / "several.tsv", "--json", "--beam", "1")
    assert {score["sources"] for score in json.loads(ran.out)["scores"]} == {2}


def test_each_line_counts_once_where_asked_for(seq2see, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "running.tsv").write_text("ab\tba\nab\tbb\nab\tba\ncd\tdc\n")
    options = ("--metrics", "accuracy,chrf", "--json", "--beam", "1")
    ran = seq2see("evaluate", bundle, tmp_path / "running.tsv", "--each-line", *options)
    found = json.loads(ran.out)
    assert found["each_line"] is True
    assert [score["sources"] for score in found["scores"]] == [4, 4]
    assert found["scores"][0]["signature"].startswith("nrefs:1|unit:text|n:4|")
    assert found["scores"][1]["signature"].startswith("nrefs:1|")
    grouped = json.loads(seq2see("evaluate", bundle, tmp_path / "running.tsv", *options).out)
    assert grouped["each_line"] is False
    assert grouped["scores"][0]["signature"].startswith("nrefs:any|unit:text|n:2|")
    assert grouped["scores"][1]["signature"].startswith("nrefs:var|")


def test_pairs_without_text_are_counted(seq2see, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "running.tsv").write_text("ab\tba\n\t\n\ncd\tdc\n")
    options = ("--metrics", "accuracy", "--each-line", "--beam", "1")
    ran = seq2see("evaluate", bundle, tmp_path / "running.tsv", *options)
    assert "pairs without text on either side, not scored: 2\n" in ran.out
    found = json.loads(
        seq2see("evaluate", bundle, tmp_path / "running.tsv", *options, "--json").out
    )
    assert (found["blank"], found["scores"][0]["sources"]) == (2, 2)


def test_outputs_without_an_end_are_counted(seq2see, bundle: Path, pairs: Path) -> None:
    options = ("--beam", "1", "--max-length", "1")
    said = "outputs that reached the length limit without an end mark: "
    assert f"{said}60 of 60\n" in seq2see("evaluate", bundle, pairs, *options).out
    assert (
        json.loads(seq2see("evaluate", bundle, pairs, *options, "--json").out)["unfinished"] == 60
    )
    whole = ("--beam", "1", "--max-length", "200")
    assert json.loads(seq2see("evaluate", bundle, pairs, *whole, "--json").out)["unfinished"] < 60
    assert said not in seq2see("evaluate", bundle, pairs, *whole).out


def test_a_model_does_not_beat_itself(seq2see, bundle: Path, pairs: Path) -> None:
    options = ("--metrics", "cer, accuracy", "--against", bundle, "--beam", "1")
    found = json.loads(seq2see("evaluate", bundle, pairs, *options, "--json").out)
    assert [one["metric"] for one in found["comparisons"]] == ["cer", "accuracy"]
    assert not any(one["significant"] or one["difference"] for one in found["comparisons"])
    shown = seq2see("evaluate", bundle, pairs, *options).out.splitlines()
    assert shown[-2].startswith("cer") and "+0.00" in shown[-2] and shown[-2].split()[-1] == "no"


def test_an_unknown_metric_is_refused_before_anything_is_decoded(
    seq2see, bundle: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seq2see.api.model.Model.evaluate", lambda *_, **__: pytest.fail("decoded"))
    ran = seq2see("evaluate", bundle, pairs, "--metrics", "accuracy,blue")
    assert ran.code == 2
    assert "unknown metric 'blue'. Did you mean bleu?" in ran.err


def test_the_other_model_is_checked_too(seq2see, bundle: Path, pairs: Path) -> None:
    ran = seq2see("evaluate", bundle, pairs, "--against", "absent")
    assert ran.code == 2
    assert ran.err.startswith("error: absent: no such folder")

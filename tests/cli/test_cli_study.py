"""`seq2see study`: what it lists, prints before it trains, refuses, and leaves behind."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path

import pytest

from seq2see.errors import TrainingError
from seq2see.study import trial
from seq2see.study.catalogue import NAMES, find
from seq2see.study.measures import EXACT

OWN = """
from seq2see.report.charts import Axis, bars
from seq2see.report.view import Figure
from seq2see.study import rows
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match, score
from seq2see.study.plan import Factor, Study
from seq2see.study.verdict import judge


def claim(results):
    gain = results.difference(EXACT, {"attention": "none"}, {"attention": "dot"})
    return judge(f"Attention changes right outputs by {gain.value:+.1f} points.", gain)


def figures(results):
    value, name = Axis("value", EXACT, zero=True), Axis("name", "attention", type="nominal")
    drawn = bars(rows.by_condition(results, EXACT), name, value)
    return [Figure("mine-right", "Right outputs", "Bars: right outputs by attention.", drawn)]


STUDY = Study(
    name="mine",
    question="Does sorting need attention?",
    varied="attention",
    fixed="the task",
    hypothesis="Attention sorts better.",
    caution="One width.",
    factors=(Factor.setting("attention", "model.attention", ("none", "dot")),),
    material=Material("sort", train=40, dev=5, test=8, sizes={"length": (2, 4)}),
    measures=(exact_match, score("per")),
    claim=claim,
    figures=figures,
    settings=("model.kind=gru", "train.optimizer=adamw"),
)
"""
SIZES = ("model.d_embedding=8", "model.d_hidden=8", "train.precision=float32")
QUICK = (*SIZES, "train.steps=3", "train.validations=1")
TRANSFORMER = (
    "model.d_model=16", "model.d_ff=16", "model.encoder_layers=1", "model.decoder_layers=1",
    "train.steps=3", "train.validations=1", "train.precision=float32", "decode.beam=1",
)  # fmt: skip


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A study of one's own."""
    file = tmp_path / "mine.py"
    file.write_text(OWN, encoding="utf-8")
    return file


@pytest.fixture
def untrainable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be trained."""

    def refuse(*_: object) -> None:
        raise TrainingError("nothing is trained here")

    monkeypatch.setattr(trial, "trained", refuse)


@pytest.mark.parametrize("arguments", [("--list",), (), ("norm", "--list")])
def test_all_studies_are_listed_in_order_with_their_questions(
    seq2see, arguments: tuple[str, ...]
) -> None:
    ran = seq2see("study", *arguments)
    assert (ran.code, ran.err) == (0, "")
    listed = [f"{i:>2}. {name}: {find(name).question}" for i, name in enumerate(NAMES, 1)]
    assert ran.out.splitlines() == listed
    assert len(listed) == 16


def test_the_hypothesis_stands_on_the_screen_before_anything_is_trained(
    seq2see, tmp_path: Path, untrainable: None
) -> None:
    ran = seq2see("study", "norm", "--seeds", "2", "--jobs", "1", "--out", tmp_path / "out")
    assert ran.code == 2
    assert "nothing is trained here" in ran.err
    norm = find("norm")
    assert ran.out.splitlines() == [
        f"question: {norm.question}",
        f"hypothesis: {norm.hypothesis}",
        f"12 conditions x 2 seeds, into {tmp_path / 'out'}",
    ]


def test_a_study_of_one_s_own_ends_in_its_files_and_is_not_run_twice(
    seq2see, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "my results"
    typed = ("study", mine, *QUICK)
    typed = (*typed, "--seeds", "1", "--jobs", "1", "--out", out)
    ran = seq2see(*typed)
    assert (ran.code, ran.err) == (0, "")
    study = find(str(mine))
    record = json.loads((out / "study.json").read_text(encoding="utf-8"))
    assert shlex.split(record["command"]) == ["seq2see", *map(str, typed)]
    assert record["study"] == "mine"
    assert [each["labels"] for each in record["outcomes"]] == [
        {"attention": "none"},
        {"attention": "dot"},
    ]
    assert all(each["readings"] and each["seed"] == 1 for each in record["outcomes"])

    page = (out / "mine.html").read_text(encoding="utf-8")
    assert study.question in page and study.caution in page
    assert study.question in (out / "mine.md").read_text(encoding="utf-8")
    pictures = sorted(each.name for each in out.glob("*.png"))
    assert pictures == ["mine-right.png"]
    assert (out / pictures[0]).read_bytes()[:4] == b"\x89PNG"

    lines = ran.out.splitlines()
    verdict = record["verdict"]
    assert any(
        line.startswith(verdict["answer"]) and line.endswith(f": {verdict['sentence']}")
        for line in lines
    )
    assert f"caution: {study.caution}" in lines
    assert lines[-3:] == [str(out / name) for name in ("mine.html", "mine.md", "study.json")]

    monkeypatch.setattr(trial, "trained", lambda *_: pytest.fail("a model is trained again"))
    again = seq2see(*typed)
    assert again.code == 0
    assert json.loads((out / "study.json").read_text(encoding="utf-8")) == record


def test_minutes_set_how_long_a_model_trains(seq2see, mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    typed = ("study", mine, *SIZES, "train.steps=3", "--minutes", "0.01")
    ran = seq2see(*typed, "--seeds", "1", "--jobs", "1", "--out", out)
    assert (ran.code, ran.err) == (0, "")
    model = out / "attention_none-seed1"
    recipe = tomllib.loads((model / "recipe.toml").read_text(encoding="utf-8"))
    assert recipe["train"]["minutes"] == 0.01
    scores = json.loads((model / "scores.json").read_text(encoding="utf-8"))
    assert scores["training"]["steps"] > 3
    assert scores["training"]["seconds"] >= 0.6


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("heads", ("--data", "p.tsv"), "--data: own data need held-out pairs. Give --dev too"),
        ("heads", ("--dev", "p.tsv"), "--dev: held-out pairs of no data. Give --data too"),
        (
            "norm",
            ("--data", "p.tsv", "--dev", "p.tsv"),
            "--data: this study has its own task. Leave --data and --dev out",
        ),
        ("norm", ("--data", "p.tsv"), "this study has its own task. Leave --data and --dev out"),
        ("norm", ("--dev", "p.tsv"), "--dev: this study has its own task. Leave"),
        ("norm", ("--seeds", "-1"), "--seeds: found -1; expected 1 or more"),
        ("norm", ("--jobs", "-2"), "--jobs: found -2; expected 1 or more"),
        ("nrom", (), "no study of that name"),
        ("heads", ("--device", "gpu"), "device: 'gpu'"),
    ],
)
def test_what_makes_no_sense_is_one_message(
    seq2see, tmp_path: Path, name: str, options: tuple[str, ...], said: str
) -> None:
    ran = seq2see("study", name, *options, "--out", tmp_path / "out")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ") and said in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wrong", ["train.rate=fast", "train.stepz=3", "--minutes=-1"])
def test_a_setting_that_was_refused_does_not_stand_in_the_way_of_the_right_one(
    seq2see, mine: Path, tmp_path: Path, wrong: str
) -> None:
    typed = ("study", mine, *QUICK, "--seeds", "1", "--jobs", "1")
    typed = (*typed, "--out", tmp_path / "out")
    assert seq2see(*typed, wrong).code == 2
    assert seq2see(*typed).code == 0


def test_own_pairs_take_the_place_of_the_task(seq2see, pairs: Path, tmp_path: Path) -> None:
    out, dev = tmp_path / "out", tmp_path / "dev.tsv"
    dev.write_text("".join(pairs.read_text().splitlines(keepends=True)[:10]), encoding="utf-8")
    typed = ("study", "heads", *TRANSFORMER, "--data", pairs, "--dev", dev)
    ran = seq2see(*typed, "--seeds", "1", "--jobs", "1", "--out", out)
    assert (ran.code, ran.err) == (0, "")
    page = (out / "heads.md").read_text(encoding="utf-8")
    assert str(pairs) in page and "drawn by the task" not in page
    record = json.loads((out / "study.json").read_text(encoding="utf-8"))
    assert [each["labels"]["heads"] for each in record["outcomes"]] == ["1", "2", "4", "8"]
    for each in record["outcomes"]:
        # 10 held-out pairs are parted as 200 and 300 would be: 4 choose, 6 are measured.
        [right] = [r["value"] for r in each["readings"] if r["measure"] == EXACT]
        assert right * 6 / 100 == pytest.approx(round(right * 6 / 100))
    trained = tomllib.loads((out / "heads_1-seed1" / "recipe.toml").read_text(encoding="utf-8"))
    assert trained["data"]["source"] == "characters"


def test_one_held_out_pair_cannot_be_parted(seq2see, pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "dev.tsv").write_text("ab\tba\n", encoding="utf-8")
    typed = ("study", "heads", *TRANSFORMER, "--data", pairs, "--dev", tmp_path / "dev.tsv")
    ran = seq2see(*typed, "--jobs", "1", "--out", tmp_path / "out")
    assert ran.code == 2
    assert "dev.tsv: too few held-out pairs; expected at least two" in ran.err

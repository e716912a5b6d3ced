"""`seq2see train`: what it prints, refuses, and how it goes on."""

from __future__ import annotations

import errno
import tomllib
from pathlib import Path

import pytest
from cli_samples import SMALL

QUICK = (*SMALL, "train.steps=4")


def test_training_says_what_it_did_and_how_to_go_on(seq2see, pairs: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.tsv"
    data.write_text(pairs.read_text() + "ab\t\n")
    ran = seq2see("train", data, *QUICK, "--out", tmp_path / "m")
    assert (ran.code, ran.err) == (0, "")
    assert "1 lines have text on one side only and are left out (line 61)" in ran.out
    assert "held out, chosen by source" in ran.out
    assert "chosen: data.source=characters" in ran.out
    assert "step 4  accuracy" in ran.out and "words/s" in ran.out
    assert "accuracy" in ran.out and "unit:text|n:30" in ran.out
    assert ran.out.endswith(f"use it: seq2see translate {tmp_path / 'm'} FILE\n")
    assert seq2see("translate", tmp_path / "m", stdin=b"abc\n").code == 0


def test_dev_minutes_seed_and_device_reach_the_recipe(seq2see, pairs: Path, tmp_path: Path) -> None:
    options = ("--dev", pairs, "--minutes", "2", "--seed", "7", "--columns", "source=2,target=1")
    ran = seq2see("train", pairs, *options, "--explain")
    recipe = tomllib.loads(ran.out)
    assert (recipe["seed"], recipe["train"]["minutes"]) == (7, 2.0)
    assert (recipe["data"]["dev"], recipe["data"]["columns"]) == (str(pairs), "source=2,target=1")


def test_explain_prints_a_recipe_with_reasons_and_does_not_train(
    seq2see, pairs: Path, tmp_path: Path
) -> None:
    ran = seq2see(
        "train", pairs, "model.kind=bilstm+additive", "--out", tmp_path / "m", "--explain"
    )
    assert (ran.code, ran.err) == (0, "")
    assert not (tmp_path / "m").exists()
    assert 'source = "characters"  # chosen: ' in ran.out
    assert ran.out.startswith("# 30 of 60 pairs are held out")
    assert tomllib.loads(ran.out)["model"]["attention"] == "additive"
    recipe = tmp_path / "again.toml"
    recipe.write_text(ran.out)
    again = seq2see("train", recipe, "--explain")
    assert tomllib.loads(again.out) == tomllib.loads(ran.out)


def test_a_recipe_trains_with_settings_beside_it(seq2see, pairs: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(f"[data]\ntrain = '{pairs}'\n[train]\nsteps = 99\n")
    ran = seq2see("train", recipe, *QUICK, "--out", tmp_path / "m")
    assert ran.code == 0
    assert "in 4 steps" in ran.out


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("train.stepz=3",), "train.stepz: unknown setting. Did you mean steps"),
        (("modle.kind=gru",), "Did you mean model"),
        (("model.kind=transformer", "model.hads=2"), "Did you mean heads"),
        (("model=gru",), "Write model.NAME=VALUE, as model.kind=gru"),
        (("data=3",), "Write data.NAME=VALUE"),
        (("model=gru", "model.d_hidden=8"), "model is a value, not a table"),
        (("train.steps",), "expected key=value"),
        (("train.steps=many",), "train.steps: found 'many'"),
        (("preset=tinny",), "Did you mean tiny"),
        (("model.kind=gpt",), "[bi]rnn|gru|lstm"),
        (("seed=x",), "seed: found 'x'"),
        (("seed=true",), "seed: found True"),
        (("--minutes", "nan"), "train.minutes: found nan"),
        (("--minutes", "-1"), "train.minutes: found -1.0"),
        (("--device", "gpu"), "device: 'gpu'"),
        (("--columns", "source=1"), "no column holds the target"),
        (("--resume",), "no run to resume"),
    ],
)
def test_a_wrong_setting_is_one_message(
    seq2see, pairs: Path, tmp_path: Path, settings: tuple[str, ...], said: str
) -> None:
    ran = seq2see("train", pairs, *settings, "--out", tmp_path / "m")
    assert ran.code == 2
    assert ran.err.startswith("error: ") and said in ran.err
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 usable pairs"),
        (b"a\tb\n", "1 usable pair;"),
        (b"a b\nc d\ne f\n", "bad.tsv:1: 1 column"),
        (b"a\tb\n\xe9\tx\n", "bad.tsv:2: invalid UTF-8"),
        (b"a\tb\na\tc\na\td\n", "no pairs can be held out"),
    ],
)
def test_bad_data_is_one_message(seq2see, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "bad.tsv").write_bytes(content)
    ran = seq2see("train", tmp_path / "bad.tsv", *QUICK, "--out", tmp_path / "m")
    assert ran.code == 2
    assert ran.err.startswith("error: ") and said in ran.err


def test_unequal_files_are_one_message(seq2see, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\n2\n3\n")
    (tmp_path / "b").write_text("1\n2\n")
    ran = seq2see("train", f"{tmp_path / 'a'},{tmp_path / 'b'}", "--out", tmp_path / "m")
    assert ran.code == 2
    assert "has 3 lines" in ran.err


@pytest.mark.parametrize(("name", "said"), [("absent.tsv", "no such file"), ("", "a directory")])
def test_what_is_no_file_is_named(seq2see, tmp_path: Path, name: str, said: str) -> None:
    ran = seq2see("train", tmp_path / name, "--out", tmp_path / "m")
    assert ran.code == 2
    assert said in ran.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("[data", "no TOML"),
        ("", "no training data are named. Write data.train=FILE"),
        ("[train]\nsteps = 3\n", "no training data are named. Write data.train=FILE"),
    ],
)
def test_a_wrong_recipe_is_named(seq2see, tmp_path: Path, content: str | None, said: str) -> None:
    recipe = tmp_path / "r.toml"
    if content is not None:
        recipe.write_text(content)
    ran = seq2see("train", recipe)
    assert ran.code == 2
    assert str(recipe) in ran.err and said in ran.err


def test_a_trained_model_is_not_replaced(seq2see, pairs: Path, copied: Path) -> None:
    before = (copied / "model.safetensors").read_bytes()
    ran = seq2see("train", pairs, *QUICK, "--out", copied)
    assert ran.code == 2
    assert "--resume" in ran.err and "--out" in ran.err
    assert (copied / "model.safetensors").read_bytes() == before


def test_a_folder_with_something_else_is_refused(seq2see, pairs: Path) -> None:
    ran = seq2see("train", pairs, *QUICK, "--out", pairs.parent)
    assert ran.code == 2
    assert "is no model of seq2see" in ran.err


@pytest.mark.parametrize(
    "place", ["seq2see.bundle.folder.save_file", "seq2see.data.store._Column.append"]
)
def test_a_full_disk_is_one_message(
    seq2see, pairs: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(place, full)
    ran = seq2see("train", pairs, *QUICK, "--out", tmp_path / "m")
    assert ran.code == 2
    assert ran.err.startswith("error: ") and "No space left on device" in ran.err


def test_a_full_disk_under_the_checkpoint_keeps_the_run(
    seq2see, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr("seq2see.train.checkpoint.save_file", full)
        ran = seq2see("train", pairs, *QUICK, "--out", tmp_path / "m")
    assert ran.code == 2
    assert "continue with --resume" in ran.err
    assert seq2see("train", pairs, "--out", tmp_path / "m", "--resume").code == 0


def test_an_interrupted_run_says_how_to_go_on_and_does(
    seq2see, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr("seq2see.train.loop.Trainer._validate", interrupt)
        ran = seq2see("train", pairs, *QUICK, "--out", tmp_path / "m")
    assert ran.code == 130
    assert f"go on with: seq2see train {pairs} {SMALL[0]}" in ran.err
    again = ran.err.strip().rpartition("seq2see ")[2].split()
    assert again[-1] == "--resume"
    assert seq2see(*again).code == 0


def test_an_interruption_before_the_run_leaves_nothing_to_resume(
    seq2see, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seq2see.recipe.run.gather", interrupt)
    ran = seq2see("train", pairs, "--out", tmp_path / "m")
    assert ran.code == 130
    assert "before the run began" in ran.err


def test_a_finished_run_is_scored_again(seq2see, pairs: Path, copied: Path) -> None:
    ran = seq2see("train", pairs, *SMALL, "--out", copied, "--resume")
    assert ran.code == 0
    assert "in 30 steps" in ran.out


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("train.steps=31",), "train.steps: found 31, but the run in"),
        (("--minutes", "3"), "train.minutes: found 3.0"),
        (("--seed", "2"), "seed: found 2"),
        (("--dev", "x.tsv"), "data.dev: found 'x.tsv'"),
        (("model.kind=gru",), "model.kind: found 'gru'"),
        (("train.stepz=31",), "train.stepz: unknown setting"),
    ],
)
def test_a_resumed_run_keeps_its_settings(
    seq2see, pairs: Path, bundle: Path, settings: tuple[str, ...], said: str
) -> None:
    ran = seq2see("train", pairs, *settings, "--out", bundle, "--resume")
    assert ran.code == 2
    assert said in ran.err


def test_a_run_is_not_resumed_on_other_data(seq2see, bundle: Path, tmp_path: Path) -> None:
    ran = seq2see("train", tmp_path / "other.tsv", "--out", bundle, "--resume")
    assert ran.code == 2
    assert "data.train" in ran.err


@pytest.mark.parametrize(
    "name",
    ["source.json", "dev.jsonl", "recipe.toml", "state/state.safetensors", "state/state.json"],
)
def test_a_damaged_run_is_one_message(seq2see, pairs: Path, copied: Path, name: str) -> None:
    path = copied / "training" / name
    path.write_bytes(path.read_bytes()[:20])
    ran = seq2see("train", pairs, "--out", copied, "--resume")
    assert ran.code == 2
    assert ran.err.startswith("error: ") and (path.name in ran.err or str(path.parent) in ran.err)


def test_explain_shows_the_recipe_of_a_run(seq2see, pairs: Path, bundle: Path) -> None:
    ran = seq2see("train", pairs, "--out", bundle, "--resume", "--explain")
    assert tomllib.loads(ran.out)["train"]["steps"] == 30


def test_tensorboard_says_how_to_install_it(
    seq2see, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise ImportError

    monkeypatch.setattr("seq2see.train.journal.TensorBoard.__init__", missing)
    ran = seq2see("train", pairs, *QUICK, "--out", tmp_path / "m", "--tensorboard")
    assert ran.code == 2
    assert "pip install seq2see[tensorboard]" in ran.err

"""`train`: one call from a file of pairs to a model; nothing said is ignored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures import TINY, Notebook, easy, write_tsv
from seq2see.api.model import load
from seq2see.api.training import default_out, train, write_draft
from seq2see.errors import ConfigError, Seq2seeError
from seq2see.files import READY

SHORT = (*TINY, "train.steps=6", "train.validations=1")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_tsv(tmp_path / "pairs.tsv", easy())


def test_one_call_trains_and_saves(data: Path, tmp_path: Path) -> None:
    notes = Notebook()
    model = train(data, *SHORT, out=tmp_path / "model", observers=[notes])
    assert model.recipe.train.steps == 6
    assert [record.step for record in notes.validations] == [6]
    assert load(tmp_path / "model").translate(["ab", "cd"]) == model.translate(["ab", "cd"])


def test_without_a_place_it_goes_to_runs(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    train("pairs.tsv", *SHORT)
    assert (tmp_path / "runs" / "pairs" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("data", "name"),
    [("data/g2p.train.tsv", "g2p"), ("a/train.en,a/train.de", "train"), ("x.jsonl.gz", "x")],
)
def test_runs_are_named_after_their_data(data: str, name: str) -> None:
    assert default_out({"data": {"train": data}}) == Path("runs") / name


def test_held_out_pairs_can_be_given(data: Path, tmp_path: Path) -> None:
    dev = write_tsv(tmp_path / "dev.tsv", easy()[:10])
    model = train(data, *SHORT, dev=dev, out=tmp_path / "model")
    assert model.scores["dev"][0]["sources"] == 10
    assert model.scores["training"]["pairs"] == 155


def test_a_recipe_file_is_trained(data: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        f'seed = 5\n[data]\ntrain = "{data}"\n[model]\nkind = "bigru"\nd_hidden = 8\n'
        'd_embedding = 8\n[train]\nsteps = 3\nvalidations = 1\nprecision = "float32"\n',
        encoding="utf-8",
    )
    model = train(recipe, "train.steps=2", out=tmp_path / "model")
    assert (model.recipe.seed, model.recipe.train.steps) == (5, 2)
    assert model.recipe.model.kind == "gru"


def test_a_finished_run_is_resumed_to_the_same_model(data: Path, tmp_path: Path) -> None:
    first = train(data, *SHORT, out=tmp_path / "model")
    again = train(data, *SHORT, out=tmp_path / "model", resume=True)
    assert again.recipe == first.recipe
    assert again.translate(["abc"]) == first.translate(["abc"])


def test_there_has_to_be_a_run_to_resume(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no run to resume"):
        train(data, *SHORT, out=tmp_path / "model", resume=True)


def test_a_whole_model_whose_files_have_not_moved_is_not_replaced(
    data: Path, tmp_path: Path
) -> None:
    # As a first save leaves it that was killed before the first of its moves.
    train(data, *SHORT, out=tmp_path / "whole").save(tmp_path / "model" / READY)
    with pytest.raises(ConfigError, match="holds a trained model"):
        train(data, *SHORT, out=tmp_path / "model")
    assert load(tmp_path / "model").recipe.train.steps == 6


def test_other_settings_for_a_resumed_run_are_not_ignored(data: Path, tmp_path: Path) -> None:
    train(data, *SHORT, out=tmp_path / "model")
    try:
        model = train(data, *SHORT, "train.rate=0.001", out=tmp_path / "model", resume=True)
    except Seq2seeError:
        return
    assert model.recipe.train.rate == 0.001


def test_an_unknown_keyword_is_refused(data: Path, tmp_path: Path) -> None:
    odd: Any = {"mintes": 3}
    with pytest.raises((TypeError, ConfigError)):
        train(data, *SHORT, out=tmp_path / "model", **odd)


@pytest.mark.parametrize(
    ("said", "where", "value"),
    [
        ({"dev": "d.tsv"}, ("data", "dev"), "d.tsv"),
        ({"columns": "source=2,target=1"}, ("data", "columns"), "source=2,target=1"),
        ({"minutes": 3.0}, ("train", "minutes"), 3.0),
    ],
)
def test_what_is_said_beside_the_data_stands_in_the_draft(
    said: dict[str, Any], where: tuple[str, str], value: object
) -> None:
    tree = write_draft("x.tsv", ["train.steps=3"], **said)
    assert tree[where[0]][where[1]] == value
    assert tree["data"]["train"] == "x.tsv"
    assert tree["train"]["steps"] == 3


def test_a_written_seed_is_kept_unless_another_is_said() -> None:
    assert write_draft("x.tsv", ["seed=7"])["seed"] == 7
    assert write_draft("x.tsv", [], seed=3)["seed"] == 3
    assert "seed" not in write_draft("x.tsv")


def test_the_draft_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ConfigError, match="Did you mean train"):
        train("absent.tsv", "trian.steps=3")
    with pytest.raises(ConfigError, match="cannot be read"):
        train("absent.toml")


SESSION = """
import seq2see as s2s
{first}
from seq2see import errors
assert all(callable(getattr(s2s, name)) for name in ("train", "load", "Model")), s2s.train
assert s2s.errors is errors and s2s.__version__
from seq2see.train import loop
import seq2see.train.loop
assert callable(s2s.train)
"""


@pytest.mark.parametrize("first", ["s2s.load", "s2s.train; s2s.train"])
def test_the_names_handed_out_are_functions_in_any_order(first: str) -> None:
    code = SESSION.format(first=first)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_face_does_not_import_torch() -> None:
    code = "import sys, seq2see; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_opening_a_model_waits_for_no_library_that_scores_or_draws() -> None:
    others = "{'scipy', 'sacrebleu', 'altair', 'pandas', 'rich'}"
    code = f"import sys, seq2see.api.model; sys.exit(bool({others} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)

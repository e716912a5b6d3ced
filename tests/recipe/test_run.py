"""One run: resolved without writing, set up, carried out, taken up; foreign folders are refused."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
import torch

from fixtures import TINY, Notebook, easy, journal_rows, write_tsv
from seq2see.bundle.folder import load
from seq2see.config import Tree
from seq2see.errors import ConfigError, DataError, Seq2seeError
from seq2see.files import FRESH
from seq2see.recipe.draft import draft
from seq2see.recipe.folder import TrainingFolder
from seq2see.recipe.run import carry_out, examine_by, plan, set_up, take_up
from seq2see.recipe.sections import Recipe


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return write_tsv(tmp_path / "data" / "pairs.tsv", easy())


def tree(data: Path, *assignments: str) -> Tree:
    usual = (*TINY, "train.steps=12", "train.validations=2", "data.copies=2")
    return draft(None, [f"data.train={data}", *usual, *assignments])


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_explaining_writes_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = everything(tmp_path)
    recipe, reasons, notes = plan(tree(data))
    assert everything(tmp_path) == before
    assert recipe.train.steps == 12
    assert {"data.source", "data.joint"} <= {setting for setting, _, _ in reasons}
    assert "held out" in notes[0]


def test_explaining_and_running_choose_the_same(data: Path, tmp_path: Path) -> None:
    recipe, reasons, notes = plan(tree(data))
    run = set_up(tree(data), tmp_path / "model")
    assert (run.recipe, run.reasons, run.notes) == (recipe, reasons, notes)


def test_a_run_ends_in_a_bundle_with_scores_and_card(data: Path, tmp_path: Path) -> None:
    notes = Notebook()
    out = tmp_path / "deep" / "model"
    bundle = carry_out(set_up(tree(data), out), [notes])
    assert [record.step for record in notes.validations] == [6, 12]
    opened = load(out)
    assert (opened.recipe, opened.scores, opened.card) == (
        bundle.recipe, bundle.scores, bundle.card
    )  # fmt: skip
    assert Recipe.from_tree(opened.recipe).train.steps == 12
    facts = opened.scores["training"]
    assert (facts["steps"], facts["seed"], facts["pairs"]) == (12, 1, 105)
    assert facts["longest_source"] == 4
    assert [score["metric"] for score in opened.scores["dev"]] == ["accuracy", "cer"]
    for said in ("12 steps", "50 held-out pairs", "| accuracy |", "pairs.tsv", "seed 1"):
        assert said in opened.card
    kinds = [row["kind"] for row in journal_rows(out / "training" / "metrics.jsonl")]
    assert kinds == ["train", "validation", "train", "validation"]


def test_the_recipe_written_is_toml_and_trains_the_same_model(data: Path, tmp_path: Path) -> None:
    carry_out(set_up(tree(data), tmp_path / "first"))
    written = tmp_path / "first" / "recipe.toml"
    assert tomllib.loads(written.read_text(encoding="utf-8"))["data"]["train"] == str(data)
    run = set_up(draft(written, []), tmp_path / "second")
    assert run.reasons == ()
    carry_out(run)
    for name in ("model.safetensors", "recipe.toml", "source.json"):
        ours, theirs = ((tmp_path / each / name).read_bytes() for each in ("first", "second"))
        assert ours == theirs, name


def test_another_seed_trains_another_model(data: Path, tmp_path: Path) -> None:
    models = [carry_out(set_up(tree(data, f"seed={n}"), tmp_path / str(n))) for n in (1, 2)]
    assert not torch.equal(models[0].network.output.weight, models[1].network.output.weight)


def test_a_folder_of_something_else_is_refused_and_left_alone(data: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter.tex").write_text("mine", encoding="utf-8")
    for out in (foreign, foreign / "chapter.tex"):
        with pytest.raises(ConfigError, match="no model") as caught:
            set_up(tree(data), out)
        assert caught.value.where == str(out)
        assert "--out" in caught.value.mend
    assert everything(foreign) == {"chapter.tex": b"mine"}


def test_an_empty_folder_and_an_earlier_model_are_taken(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    out.mkdir()
    carry_out(set_up(tree(data), out))
    carry_out(set_up(tree(data, "train.steps=4"), out))
    assert load(out).scores["training"]["steps"] == 4


def test_a_folder_of_a_first_save_that_was_interrupted_is_taken(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    (out / FRESH).mkdir(parents=True)
    (out / FRESH / "recipe.toml").write_text("seed =", encoding="utf-8")
    carry_out(set_up(tree(data), out))
    assert load(out).scores["training"]["steps"] == 12
    assert not (out / FRESH).exists()


def test_work_of_another_in_a_folder_of_that_name_is_refused(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    (out / FRESH).mkdir(parents=True)
    (out / FRESH / "chapter.tex").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="no model"):
        set_up(tree(data), out)
    assert everything(out) == {f"{FRESH}/chapter.tex": b"mine"}


def test_a_folder_that_cannot_be_made_is_refused(data: Path) -> None:
    with pytest.raises(Seq2seeError):
        set_up(tree(data), data / "model")


@pytest.mark.parametrize("assignment", ["data.columns=source=1,target=4", "data.dev=absent.tsv"])
def test_bad_data_leave_an_earlier_model_alone(data: Path, tmp_path: Path, assignment: str) -> None:
    out = tmp_path / "model"
    carry_out(set_up(tree(data), out))
    before = everything(out)
    with pytest.raises(DataError):
        set_up(tree(data, assignment), out)
    assert everything(out) == before


def test_a_finished_run_taken_up_gives_the_same_model(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    carry_out(set_up(tree(data), out))
    before = everything(out)
    notes = Notebook()
    carry_out(take_up(out), [notes], resume=True)
    assert notes.windows == []
    after = everything(out)
    assert {name for name in before if before[name] != after[name]} <= {"scores.json", "card.md"}


def test_a_run_that_died_before_its_first_checkpoint_begins_anew(
    data: Path, tmp_path: Path
) -> None:
    whole = carry_out(set_up(tree(data), tmp_path / "whole"))
    set_up(tree(data), tmp_path / "died")
    journal = TrainingFolder(tmp_path / "died").journal
    journal.write_text('{"kind": "train", "step": 50}\n', encoding="utf-8")
    again = carry_out(take_up(tmp_path / "died"), resume=True)
    assert torch.equal(whole.network.output.weight, again.network.output.weight)
    expected = journal_rows(TrainingFolder(tmp_path / "whole").journal)
    assert journal_rows(journal) == expected


def test_the_data_are_not_read_again_to_resume(data: Path, tmp_path: Path) -> None:
    whole = carry_out(set_up(tree(data), tmp_path / "whole"))
    set_up(tree(data), tmp_path / "model")
    shutil.rmtree(data.parent)
    again = carry_out(take_up(tmp_path / "model"), resume=True)
    assert torch.equal(whole.network.output.weight, again.network.output.weight)


def test_there_is_nothing_to_resume(tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ConfigError, match="no run to resume") as caught:
            take_up(out)
        assert caught.value.where == str(out)


def test_metrics_suit_the_pairs_unless_named() -> None:
    assert examine_by(easy()).metrics == ("accuracy", "cer")
    assert examine_by(easy(), ["chrf"]).metrics == ("chrf",)

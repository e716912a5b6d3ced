"""Going on from a saved model: same weights, same tokenizers, and no other network in silence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from fixtures import TINY, easy, train_tiny, write_tsv
from seq2see.bundle.folder import Bundle, load
from seq2see.bundle.weights import weights
from seq2see.config import Tree
from seq2see.data.pairs import Pair
from seq2see.errors import BundleError, ConfigError
from seq2see.recipe.draft import draft
from seq2see.recipe.run import carry_out, plan, set_up, take_up

SHORT = ("data.held_out=5", "decode.beam=1")
STILL = (*SHORT, "train.steps=2", "train.validations=1", "train.rate=1e-30", "train.average=none")


def tree(folder: Path, start: Path, *assignments: str, pairs: list[Pair] | None = None) -> Tree:
    data = write_tsv(folder / "more.tsv", pairs or easy())
    usual = (f"data.train={data}", f"train.start={start}", "train.precision=float32", *STILL)
    return draft(None, [*usual, *assignments])


def same_weights(a: Bundle, b: Bundle) -> bool:
    ours, theirs = weights(a.network), weights(b.network)
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("kind", ["transformer", "bigru+additive"])
def test_a_run_begins_at_the_weights_of_the_model(tmp_path: Path, kind: str) -> None:
    sizes = ("model.d_embedding=8", "model.d_hidden=8") if kind != "transformer" else TINY[1:6]
    data = write_tsv(tmp_path / "pairs.tsv", easy())
    run = ("train.steps=4", "train.validations=1", *SHORT, *TINY[6:])
    first = draft(None, [f"data.train={data}", f"model.kind={kind}", *sizes, *run])
    before = carry_out(set_up(first, tmp_path / "first"))
    after = carry_out(set_up(tree(tmp_path, tmp_path / "first"), tmp_path / "second"))
    assert same_weights(before, after)  # at a rate of nothing
    assert after.recipe["model"] == before.recipe["model"]
    assert after.tokenizers.source.to_json() == before.tokenizers.source.to_json()
    learning = tree(tmp_path, tmp_path / "first", "train.rate=0.01", "train.steps=4")
    assert not same_weights(before, carry_out(set_up(learning, tmp_path / "third")))


def test_a_setting_at_odds_is_refused_by_name(trained: Path, tmp_path: Path) -> None:
    for assignment in ("model.d_model=32", "model.kind=gru", "data.source=words", "preset=tiny"):
        with pytest.raises(ConfigError, match="but the model in") as caught:
            plan(tree(tmp_path, trained, assignment))
        assert caught.value.where.partition(".")[0] in ("model", "data")
        assert "train.start" in caught.value.mend
    with pytest.raises(ConfigError, match=r"model\.head.*Did you mean heads"):
        plan(tree(tmp_path, trained, "model.head=2"))


def test_what_agrees_is_not_refused_and_dropout_is_free(trained: Path, tmp_path: Path) -> None:
    said = ("model.kind=transformer", "model.d_model=16", "data.copies=4", "data.source=auto")
    recipe, _, notes = plan(tree(tmp_path, trained, *said, "model.dropout=0.4"))
    assert recipe.model.dropout == 0.4
    assert recipe.model.d_model == 16
    assert str(trained) in notes[-1]


def test_pieces_unknown_to_the_model_are_counted(trained: Path, tmp_path: Path) -> None:
    pairs = [*easy(), Pair("a", "xyz")]
    run = set_up(tree(tmp_path, trained, pairs=pairs), tmp_path / "model")
    assert any(note.startswith("3 of ") and "target" in note for note in run.notes)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        plan(tree(tmp_path, tmp_path / "absent"))


def test_resuming_needs_the_model_no_more(tmp_path: Path) -> None:
    first = train_tiny(tmp_path, "train.steps=4", *SHORT)
    whole = carry_out(set_up(tree(tmp_path, first, "train.rate=0.01"), tmp_path / "whole"))
    set_up(tree(tmp_path, first, "train.rate=0.01"), tmp_path / "died")
    shutil.rmtree(first)
    assert same_weights(carry_out(take_up(tmp_path / "died"), resume=True), whole)


def test_the_recipe_of_such_a_run_says_where_it_began(trained: Path, tmp_path: Path) -> None:
    carry_out(set_up(tree(tmp_path, trained), tmp_path / "first"))
    again = draft(tmp_path / "first" / "recipe.toml", [])
    assert again["train"]["start"] == str(trained)
    carry_out(set_up(again, tmp_path / "second"))
    assert same_weights(load(tmp_path / "first"), load(tmp_path / "second"))

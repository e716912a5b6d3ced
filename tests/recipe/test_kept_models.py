"""A milestone is a model like any other, of the weights that its update left."""

from __future__ import annotations

from pathlib import Path

import torch

from fixtures import TINY, easy, write_tsv
from seq2see.api.model import load
from seq2see.recipe.build import build_network
from seq2see.recipe.draft import draft
from seq2see.recipe.folder import TrainingFolder
from seq2see.recipe.run import carry_out, set_up


def test_milestones_are_kept_and_opened(tmp_path: Path) -> None:
    data = write_tsv(tmp_path / "pairs.tsv", easy())
    run = ("train.steps=12", "train.validations=1", "data.held_out=5", "decode.beam=1")
    kept = ("train.milestones=[5,0]", "train.average=none")
    tree = draft(None, [f"data.train={data}", *TINY, *run, *kept])
    out = tmp_path / "out"
    bundle = carry_out(set_up(tree, out))
    found = TrainingFolder(out).milestones
    assert list(found) == [0, 5, 12]

    first, last = load(found[0]), load(found[12])
    drawn = build_network(first.recipe, bundle.tokenizers).state_dict()
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, drawn[name]), name
    for name, value in last.network.state_dict().items():
        assert torch.equal(value, bundle.network.state_dict()[name]), name
    assert last.scores["training"]["steps"] == 12
    assert len(last.translate(["ab", "cd"])) == 2

"""The methods of a loaded model that describe heads and take them away."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import seq2see
from fixtures import easy, write_tsv
from seq2see.api.model import Model, load
from seq2see.bundle.weights import weights
from seq2see.data.pairs import Pair
from seq2see.errors import ConfigError

PAIRS = easy()[:40]


@pytest.fixture(scope="module")
def model(trained: Path) -> Model:
    return load(trained)


def test_heads_are_described_from_a_file(model: Model, tmp_path: Path) -> None:
    found = model.heads(write_tsv(tmp_path / "pairs.tsv", PAIRS))
    assert [(row.at, row.head) for row in found] == [
        (at, head)
        for at in ("encoder.0.self", "decoder.0.self", "decoder.0.cross")
        for head in (0, 1)
    ]
    assert all(row.change is not None and row.change.metric == "accuracy" for row in found)
    assert found.queries["decoder.0.cross"] == sum(len(pair.target) + 1 for pair in PAIRS)


def test_the_likelihood_is_measured_where_it_is_asked_for(model: Model) -> None:
    found = model.heads(PAIRS, "*.cross", ablations="likelihood")
    assert {row.change.metric for row in found if row.change} == {"likelihood"}


def test_a_mean_is_taken_over_held_out_pairs_where_no_data_are_named(model: Model) -> None:
    sources = [pair.source for pair in PAIRS]
    kept = model.held_out()
    assert kept

    def scores(data: list[Pair] | None) -> list[float]:
        with model.edit(seq2see.ablate("decoder.0.cross", [0], by="mean", data=data)):
            return [one.score for one in model.score(PAIRS)]

    assert scores(None) == scores(kept[:200])
    assert scores(None) != scores([Pair("b", "b")])
    pattern = seq2see.roles.uniform()
    with model.edit(seq2see.replace("encoder.0.self", head=1, pattern=pattern)):
        assert len(model.translate(sources)) == len(sources)


def test_without_held_out_pairs_a_mean_asks_for_data(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "m", ignore=shutil.ignore_patterns("training"))
    for model in (load(tmp_path / "m"), Model([replace(load(trained).bundles[0], folder=None)])):
        ablation = seq2see.ablate("decoder.0.cross", by="resample")
        with pytest.raises(ConfigError, match="Give data="), model.edit(ablation):
            pass


def test_the_metric_is_that_of_the_task(model: Model) -> None:
    found = model.heads(PAIRS, "*.cross", ablations="metric", by="zero")
    whole = model.evaluate(PAIRS, beam=1)
    for row in found:
        assert row.change is not None
        with model.edit(seq2see.ablate(row.at, [row.head])):
            now = model.evaluate(PAIRS, beam=1)
        assert row.change.metric == "accuracy"
        difference = now["accuracy"].value - whole["accuracy"].value
        assert row.change.value == pytest.approx(difference)
    named = model.heads(PAIRS, "*.cross", ablations="metric", metric="cer")
    assert {row.change.metric for row in named if row.change} == {"cer"}


def test_a_pruned_model_is_saved_opened_and_trained_on(model: Model, tmp_path: Path) -> None:
    sources = [pair.source for pair in PAIRS]
    small = model.prune(3, "gradient", PAIRS, at="*.self")
    standing = {each.at: each.heads for each in small.network.settings.kept}
    assert sum(map(len, standing.values())) == 1  # of four; those of the cross-attention stay
    gone = [
        seq2see.ablate(at, [head for head in (0, 1) if head not in stay])
        for at, stay in standing.items()
    ]
    with model.edit(*gone):
        masked, scores = model.translate(sources), [one.score for one in model.score(PAIRS)]
    small.save(tmp_path / "small")
    opened = load(tmp_path / "small")
    for each in (small, opened):
        assert each.translate(sources) == masked
        found = [one.score for one in each.score(PAIRS)]
        assert found == pytest.approx(scores, abs=1e-4)
    assert "pruned" in opened.bundles[0].card
    assert "dev" not in opened.scores

    data = write_tsv(tmp_path / "pairs.tsv", easy())
    usual = (
        "train.steps=6",
        "train.validations=1",
        "train.precision=float32",
        "train.rate=0.01",
        "decode.beam=1",
        "data.held_out=5",
    )
    start = f"train.start={tmp_path / 'small'}"
    after = seq2see.train(data, start, *usual, out=tmp_path / "after", device="cpu")
    assert after.network.settings == small.network.settings
    ours, theirs = weights(after.network), weights(small.network)
    assert {name: each.shape for name, each in ours.items()} == {
        name: each.shape for name, each in theirs.items()
    }
    name = "decoder.0.cross.query.weight"
    assert not torch.equal(ours[name], theirs[name])
    assert load(tmp_path / "after").translate(sources) == after.translate(sources)


def test_a_curve_takes_a_measure_or_an_order(model: Model) -> None:
    found = model.pruning_curve(PAIRS, "magnitude", "decoder.*", every=2)
    assert [point.kept for point in found.points] == [6, 4, 2]
    whole = model.evaluate(PAIRS, beam=1)["accuracy"].value
    assert found.points[0].score == pytest.approx(whole)
    short = model.pruning_curve(PAIRS, [("encoder.0.self", 1)], metric="cer")
    assert short.metric == "cer"
    assert short.points[1].gone == (("encoder.0.self", 1),)


def test_rollout_of_a_source(model: Model) -> None:
    assert model.rollout("abc").shape == (1, 1, 4, 4)


def test_an_ensemble_is_refused(trained: Path) -> None:
    both = load(trained, trained)
    for ask in (lambda: both.heads(PAIRS), lambda: both.prune(2, "random")):
        with pytest.raises(ConfigError, match="members one by one"):
            ask()

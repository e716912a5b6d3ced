"""A resolved recipe becomes tokenizers, a network and batches."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from fixtures import TINY, easy, write_tsv
from seq2see.data.pairs import Pair
from seq2see.data.store import Store
from seq2see.recipe import build as build_module
from seq2see.recipe.build import (
    build_batches,
    build_network,
    build_tokenizers,
    learned_from,
    settle_lengths,
    settle_precision,
)
from seq2see.recipe.choose import choose
from seq2see.recipe.draft import draft
from seq2see.recipe.run import set_up
from seq2see.recipe.sections import Recipe
from seq2see.recipe.survey import survey

PAIRS = [Pair(p.source, p.target[::-1], ("N",)) for p in easy()]


def resolved(*assignments: str) -> Recipe:
    return choose(draft(None, [*TINY, *assignments]), survey(PAIRS))[0]


def test_a_joint_vocabulary_is_one_tokenizer() -> None:
    tokenizers = build_tokenizers(resolved("data.joint=true"), PAIRS, survey(PAIRS))
    assert tokenizers.source is tokenizers.target
    assert tokenizers.source.layout.features == ("N",)


def test_separate_vocabularies_keep_features_to_the_source() -> None:
    recipe = resolved("data.joint=false", "data.copies=3", "data.target=bytes")
    tokenizers = build_tokenizers(recipe, PAIRS, survey(PAIRS))
    assert (tokenizers.source.kind, tokenizers.target.kind) == ("characters", "bytes")
    assert (tokenizers.source.layout.features, tokenizers.target.layout.features) == (("N",), ())
    assert tokenizers.source.layout.copies == tokenizers.target.layout.copies == 3


def test_subwords_of_many_pairs_are_learned_from_an_even_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build_module, "_LEARNED", 10)
    pairs = [Pair(f"{i // 10}" * 3, "x") for i in range(100)]  # ten equal ones in each stretch
    figures = survey(pairs)
    for kind, seen in (("bpe", 10), ("unigram", 10), ("characters", 100)):
        texts: list[str] = []

        def learn(kind: str, given: Iterable[str], *_: object, kept: list[str] = texts) -> None:
            kept.extend(given)

        monkeypatch.setattr(build_module, "train_tokenizer", learn)
        recipe = resolved(f"data.source={kind}", f"data.target={kind}", "data.joint=false")
        build_tokenizers(recipe, pairs, figures)
        sources = [text for text in texts if text != "x"]
        assert len(sources) == seen
        assert len(set(sources)) == 10
        assert learned_from(recipe, 10) == ()
        said = learned_from(recipe, 12_345)
        assert bool(said) == (seen == 10)
        if said:
            assert "10 of 12,345 pairs" in said[0]


def test_the_seed_draws_what_subwords_are_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "_LEARNED", 10)
    pairs = [Pair(str(i), "x") for i in range(95)]
    first, again, other = (list(build_module._drawn(pairs, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert [p for p in pairs if p in first] == first
    assert list(build_module._drawn(pairs[:10], 1)) == pairs[:10]


def test_the_length_ratio_is_counted_where_a_head_has_a_role(tmp_path: Path) -> None:
    pairs = [Pair(p.source, p.target * 2) for p in easy()]
    role = 'model.roles=[{at="decoder.0.cross", head=0, role="diagonal(0.2)"}]'
    recipe = resolved("model.kind=transformer", role)
    tokenizers = build_tokenizers(recipe, pairs, survey(pairs))
    store = Store.write(tmp_path, pairs, tokenizers)
    found, counted = settle_lengths(recipe, store)
    letters = sum(len(pair.source) for pair in pairs)
    assert found.model.length_ratio == round((2 * letters + len(pairs)) / (letters + len(pairs)), 6)
    assert f"{letters + len(pairs):,} source tokens" in counted
    given = resolved(role, "model.length_ratio=2.5")
    assert settle_lengths(given, store) == (given, "")
    plain = resolved("model.kind=transformer")
    assert settle_lengths(plain, store) == (plain, "")


def test_the_seed_draws_the_network() -> None:
    tokenizers = build_tokenizers(resolved(), PAIRS, survey(PAIRS))
    first, again, other = (
        build_network(resolved(f"seed={seed}"), tokenizers).output.weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_batches_follow_the_recipe(tmp_path: Path) -> None:
    recipe = resolved("data.copies=3", "data.copy_noise=0.4", "seed=7")
    tokenizers = build_tokenizers(recipe, PAIRS, survey(PAIRS))
    plan = build_batches(recipe, Store.write(tmp_path, PAIRS, tokenizers)).plan
    assert (plan.tokens, plan.seed, plan.copy_noise, plan.copies) == (200, 7, 0.4, 3)


def test_without_copy_marks_there_is_no_noise(tmp_path: Path) -> None:
    recipe = resolved("data.copies=0")
    tokenizers = build_tokenizers(recipe, PAIRS, survey(PAIRS))
    assert build_batches(recipe, Store.write(tmp_path, PAIRS, tokenizers)).plan.copy_noise == 0


def test_separate_vocabularies_hide_nothing(tmp_path: Path) -> None:
    recipe = resolved("data.joint=false", "data.copies=3")
    tokenizers = build_tokenizers(recipe, PAIRS, survey(PAIRS))
    assert build_batches(recipe, Store.write(tmp_path, PAIRS, tokenizers)).plan.copy_noise == 0


def test_a_written_precision_is_not_measured(tmp_path: Path) -> None:
    data = write_tsv(tmp_path / "pairs.tsv", easy())
    run = set_up(draft(None, [*TINY, f"data.train={data}"]), tmp_path / "model")
    assert run.recipe.train.precision == "float32"
    assert "train.precision" not in {setting for setting, _, _ in run.reasons}


def test_auto_precision_is_measured_and_said(tmp_path: Path) -> None:
    data = write_tsv(tmp_path / "pairs.tsv", easy())
    tree = draft(None, [*TINY, f"data.train={data}", "train.precision=auto"])
    run = set_up(tree, tmp_path / "model")
    assert run.recipe.train.precision in ("float32", "bfloat16")
    said = {setting: why for setting, _, why in run.reasons}["train.precision"]
    assert "float32" in said
    assert "ms a batch" in said
    assert settle_precision(run.recipe, None, None) == (run.recipe, "")  # type: ignore[arg-type]


def test_a_corpus_of_one_batch_can_be_measured(tmp_path: Path) -> None:
    data = write_tsv(tmp_path / "pairs.tsv", easy())
    tree = draft(None, [*TINY, f"data.train={data}", "train.precision=auto"])
    tree["train"]["batch_tokens"] = 100_000
    set_up(tree, tmp_path / "model")

"""The methods of a loaded model that look inside it, beside translate, score and evaluate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import seq2see
from fixtures import easy
from helpers import hooks_in
from seq2see.api.model import Model, load
from seq2see.data.pairs import Pair
from seq2see.errors import ConfigError

ROLE = seq2see.replace("encoder.0.self", head=1, pattern=lambda q, k: (k.pos - q.pos).abs() < 2)


@pytest.fixture(scope="module")
def model(trained: Path) -> Model:
    return load(trained)


def test_a_trace_is_of_the_recipe_s_own_output(model: Model) -> None:
    found = model.trace(["abc", "e"])
    best = [nbest[0] for nbest in model.search(["abc", "e"])]
    assert found.target == tuple(one.tokens for one in best)
    logits = found["prediction"].log_softmax(-1)
    for i, one in enumerate(best):
        each = logits[i, : len(one.tokens)].max(-1).values
        assert (each >= torch.tensor(one.token_scores) - 1e-4).all()
    single = model.trace(Pair("abc", "cba"), grad=True)
    assert single.target == (("c", "b", "a", "</s>"),)
    assert single.grad["source.tokens"].shape == (1, 4, 16)
    assert model.trace("abc", "cba").target == single.target


def test_everything_works_inside_an_edit(model: Model) -> None:
    pairs = easy()[:30]
    sources = [pair.source for pair in pairs]
    plain, scores = model.evaluate(pairs), [one.score for one in model.score(pairs)]
    blind = seq2see.ablate("decoder.0.cross", heads=[0, 1])
    with model.edit(blind, ROLE):
        worse = model.evaluate(pairs)
        assert list(worse.outputs) == model.translate(sources)
        assert len(set(worse.outputs)) == 1  # nothing is seen of the source but by the cross heads
        assert not bool(model.trace("ab")["decoder.0.cross.context"].any())
        assert [one.score for one in model.score(pairs)] != scores
        aligned = model.search(["ab"], alignments=True)[0][0]
        assert aligned.pattern is not None
    assert hooks_in(model.network) == []
    assert model.evaluate(pairs).outputs == plain.outputs
    assert [one.score for one in model.score(pairs)] == scores
    assert worse["accuracy"].value < plain["accuracy"].value


def test_beam_search_looks_by_the_replaced_pattern(model: Model) -> None:
    uniform = seq2see.replace("decoder.0.cross", pattern=lambda q, k: torch.ones_like(k.pos))
    with model.edit(uniform):
        best = model.search(["abc"], beam=4, nbest=4, alignments=True)[0]
        again = model.score([Pair("abc", one.text) for one in best])
    for one, scored in zip(best, again, strict=True):
        assert one.pattern is not None
        assert one.pattern == pytest.approx(0.25)
        if one.finished and one.tokens == scored.tokens:
            assert scored.score == pytest.approx(one.score, abs=1e-4)


def test_patching(model: Model) -> None:
    found = model.patch("abc", "abd", at="encoder.out")
    assert found["encoder.out"] == pytest.approx(1.0, abs=1e-3)
    both = model.patch(Pair("abc", "abc"), Pair("abd", "abd"), "*.context", "logit_difference")
    assert len(both.rows) == 3


def test_each_way_of_looking_sees_the_model_and_its_edits(model: Model) -> None:
    looks: dict[str, Callable[[], torch.Tensor]] = {
        "align": lambda: model.align("abc", by="norm", layer=0)[0].matrix,
        "lens": lambda: model.lens("abc", "cba").likelihood,
        "decoder_lens": lambda: model.decoder_lens("abc", "cba", beam=1).likelihood,
        "neurons": lambda: model.neurons("decoder.0.feedforward", "abc", "abc", keep=2).active,
        "distances": lambda: model.distances("abc", at="decoder", directions=4).mean,
        "stream": lambda: torch.tensor([level.norm for level in model.stream("abc", "cba")]),
    }
    plain = {name: look() for name, look in looks.items()}
    with model.edit(seq2see.replace("decoder.0.cross", pattern=lambda q, k: k.pos == 3)):
        edited = {name: look() for name, look in looks.items()}
    for name, look in looks.items():
        assert not torch.equal(edited[name], plain[name]), name
        assert torch.equal(look(), plain[name]), name
    assert hooks_in(model.network) == []


def test_an_ensemble_is_refused(trained: Path) -> None:
    pair = load(trained, trained)
    with pytest.raises(ConfigError, match="members one by one"):
        pair.trace("ab")
    for look in (pair.align, pair.lens, pair.decoder_lens, pair.distances, pair.stream):
        with pytest.raises(ConfigError, match="members one by one"):
            look("ab")
    with pytest.raises(ConfigError, match="members one by one"):
        pair.neurons("decoder.0.feedforward", "ab")
    with pytest.raises(ConfigError, match="members one by one"):
        pair.patch("ab", "cb")
    with pytest.raises(ConfigError, match="members one by one"), pair.edit(ROLE):
        pytest.fail("the block must not begin")

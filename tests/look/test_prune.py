"""Pruning: which heads go, and that what is left is the model with those heads masked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from handmade import CROSS, PAIRS, handmade
from opened import PAIRS as OTHERS
from opened import logits, network_of, opened, searching, stepped

from helpers import same, transformer_settings
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.ablate import ablate
from seq2see.look.change import Likelihoods, Task
from seq2see.look.curve import PruningCurve, pruning_curve
from seq2see.look.edit import edited
from seq2see.look.forced import force
from seq2see.look.heads import HeadOptions, heads
from seq2see.look.prune import order, removed, without, worth
from seq2see.look.removal import Head, attentions
from seq2see.look.rollout import rollout
from seq2see.look.trace import trace
from seq2see.nn.network import Network

GONE: dict[str, list[Head]] = {
    "encoder": [("encoder.0.self", 0)],
    "decoder": [("decoder.0.self", 1)],
    "cross": [("decoder.0.cross", 0)],
    "whole attentions": [
        ("encoder.0.self", 1), ("encoder.0.self", 0), ("decoder.0.cross", 1),
        ("decoder.0.cross", 0), ("decoder.0.self", 0),
    ],
}  # fmt: skip

IDENTITY = transformer_settings(value_projection=False)
BARE = transformer_settings(projections=False)


def smaller(model: Translator, gone: list[Head]) -> Translator:
    return Translator([without(network_of(model), gone)], model.tokenizers, model.options)


def bare() -> Translator:
    """A model that has one head left, of its decoder's self-attention."""
    return smaller(opened("learned"), GONE["whole attentions"])


def masked(model: Translator, gone: list[Head], run: Callable[[Translator], Any]) -> Any:
    with edited(model, [ablate(at, [head]) for at, head in gone]):
        return run(model)


@pytest.mark.parametrize("which", GONE)
@pytest.mark.parametrize("kind", ["transformer", "shared", "alibi", "learned"])
def test_pruned_is_masked(kind: str, which: str) -> None:
    model, gone = opened(kind), GONE[which]
    small = smaller(model, gone)
    wanted = masked(model, gone, logits)
    same(logits(small), wanted)
    same(stepped(small), wanted)
    assert not torch.allclose(logits(model), wanted)
    assert network_of(small).parameter_count < network_of(model).parameter_count


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("kind", ["transformer", "shared", "alibi"])
def test_a_search_finds_the_same(kind: str, beam: int) -> None:
    model, gone = searching(kind, beam=beam, nbest=beam, alignments=True), GONE["decoder"]
    gone = [*gone, *GONE["cross"]]
    ours = smaller(model, gone).translate(OTHERS)
    theirs = masked(model, gone, lambda one: one.translate(OTHERS))
    assert [[one.text for one in nbest] for nbest in ours] == [
        [one.text for one in nbest] for nbest in theirs
    ]
    for a, b in zip(ours, theirs, strict=True):
        assert [one.score for one in a] == pytest.approx([one.score for one in b], abs=1e-4)


def test_alignments_come_from_the_last_attention_that_has_heads() -> None:
    model = searching("transformer", alignments=True)
    last = [("decoder.1.cross", head) for head in (0, 1)]
    small = smaller(model, last)
    for nbest in small.translate(OTHERS):
        assert nbest[0].pattern is not None
        assert nbest[0].pattern.sum(-1) == pytest.approx(1, abs=1e-5)
    blind = smaller(small, [("decoder.0.cross", head) for head in (0, 1)])
    assert blind.translate(OTHERS)[0][0].pattern is None


def test_pruning_twice_is_pruning_once() -> None:
    model = opened("shared")
    first, second = [("encoder.0.self", 0), ("encoder.0.self", 2)], [("encoder.0.self", 1)]
    twice = smaller(smaller(model, first), second)
    once = smaller(model, [*first, ("encoder.0.self", 3)])
    assert network_of(twice).settings == network_of(once).settings
    same(logits(twice), logits(once))
    built = Network(network_of(once).settings, network_of(once).sizes)
    shapes = {name: value.shape for name, value in network_of(once).state_dict().items()}
    assert {name: value.shape for name, value in built.state_dict().items()} == shapes


def test_pruning_leaves_the_model_and_the_draws_alone() -> None:
    model = opened("transformer")
    before = logits(model)
    state = torch.get_rng_state()
    smaller(model, GONE["encoder"])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(logits(model), before)


def test_what_is_left_is_looked_into() -> None:
    small = smaller(opened("shared"), GONE["whole attentions"])
    assert attentions(network_of(small)) == {
        "encoder.0.self": 2, "decoder.0.self": 3, "decoder.0.cross": 2
    }  # fmt: skip
    bare = smaller(opened("transformer"), GONE["whole attentions"])
    found = heads(bare, OTHERS, HeadOptions(ablations="none"))
    assert {row.at for row in found} & {"encoder.0.self", "decoder.0.cross"} == set()
    seen = trace(bare, OTHERS, grad=True)
    assert seen["encoder.0.self.pattern"].shape[1] == 0


# What a head is worth.


def test_every_measure_but_chance_keeps_the_head_that_copies() -> None:
    model = handmade()
    for by in ("gradient", "ablation", "magnitude"):
        assert order(worth(model, by, PAIRS))[-1] == (CROSS, 2), by
    gone = removed(network_of(model), order(worth(model, "magnitude")), keep=1)
    small = smaller(model, gone)
    assert [nbest[0].text for nbest in small.translate(PAIRS)] == [pair.source for pair in PAIRS]
    [at] = [name for name, count in attentions(network_of(small)).items() if count]
    assert (at, attentions(network_of(small))[at]) == (CROSS, 1)


def test_ablation_is_the_likelihood_that_is_lost() -> None:
    model = opened("transformer")
    found = worth(model, "ablation", OTHERS, "decoder.1.cross")
    forced = force(model, OTHERS)
    before = Likelihoods.of(model, forced)
    after = masked(model, [("decoder.1.cross", 1)], lambda one: Likelihoods.of(one, forced))
    lost = float((before.sums - after.sums).sum() / before.tokens.sum())
    assert found["decoder.1.cross", 1] == pytest.approx(lost)
    assert set(found) == {("decoder.1.cross", 0), ("decoder.1.cross", 1)}


def test_magnitude_is_the_product_of_two_norms() -> None:
    model = opened("shared")
    layer = network_of(model).get_submodule("decoder.0.cross")
    found = worth(model, "magnitude", at="*.cross")
    value, output = layer.value.weight[2:4], layer.output.weight[:, 4:6]  # head 2 reads group 1
    assert found["decoder.0.cross", 2] == pytest.approx((value.norm() * output.norm()).item())


def test_chance_is_seeded() -> None:
    model = opened("shared")
    first, again, other = (order(worth(model, "random", seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(first) == sorted(other)


def test_only_those_asked_for_go() -> None:
    network = network_of(opened("transformer"))
    ordered = [("decoder.0.cross", 1), ("decoder.0.cross", 0)]
    assert removed(network, ordered, keep=11) == [("decoder.0.cross", 1)]
    assert removed(network, ordered, keep=12) == []
    for keep in (9, 13):
        with pytest.raises(ConfigError, match="from 10, as many as may not go, to 12"):
            removed(network, ordered, keep)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda model: worth(model, "gradients"), "Did you mean gradient"),
        (lambda model: worth(model, "ablation"), "no data"),
        (lambda model: worth(model, "random", at="cross"), "no attention"),
        (lambda _: worth(bare(), "random", at="encoder.*"), "all heads were pruned"),
        (lambda _: heads(bare(), OTHERS, HeadOptions(at="*.cross")), "all heads were pruned"),
        (lambda model: without(network_of(model), [("encoder.2.self", 0)]), "encoder"),
        (lambda model: without(network_of(model), [("encoder.0.self", 2)]), "heads from 0 to 1"),
        (lambda _: without(network_of(opened("gru")), []), "recurrent"),
        (lambda _: worth(opened("gru"), "magnitude"), "no weights by head"),
        (lambda _: worth(opened(IDENTITY), "magnitude"), "no weights by head"),
        (lambda _: without(network_of(opened(IDENTITY)), GONE["encoder"]), "stand in the vectors"),
        (lambda _: without(network_of(opened(BARE)), GONE["encoder"]), "without projections"),
    ],
)
def test_what_cannot_be_pruned_is_refused(run: Callable[[Translator], Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run(opened("transformer"))


# The curve.


def curve(ordered: list[Head], metric: str = "accuracy", every: int = 1) -> PruningCurve:
    task = Task(PAIRS, [[pair.target] for pair in PAIRS], metric)
    return pruning_curve(handmade(), task, ordered, every=every)


def test_the_curve_falls_where_the_head_that_copies_goes() -> None:
    ordered = [("encoder.0.self", 1), (CROSS, 0), (CROSS, 2), (CROSS, 1)]
    found = curve(ordered)
    assert [point.kept for point in found.points] == [12, 11, 10, 9, 8]
    assert [point.score for point in found.points] == [100, 100, 100, 0, 0]
    assert found.points[3].gone == ((CROSS, 2),)
    assert found.points[3].change.high == -100
    assert found.spare(0.5) == 2
    assert found.spare(100.0) == 4
    assert "decoder.0.cross 2" in str(found).splitlines()[4]


def test_the_curve_of_a_metric_of_which_less_is_better_and_in_larger_steps() -> None:
    found = curve([("encoder.0.self", 1), (CROSS, 0), (CROSS, 2)], "cer", every=2)
    assert [point.kept for point in found.points] == [12, 10, 9]
    assert found.spare(0.5) == 2
    with pytest.raises(ConfigError, match="goes twice"):
        curve([(CROSS, 0), (CROSS, 0)])
    with pytest.raises(ConfigError, match="1 or more"):
        curve([(CROSS, 0)], every=0)


# Rollout.


def test_rollout_multiplies_the_layers() -> None:
    seen = trace(opened("transformer"), OTHERS)
    found = rollout(seen)
    same_place = torch.eye(7)
    for row, pair in enumerate(OTHERS):
        wanted, real = same_place, len(pair.source) + 1
        for layer in range(2):
            mean = seen[f"encoder.{layer}.self.pattern"][row].mean(0)
            wanted = (0.5 * mean + 0.5 * same_place) @ wanted
            same(found[layer, row, :real, :real], wanted[:real, :real], 1e-6)
            assert found[layer, row, :real, :real].sum(-1) == pytest.approx(1, abs=1e-5)


def test_rollout_of_what_looks_nowhere_stays_in_place() -> None:
    bare = smaller(opened("shared"), [("encoder.0.self", head) for head in range(4)])
    found = rollout(trace(bare, OTHERS))
    assert torch.equal(found[0], torch.eye(7).expand(3, 7, 7))
    with pytest.raises(ConfigError, match="Trace a Transformer"):
        rollout(trace(opened("bilstm"), OTHERS))

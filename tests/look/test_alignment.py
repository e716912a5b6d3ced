"""Alignments: planted patterns are found, measures are their equations, words are as counted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from opened import PAIRS, SETTINGS, TOKENIZERS, changed, logits, network_of, opened, searching
from torch import Tensor

from fixtures import joint, train_tiny
from helpers import hooks_in, randomised, transformer_settings
from seq2see.api.model import load
from seq2see.data.pairs import Pair
from seq2see.data.store import Tokenizers
from seq2see.data.synthetic import draw
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.agreement import aer
from seq2see.look.alignment import Alignment, How, align
from seq2see.look.edit import edited
from seq2see.look.replace import replace
from seq2see.look.trace import trace
from seq2see.nn.hooks import Hooks, hooked
from seq2see.nn.network import Network, Sizes

BY = ("weight", "norm", "gradient", "erasure")
LOOKING = [kind for kind in SETTINGS if kind != "rnn"]  # which looks at no source
PLANTED = torch.eye(12)[[2, 0, 1, 3, 5, 4, 6, 7, 8, 9, 10, 11]]
"""Query i looks at one source place: 2, 0, 1, 3, …"""


def close(a: Tensor, b: Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(a.float(), b.float(), rtol=tolerance, atol=tolerance)


# A planted pattern.


@pytest.mark.parametrize("by", ["weight", "norm"])
@pytest.mark.parametrize(
    ("kind", "at"), [("transformer", "decoder.0.cross"), ("gru", "decoder.cross")]
)
def test_a_planted_pattern_is_found(kind: str, at: str, by: str) -> None:
    model = opened(kind)
    with edited(model, [replace(at, pattern=PLANTED)]):
        [found] = align(model, "abcdef", "abc", How(by=by))
        [shifted] = align(model, "abcdef", "abc", How(by=by, shift=True))
    assert found.pharaoh() == "0-1 1-2 2-0"
    assert found.links == ((0, 1), (1, 2), (2, 0))
    assert shifted.pharaoh() == "0-0 1-1 3-2"  # as the step after looks
    assert (found.source, found.target) == (tuple("abcdef"), tuple("abc"))
    if by == "weight":
        close(found.matrix, PLANTED[:3, :6])
        close(shifted.matrix, PLANTED[1:4, :6])
    assert hooks_in(network_of(model)) == []


def test_the_last_but_one_layer_is_taken_and_the_mean_of_its_heads() -> None:
    model = opened("transformer")
    whole = trace(model, PAIRS)
    for found, i in zip(align(model, PAIRS), range(3), strict=True):
        pattern = whole.pair(i)["decoder.0.cross.pattern"][0]
        close(found.matrix, pattern.mean(0)[:-1, :-1])
        close(found.matrix.sum(1) + found.elsewhere, torch.ones(len(found.target)))
    for layer, head in ((0, 1), (1, 0)):
        found = align(model, PAIRS, how=How(layer=layer, head=head))[0]
        close(found.matrix, whole.pair(0)[f"decoder.{layer}.cross.pattern"][0, head, :-1, :-1])


# Each measure is its equation.


def norms(model: Translator, kind: str, pair: Pair, heads: range) -> Tensor:
    """The norm written out: what each head would add for each token, one token at a time."""
    network, seen = network_of(model), trace(model, pair)
    name = "decoder.cross" if kind in ("bilstm", "gru") else "decoder.0.cross"
    pattern = seen[f"{name}.pattern"][0]
    table = torch.zeros(pattern.shape[1:])
    for query in range(table.shape[0]):
        for key in range(table.shape[1]):
            total = torch.zeros(())
            for head in heads:
                if name == "decoder.cross":
                    value = seen["encoder.out"][0, key]
                    out = network.get_submodule("decoder.readout").weight[:, -len(value) :]
                else:
                    layer = network.get_submodule(name)
                    shared = layer.sizes.heads // layer.sizes.kv_heads
                    value = seen[f"{name}.v"][0, head // shared, key]
                    size = len(value)
                    out = layer.output.weight[:, head * size : (head + 1) * size]
                total = total + pattern[head, query, key] * (out.float() @ value)
            table[query, key] = total.norm()
    return table.detach()


@pytest.mark.parametrize("kind", LOOKING)
def test_norms_are_of_what_the_heads_write_together(kind: str) -> None:
    model = opened(kind)
    heads = range({"bilstm": 1, "gru": 1, "shared": 4, "programmed": 4}.get(kind, 2))
    for pair, found in zip(PAIRS, align(model, PAIRS, how=How(by="norm")), strict=True):
        close(found.matrix, norms(model, kind, pair, heads)[:-1, :-1])
    [one] = align(model, PAIRS[0], how=How(by="norm", head=heads[-1]))
    close(one.matrix, norms(model, kind, PAIRS[0], heads[-1:])[:-1, :-1])


def test_without_projections_the_vectors_themselves_are_measured() -> None:
    model = opened(transformer_settings(projections=False))
    [found], seen = align(model, PAIRS[0], how=How(by="norm")), trace(model, PAIRS[0])
    memory, pattern = seen["encoder.out"][0], seen["decoder.0.cross.pattern"][0]
    first, second = (memory[:, part].norm(dim=1) for part in (slice(4), slice(4, 8)))
    close(found.matrix, ((pattern[0] * first) ** 2 + (pattern[1] * second) ** 2).sqrt()[:-1, :-1])


def scores(model: Translator, pair: Pair, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Log-probabilities of the target when the source's embeddings are changed."""
    tap = network_of(model).get_submodule("source.tokens")
    with hooked(Hooks(after=((tap, change),))):
        found = logits(model, [pair])[0].log_softmax(-1)
    wanted = TOKENIZERS.targets([pair.target], [[]])[0]
    return found.gather(1, torch.tensor(wanted)[:, None])[:, 0]


@pytest.mark.parametrize("kind", SETTINGS)
def test_the_gradient_is_the_rise_by_stretching_an_embedding(kind: str) -> None:
    model = opened(kind)

    def stretched(place: int, by: float) -> Callable[[Tensor], Tensor]:
        factors = torch.ones(1, 5, 1).double()  # abcd and the end mark
        factors[0, place] += by
        return lambda value: value * factors

    pair, small = Pair("abcd", "cab"), 1e-6
    [found] = align(model, [pair], how=How(by="gradient"))
    for place in range(4):
        ends = [scores(model, pair, stretched(place, by)) for by in (small, -small)]
        close(found.matrix[:, place], ((ends[0] - ends[1]) / (2 * small)).abs()[:-1], 1e-6)
    assert found.matrix.max() > 0.005


@pytest.mark.parametrize("kind", SETTINGS)
def test_erasure_is_the_loss_by_a_network_whose_embedding_is_zero(kind: str) -> None:
    model = opened(kind)
    pairs = [Pair("abcd", "cab"), Pair("fe", "gg")]
    found = align(model, pairs, how=How(by="erasure"))
    for pair, one in zip(pairs, found, strict=True):
        plain = scores(model, pair, lambda value: value)[:-1]
        for place, letter in enumerate(pair.source):
            [[token, _]], _ = TOKENIZERS.sources([Pair(letter, "")])

            def forget(network: Network, token: int = token) -> None:
                network.source.table.weight[token] = 0

            close(one.matrix[:, place], plain - scores(changed(model, forget), pair, _same)[:-1])


def _same(value: Tensor) -> Tensor:
    return value


# What holds for all of them.


@pytest.mark.parametrize("by", BY)
def test_an_edit_is_seen_and_nothing_stays_behind(by: str) -> None:
    model = opened("transformer")
    network_of(model).requires_grad_(False)
    plain = align(model, PAIRS, how=How(by=by))
    with edited(model, [replace("decoder.0.cross", pattern=PLANTED[:, [1, 0, *range(2, 12)]])]):
        changed = align(model, PAIRS, how=How(by=by))
    again = align(model, PAIRS, how=How(by=by))
    for a, b, c in zip(plain, changed, again, strict=True):
        assert not torch.allclose(a.matrix, b.matrix)
        assert torch.equal(a.matrix, c.matrix)
        assert not c.matrix.requires_grad
    assert hooks_in(network_of(model)) == []
    assert all(p.grad is None for p in network_of(model).parameters())


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("around", [nullcontext, torch.inference_mode])
def test_a_pair_among_others_is_aligned_as_alone(
    by: str, around: Callable[[], AbstractContextManager[Any]]
) -> None:
    model = opened("bilstm", batch_tokens=16)
    with around():
        together = align(model, PAIRS, how=How(by=by))
    for pair, one in zip(PAIRS, together, strict=True):
        close(one.matrix, align(model, pair, how=How(by=by))[0].matrix)


def test_features_and_end_marks_have_no_links() -> None:
    pairs = [Pair("ab", "ab", ("PL",)), Pair("abcd", "dcba")]
    tokenizers = joint(pairs)
    size = tokenizers.source.size
    network = randomised(Network(transformer_settings(), Sizes(size, size))).eval()
    model = Translator([network], tokenizers, SearchOptions())
    with edited(model, [replace("decoder.0.cross", pattern=PLANTED)]):
        [found] = align(model, Pair("ab", "dc", ("PL", "new")))
    # Of [PL] <unk> a b </s> the rows look at a and at [PL], which leaves the second one none.
    assert found.source == ("a", "b")
    assert found.links == ((0, 0),)
    close(found.elsewhere, torch.tensor([0.0, 1.0]))


def test_a_search_that_was_stopped_is_aligned_to_its_last_piece() -> None:
    model = searching("transformer", max_length=4)
    with torch.no_grad():  # of two opposite pieces one is always better than the end
        output = network_of(model).output.weight.zero_()
        output[-1], output[-2] = 5.0, -5.0
    assert not model.translate([Pair("abcd", "")])[0][0].finished
    with edited(model, [replace("decoder.0.cross", pattern=PLANTED)]):
        [found] = align(model, "abcdefgh", how=How(shift=True))
    assert found.pharaoh() == "0-0 1-1 3-2 5-3"


def test_an_empty_source_has_no_links() -> None:
    [found] = align(opened("transformer"), [Pair("", "ab")])
    assert (found.matrix.shape, found.links, found.pharaoh()) == ((2, 0), (), "")


# Words.


@pytest.mark.parametrize("kind", ["characters", "words", "bpe", "unigram", "bytes"])
def test_words_are_counted_as_between_blanks(kind: Any) -> None:
    texts = ["the old men", "he met  them there", "ä ö"]
    tokenizers = joint([Pair(text, text) for text in texts], kind)
    size = tokenizers.source.size
    network = randomised(Network(transformer_settings(), Sizes(size, size))).eval()
    model = Translator([network], tokenizers, SearchOptions())
    for text in texts:
        [fine] = align(model, [Pair(text, "ö he there")])
        [found] = align(model, [Pair(text, "ö he there")], how=How(unit="word"))
        assert list(found.source) == text.split()
        assert found.target == ("ö", "he", "there")
        total = found.matrix.sum(1) + found.elsewhere
        close(total, torch.ones(3))
        assert len(fine.source) >= len(found.source)


def test_a_words_columns_are_summed_and_the_mean_of_its_rows_is_taken() -> None:
    tokenizers = joint([Pair("ab c", "ab c")])
    size = tokenizers.source.size
    network = randomised(Network(transformer_settings(), Sizes(size, size))).eval()
    model = Translator([network], Tokenizers(tokenizers.source, tokenizers.target), SearchOptions())
    [fine], [found] = (align(model, "ab c", "c ba", How(unit=unit)) for unit in ("piece", "word"))
    table = fine.matrix  # a b _ c by c _ b a
    close(found.matrix[0], torch.stack([table[0, :2].sum(), table[0, 3]]))
    close(found.matrix[1], torch.stack([table[2:, :2].sum() / 2, table[2:, 3].sum() / 2]))
    close(found.elsewhere[0], fine.elsewhere[0] + table[0, 2])


# A trained model, and what is refused.


def test_a_trained_model_gives_the_planted_links_back(tmp_path: Path) -> None:
    sizes = {"length": (2, 5), "vocabulary": 8}
    pairs = [one.pair for one in draw("copy", 3000, seed=1, **sizes)]
    settings = ("train.steps=220", "train.batch_tokens=600", "model.dropout=0.0")
    # Cross-attention is not told of rotary positions.
    settings += ("model.positions=sinusoidal", "train.optimizer=adamw")
    model = load(train_tiny(tmp_path, *settings, pairs=pairs))
    fresh = draw("copy", 60, seed=2, **sizes)
    gold = [one.links for one in fresh]
    errors = {
        by: aer([one.links for one in model.align([one.pair for one in fresh], by=by)], gold)
        for by in BY
    }
    assert errors["weight"] < 0.05
    assert errors["norm"] < 0.05
    assert errors["erasure"] < 0.3
    scrambled = [links[1:] for links in gold]
    assert errors["weight"] < aer(scrambled, gold)


@pytest.mark.parametrize("task", ["reverse", "sort", "dates"])
def test_a_head_that_was_taught_links_gives_them_back(task: str, tmp_path: Path) -> None:
    sizes: dict[str, Any] = {} if task == "dates" else {"length": (2, 5), "vocabulary": 8}
    drawn = draw(task, 2000, seed=1, **sizes)
    lines = [" ".join(f"{i}-{j}" for i, j in one.links) + "\n" for one in drawn]
    (tmp_path / "links.txt").write_text("".join(lines), encoding="utf-8")
    role = '{at="decoder.0.cross",head=0,role="links",how="guided",weight=1.0}'
    settings = ("train.batch_tokens=600", "model.dropout=0.0", "train.optimizer=adamw")
    settings += (f"data.links={tmp_path / 'links.txt'}", f"model.roles=[{role}]")
    if task == "dates":
        settings += ("data.target=characters", "train.steps=300")
    else:
        settings += ("model.positions=sinusoidal", "train.steps=200")
    model = load(train_tiny(tmp_path, *settings, pairs=[one.pair for one in drawn]))
    fresh = draw(task, 60, seed=2, **sizes)
    found = model.align([one.pair for one in fresh], layer=0, head=0)
    # A letter of a month comes from either digit: both links are possible, neither is sure. A blank
    # comes from nothing.
    possible = [one.links for one in fresh]
    sure = [[link for link in links if one_of(links, link[1])] for links in possible]
    links = [
        [link for link in one.links if any(link[1] == j for _, j in gold)]
        for one, gold in zip(found, possible, strict=True)
    ]
    assert aer(links, sure, possible) < 0.05
    if task != "dates":
        assert sure == [list(links) for links in possible]
    scrambled = [[(i, j) for (i, _), (_, j) in itertools.pairwise(one)] for one in links]
    assert aer(scrambled, sure, possible) > 0.3


def one_of(links: Sequence[tuple[int, int]], target: int) -> bool:
    """Whether a target piece has one link alone."""
    return sum(j == target for _, j in links) == 1


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("transformer", {"by": "weigth"}, "Did you mean weight"),
        ("transformer", {"unit": "words"}, "Did you mean word"),
        ("transformer", {"hed": 1}, "Did you mean head"),
        ("transformer", {"by": "erasure", "shift": True}, "whole network"),
        ("transformer", {"by": "gradient", "layer": 0}, "whole network"),
        ("transformer", {"layer": 2}, "from 0 to 1"),
        ("transformer", {"head": 2}, "from 0 to 1"),
        ("bilstm", {"head": 1}, "from 0 to 0"),
        ("rnn", {}, "gradient or by erasure"),
    ],
)
def test_what_cannot_be_aligned_is_refused(
    kind: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        align(opened(kind), PAIRS, how=How.of(**options))


def test_an_alignment_is_a_record_of_its_pair() -> None:
    found = align(opened("gru"), PAIRS)
    assert all(isinstance(one, Alignment) for one in found)
    assert [one.target for one in found] == [tuple(pair.target) for pair in PAIRS]

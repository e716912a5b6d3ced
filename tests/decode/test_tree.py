"""The tree of a search is that search: held against what it finds and against trying all tokens."""

from __future__ import annotations

import pytest
import torch

from fixtures import copying, joint
from seq2see.data.pairs import Pair
from seq2see.data.tokenizers import END, START
from seq2see.decode.options import SearchOptions
from seq2see.decode.rules import Unwritable
from seq2see.decode.translate import Translator
from seq2see.decode.tree import SHOWN, Tree, grow
from seq2see.nn.network import Network

TOKENIZERS = joint(copying(40))
PAIR = Pair("decade", "")


def opened(make, kind: str, **options) -> Translator:
    return Translator(
        [make(kind, size=TOKENIZERS.source.size)], TOKENIZERS, SearchOptions(**options)
    )


def next_scores(model: Translator, ids: tuple[int, ...]) -> torch.Tensor:
    """Log-probabilities of what follows `ids`, everything read anew."""
    network = model.network
    assert isinstance(network, Network)
    source = torch.tensor(TOKENIZERS.sources([PAIR])[0])
    with torch.no_grad():
        read = torch.tensor([[START, *ids]])
        logits = network.logits(network(source, torch.ones_like(source, dtype=torch.bool), read))
    scores = logits[0, -1].log_softmax(-1)
    scores[list(Unwritable.of(TOKENIZERS.target).never)] = -torch.inf
    return scores


def weighed(model: Translator, tree: Tree, step: int) -> list[tuple[float, tuple[int, ...]]]:
    """Every way to go on from a step's hypotheses, best first."""
    now, every = tree.steps[step], []
    for ids, total in zip(now.hypotheses, now.totals, strict=True):
        scores = next_scores(model, ids).tolist()
        every += [(total + s, (*ids, i)) for i, s in enumerate(scores)]
    return sorted(every, reverse=True)


@pytest.mark.parametrize("kind", ["transformer", "bilstm"])
@pytest.mark.parametrize("beam", [1, 3])
def test_each_step_keeps_the_best_of_all_ways(make, kind: str, beam: int) -> None:
    model = opened(make, kind, beam=beam, max_length=7)
    tree = grow(model, PAIR)
    assert tree.steps[0].hypotheses == ((),)
    for step, now in enumerate(tree.steps):
        best = weighed(model, tree, step)
        assert [way.total for way in now.ways] == pytest.approx(
            [total for total, _ in best[: len(now.ways)]], abs=1e-4
        )
        going = [ids for _, ids in best if ids[-1] != END][:beam]
        kept = [(*now.hypotheses[w.parent], w.token) for w in now.ways if w.fate == "kept"]
        if step + 1 < len(tree.steps):
            assert kept == going == list(tree.steps[step + 1].hypotheses)
        for ids, likely in zip(now.hypotheses, now.likely, strict=True):
            expected = next_scores(model, ids).topk(SHOWN).values
            assert [score for _, score in likely] == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize("kind", ["transformer", "bilstm", "rnn"])
def test_it_ends_where_the_search_ends(make, kind: str) -> None:
    model = opened(make, kind, beam=4, nbest=4)
    tree = grow(model, PAIR)
    [expected] = model.search([PAIR]).values()
    assert [one.ids for one in tree.found] == [one.ids for one in expected]
    ended = {
        (*step.hypotheses[way.parent], way.token)
        for step in tree.steps
        for way in step.ways
        if way.fate == "ended"
    }
    assert {one.ids for one in tree.found if one.finished} <= ended


def test_a_source_without_text_has_no_tree(make) -> None:
    assert grow(opened(make, "rnn"), Pair("  ", "")) == Tree((), ())

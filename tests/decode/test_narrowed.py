"""A search among candidates finds what a search does to which all else is forbidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from seq2see.data.rows import Pair
from seq2see.data.shortlist import Shortlist
from seq2see.data.store import Tokenizers
from seq2see.data.tokenizers import PAD, SPECIALS, train_tokenizer
from seq2see.decode import narrowed as module
from seq2see.decode.ensemble import Ensemble
from seq2see.decode.generate import generate
from seq2see.decode.hypothesis import Hypothesis
from seq2see.decode.narrowed import Candidates
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request, lay
from seq2see.decode.shortlist import learn_shortlist
from seq2see.decode.translate import Translator
from seq2see.decode.tree import grow
from seq2see.errors import DecodingError
from seq2see.nn.network import Network
from seq2see.nn.precision import converted

SIZE = 12
MARKS = len(SPECIALS)


def shortlist(seed: int = 0, frequent: int = 2, likely: int = 2) -> Shortlist:
    draw = np.random.default_rng(seed)
    order = draw.permutation(np.arange(MARKS, SIZE))
    table = np.stack([draw.permutation(order[frequent:])[:likely] for _ in range(SIZE)])
    table[7, 1:] = table[PAD] = PAD
    return Shortlist(np.concatenate([np.arange(MARKS), np.sort(order[:frequent])]), table)


def everything() -> Shortlist:
    return Shortlist(np.arange(SIZE), np.zeros((SIZE, 0), np.int64))


def allowed(request: Request, lists: Shortlist) -> set[int]:
    own = lists.likely[[PAD, *request.source]].ravel().tolist()
    return {*lists.frequent.tolist(), *own, *request.prefix}


def one_by_one(
    network: Network, requests: list[Request], options: SearchOptions, lists: Shortlist
) -> list[list[Hypothesis]]:
    """Searches each source with the logits of all other tokens at minus infinity."""
    found = []
    for request in requests:
        closed = torch.ones(SIZE, dtype=torch.bool)
        closed[list(allowed(request, lists))] = False

        def close(_module: object, _args: object, logits: Tensor, closed: Tensor = closed):
            return logits.masked_fill(closed, -torch.inf)

        handle = network.output.register_forward_hook(close)
        found += generate(network, [request], options)
        handle.remove()
    return found


def agree(found: list[list[Hypothesis]], wanted: list[list[Hypothesis]]) -> None:
    for some, others in zip(found, wanted, strict=True):
        assert [one.ids for one in some] == [one.ids for one in others]
        assert [one.finished for one in some] == [one.finished for one in others]
        for one, other in zip(some, others, strict=True):
            assert one.token_scores == pytest.approx(other.token_scores, abs=1e-4)


@pytest.mark.parametrize("budget", [20, 8192])
@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_all_that_is_on_no_list_is_forbidden(
    network: Network, requests: list[Request], beam: int, budget: int, seed: int
) -> None:
    lists, options = shortlist(seed), SearchOptions(beam=beam, nbest=beam, batch_tokens=budget)
    found = generate(network, requests, options, shortlist=lists)
    agree(found, one_by_one(network, requests, options, lists))
    for request, nbest in zip(requests, found, strict=True):
        assert all(set(one.ids) <= allowed(request, lists) for one in nbest)


def test_a_list_of_everything_changes_nothing(network: Network, requests: list[Request]) -> None:
    for options in (
        SearchOptions(beam=4, nbest=2, no_repeat_ngram=2),
        SearchOptions(sample=True, nbest=3, top_k=4),
    ):
        found = generate(network, requests, options, shortlist=everything())
        agree(found, generate(network, requests, options))


def test_repeats_are_blocked_and_prefixes_kept_though_they_are_on_no_list(
    network: Network, requests: list[Request]
) -> None:
    lists, options = shortlist(), SearchOptions(beam=3, nbest=2, no_repeat_ngram=1)
    prefixes = [(), (5,), (9, 10, 4), (6, 7), (), (11, 4), (8,), (4, 5, 6, 7)]
    asked = [
        replace(request, prefix=prefix, limit=request.limit + len(prefix))
        for request, prefix in zip(requests, prefixes, strict=True)
    ]
    found = generate(network, asked, options, shortlist=lists)
    agree(found, one_by_one(network, asked, options, lists))
    for nbest, prefix in zip(found, prefixes, strict=True):
        assert all(one.ids[: len(prefix)] == prefix for one in nbest)


def test_members_of_an_ensemble_score_the_same_candidates(make, requests: list[Request]) -> None:
    network, options = make("transformer", seed=4), SearchOptions(beam=3)
    twice = generate(Ensemble([network, network]), requests, options, shortlist=shortlist())
    agree(twice, generate(network, requests, options, shortlist=shortlist()))


def test_eight_bits_score_the_frequent_tokens_as_without_a_list(
    make, requests: list[Request]
) -> None:
    wide = make("transformer", size=40, seed=2)
    rounded, options = converted(wide, "int8"), SearchOptions(beam=2)
    lists = Shortlist(np.arange(40), np.zeros((40, 0), np.int64))
    agree(
        generate(rounded, requests, options, shortlist=lists),
        generate(rounded, requests, options),
    )
    few = Shortlist(np.arange(20), np.full((40, 3), [30, 31, 32]))
    near = generate(wide, requests, options, shortlist=few)
    for one, other in zip(generate(rounded, requests, options, shortlist=few), near, strict=True):
        assert one[0].score / len(one[0].ids) == pytest.approx(
            other[0].score / len(other[0].ids), rel=0.1
        )


def test_laid_out_weights_find_the_same(
    monkeypatch: pytest.MonkeyPatch, make, requests: list[Request]
) -> None:
    network, options = make("transformer"), SearchOptions(beam=3)
    before = generate(network, requests, options, shortlist=shortlist())
    monkeypatch.setattr("seq2see.decode.generate._WORTH", 1)
    agree(generate(network, requests, options, shortlist=shortlist()), before)


def test_predictions_come_in_parts(
    monkeypatch: pytest.MonkeyPatch, make, requests: list[Request]
) -> None:
    network, options = make("bilstm"), SearchOptions(beam=3)
    before = generate(network, requests, options, shortlist=shortlist())
    monkeypatch.setattr(module, "NEAR", 40)
    agree(generate(network, requests, options, shortlist=shortlist()), before)


def test_candidates_stand_once_and_padding_behind() -> None:
    lists = Shortlist(np.array([0, 1, 2, 3, 6]), np.zeros((SIZE, 2), np.int64))
    lists.likely[5], lists.likely[8], lists.likely[PAD] = [9, 10], [10, 11], [4, PAD]
    requests = [Request([5, 8, 5], 9, prefix=(6, 7)), Request([4], 9)]
    candidates = Candidates.of(lay(requests, torch.device("cpu")), lists)
    assert candidates.common == 5
    assert candidates.ids.tolist() == [
        [0, 1, 2, 3, 6, 11, 10, 9, 7, 4],
        [0, 1, 2, 3, 6, 4, PAD, PAD, PAD, PAD],
    ]


def test_who_watches_the_whole_vocabulary_is_told(make, requests: list[Request]) -> None:
    network = make("transformer")
    for watched in (network.prediction, network.output):
        handle = watched.register_forward_hook(lambda _module, _args, logits: logits)
        with pytest.raises(DecodingError, match="whole vocabulary are watched"):
            generate(network, requests, SearchOptions(), shortlist=everything())
        handle.remove()


def test_a_tree_of_candidates_is_refused(make) -> None:
    side = train_tokenizer("characters", ["abcdef"], 0)
    network = make("transformer", size=side.size)
    lists = learn_shortlist(Tokenizers(side, side), [Pair("ab", "ba")], frequent=1)
    options = SearchOptions(shortlist=True)
    translator = Translator([network], Tokenizers(side, side), options, shortlist=lists)
    with pytest.raises(DecodingError, match="Leave the shortlist out"):
        grow(translator, Pair("ab", ""))

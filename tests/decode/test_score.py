from __future__ import annotations

import pytest
import torch

from seq2see.data.tokenizers import END, START
from seq2see.decode import score
from seq2see.decode.ensemble import Ensemble
from seq2see.decode.generate import generate
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.decode.score import score_targets
from seq2see.nn.network import Network


@torch.inference_mode()
def test_a_forced_score_is_the_sum_of_log_probabilities(network: Network) -> None:
    sources = [[5, 6, END], [8, 9, 10, 11, END], [4, END]]
    targets = [[7, END], [4, 5, 6, 7, 8, END], [9, 10]]
    found = score_targets(network, sources, targets)
    assert [one.finished for one in found] == [True, True, False]
    for one, source, target in zip(found, sources, targets, strict=True):
        real = torch.ones(1, len(source), dtype=torch.bool)
        hidden = network(torch.tensor([source]), real, torch.tensor([[START, *target[:-1]]]))
        expected = network.logits(hidden)[0].log_softmax(-1)[range(len(target)), target]
        assert one.ids == tuple(target)
        assert one.token_scores == pytest.approx(expected.tolist(), abs=1e-5)
        assert one.score == pytest.approx(expected.sum().item(), abs=1e-4)


@pytest.mark.parametrize("sample", [False, True])
def test_what_a_search_finds_has_its_forced_score(network: Network, requests, sample: bool) -> None:
    options = SearchOptions(beam=4, nbest=3, sample=sample, no_repeat_ngram=2, temperature=1.5)
    for request, found in zip(requests, generate(network, requests, options), strict=True):
        forced = score_targets(network, [request.source] * 3, [one.ids for one in found])
        for one, other in zip(found, forced, strict=True):
            assert one.token_scores == pytest.approx(other.token_scores, abs=1e-4)


def test_an_ensembles_search_has_its_forced_score(make, requests: list[Request]) -> None:
    network = Ensemble([make("transformer"), make("bilstm", seed=1)])
    found = [one for (one,) in generate(network, requests, SearchOptions())]
    sources = [request.source for request in requests]
    forced = score_targets(network, sources, [one.ids for one in found])
    assert [one.score for one in found] == pytest.approx([one.score for one in forced], abs=1e-4)


def test_neither_batches_nor_chunks_change_a_score(make, requests, monkeypatch) -> None:
    network, sources = make("transformer"), [request.source for request in requests]
    whole = score_targets(network, sources, sources[::-1])
    monkeypatch.setattr(score, "CHUNK", 3)
    pieces = score_targets(network, sources, sources[::-1], batch_tokens=20)
    assert [one.ids for one in pieces] == [one.ids for one in whole]
    for one, other in zip(pieces, whole, strict=True):
        assert one.token_scores == pytest.approx(other.token_scores, abs=1e-4)

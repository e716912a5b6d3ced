from __future__ import annotations

from itertools import product

import pytest
import torch

from seq2see.data.tokenizers import END, PAD, START, UNKNOWN
from seq2see.decode.beam import Beam, largest
from seq2see.decode.generate import generate
from seq2see.decode.hypothesis import ranked
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.decode.score import score_targets
from seq2see.decode.search import Live
from seq2see.nn.network import Network, Sizes
from seq2see.nn.plan import HeadRole
from seq2see.nn.settings import TransformerSettings


def greedy(network: Network, request: Request) -> tuple[int, ...]:
    """The most probable next token, one after the other, always reading everything again."""
    source, ids = torch.tensor([request.source]), [START]
    real = torch.ones_like(source, dtype=torch.bool)
    while ids[-1] != END and len(ids) <= request.limit:
        logits = network.logits(network(source, real, torch.tensor([ids])))[0, -1]
        logits[[PAD, UNKNOWN, START]] = -torch.inf
        ids.append(int(logits.argmax()))
    return tuple(ids[1:])


@torch.inference_mode()
def test_beam_1_is_greedy_search(network: Network, requests: list[Request]) -> None:
    found = generate(network, requests, SearchOptions(beam=1))
    assert [one.ids for (one,) in found] == [greedy(network, request) for request in requests]
    assert all(one.finished == (one.ids[-1] == END) for (one,) in found)


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("kind", ["transformer", "bilstm", "rnn"])
def test_a_beam_as_wide_as_the_space_finds_what_trying_all_finds(make, kind, penalty) -> None:
    network, source, limit = make(kind, size=8), [5, 7, 6, END], 4
    writable = range(4, 8)
    every = [(*ids, END) for n in range(limit) for ids in product(writable, repeat=n)]
    best = ranked(score_targets(network, [source] * len(every), every), penalty)
    options = SearchOptions(beam=300, nbest=10, length_penalty=penalty)
    (found,) = generate(network, [Request(source, limit)], options)
    assert [one.ids for one in found] == [one.ids for one in best[:10]]
    assert [one.score for one in found] == pytest.approx([one.score for one in best[:10]], abs=1e-4)


def test_the_nbest_list_is_sorted_and_distinct(network: Network, requests: list[Request]) -> None:
    for penalty in (0.0, 1.0):
        options = SearchOptions(beam=4, nbest=4, length_penalty=penalty)
        for found in generate(network, requests, options):
            assert len({one.ids for one in found}) == len(found) == 4
            ended = [one.normalised(penalty) for one in found if one.finished]
            assert ended == sorted(ended, reverse=True)
            assert [one.finished for one in found] == [True] * len(ended) + [False] * (
                4 - len(ended)
            )


def test_a_higher_penalty_gives_longer_targets(make, requests: list[Request]) -> None:
    def length(penalty: float) -> int:
        options = SearchOptions(beam=8, length_penalty=penalty)
        found = generate(make("bilstm", seed=3), requests, options)
        return sum(len(one.ids) for (one,) in found)

    assert length(0.0) < length(1.0) <= length(3.0)


def test_stopping_early_loses_nothing(make, requests: list[Request]) -> None:
    network = make("transformer")
    wide = SearchOptions(beam=60, nbest=1, length_penalty=0.5, max_length=5)
    all_of_it = SearchOptions(beam=60, nbest=60, length_penalty=0.5, max_length=5)
    few = [Request(request.source, 5) for request in requests[:3]]
    for (one,), every in zip(
        generate(network, few, wide), generate(network, few, all_of_it), strict=True
    ):
        assert one.ids == every[0].ids


def test_fewer_ways_to_go_on_than_the_beam_is_wide_are_no_trouble() -> None:
    live = Live.first(1, torch.device("cpu"))
    logits = torch.tensor([[[0.0, -torch.inf, 1.0]]])
    choices = Beam(5).choose(logits.log_softmax(-1), live)
    assert choices.token.tolist() == [[2, 0, 1]]
    assert choices.total[0, :2].exp().sum().item() == pytest.approx(1.0)
    assert choices.total[0, 2] == -torch.inf


@pytest.mark.parametrize("how", ["fixed", "bias"])
def test_hypotheses_of_heads_that_compare_tokens_are_scored_as_read_one_by_one(
    how, requests
) -> None:
    """Each hypothesis compares its own tokens, however rows were chosen on the way."""
    at = ("decoder.0.self", "decoder.0.cross", "decoder.1.cross")
    roles = tuple(HeadRole(name, n % 2, "same_token", how) for n, name in enumerate(at))
    more = (HeadRole("decoder.1.self", 0, "previous", how),)
    more += (HeadRole("decoder.1.cross", 1, "diagonal(0.2)", how),)
    settings = TransformerSettings(
        encoder_layers=1, decoder_layers=2, d_model=16, d_ff=32, heads=2, roles=roles + more
    )
    torch.manual_seed(3)
    network = Network(settings, Sizes(12, 12)).eval()
    together = generate(network, requests, SearchOptions(beam=5, nbest=5))
    for request, found in zip(requests, together, strict=True):
        [alone] = generate(network, [request], SearchOptions(beam=5, nbest=5))
        assert [one.ids for one in alone] == [one.ids for one in found]
        scored = score_targets(network, [request.source] * len(found), [one.ids for one in found])
        assert [one.score for one in scored] == pytest.approx(
            [one.score for one in found], abs=1e-4
        )


@pytest.mark.parametrize("size", [2047, 2048, 2111, 8000])
@pytest.mark.parametrize("k", [1, 2, 10, 16, 17])
def test_the_largest_of_a_wide_vocabulary_are_those_that_a_full_selection_finds(size, k) -> None:
    generator = torch.Generator().manual_seed(size + k)
    x = torch.randn((3, 2, size), generator=generator)
    x[0, 0, -3:] = 9 + torch.arange(3.0)  # in the part that fills no block
    x[0, 1, 5:] = -torch.inf  # hardly anything is allowed
    x[1, 0, :64] = torch.arange(64.0)  # all in one block
    values, places = largest(x, k)
    expected = x.topk(k, dim=-1).values
    torch.testing.assert_close(values, expected, rtol=0, atol=0)
    torch.testing.assert_close(x.gather(-1, places), expected, rtol=0, atol=0)
    assert all(len(set(row)) == k for row in places.flatten(0, 1).tolist())

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from seq2see.decode.generate import generate
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.decode.sample import Sampler, head
from seq2see.decode.search import Live
from seq2see.nn.network import Network

SAMPLE = SearchOptions(sample=True, nbest=2)


def ids(
    network: Network, requests: list[Request], options: SearchOptions
) -> list[list[tuple[int, ...]]]:
    return [[one.ids for one in each] for each in generate(network, requests, options)]


@pytest.mark.parametrize("options", [{"temperature": 1e-6}, {"top_k": 1}, {"top_p": 1e-6}])
def test_with_no_choice_left_it_is_greedy_search(network: Network, requests, options) -> None:
    expected = ids(network, requests, SearchOptions(beam=1))
    assert ids(network, requests, SearchOptions(sample=True, **options)) == expected


@pytest.mark.parametrize("options", [{}, {"top_k": 4}, {"top_p": 0.8, "temperature": 0.7}])
def test_draws_do_not_depend_on_the_lines_beside(network: Network, requests, options) -> None:
    options = replace(SAMPLE, **options)
    together = ids(network, requests, options)
    assert together == ids(network, requests, replace(options, batch_tokens=1))
    assert together[3:5] == ids(network, requests[3:5], options)


def test_the_seed_decides(make, requests: list[Request]) -> None:
    network = make("transformer")
    assert ids(network, requests, SAMPLE) == ids(network, requests, SAMPLE)
    assert ids(network, requests, SAMPLE) != ids(network, requests, replace(SAMPLE, seed=2))


def test_each_line_and_each_sample_has_its_own_luck(make, requests: list[Request]) -> None:
    same = [replace(requests[4], line=line) for line in range(1, 9)]
    drawn = [one for each in ids(make("rnn"), same, SAMPLE) for one in each]
    # Shared luck would leave two or eight; a short target may come up twice by chance.
    assert len(drawn) == 16
    assert len(set(drawn)) > 10


def test_draws_follow_the_distribution() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, -torch.inf, -1.0])
    rows = 4000
    options = SearchOptions(sample=True, temperature=2.0)
    sampler = Sampler.over([Request([3], 9, line=line) for line in range(rows)], options)
    live = Live.first(rows, torch.device("cpu"))
    choices = sampler.choose(logits.log_softmax(0).expand(rows, 1, 5), live)
    shares = np.bincount(choices.token[:, 0].numpy(), minlength=5) / rows
    np.testing.assert_allclose(shares, (logits / 2.0).softmax(0).numpy(), atol=0.025)
    expected = logits.log_softmax(0)[choices.token]
    torch.testing.assert_close(choices.score, expected)  # of the model, not of the temperature


def test_only_the_head_of_the_distribution_is_drawn_from() -> None:
    logits = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.97, 0.01, 0.01, 0.01]]).log()

    def kept(**options: float) -> list[list[bool]]:
        return (head(logits, SearchOptions(sample=True, **options)) > -torch.inf).tolist()

    assert kept() == [[True] * 4] * 2
    assert kept(top_k=9) == [[True] * 4] * 2
    assert kept(top_k=2)[0] == [False, True, False, True]
    assert kept(top_p=0.65) == [[False, True, False, True], [True, False, False, False]]
    assert kept(top_p=0.75)[0] == [False, True, True, True]
    # Within the two best, 0.4 is already 57 percent.
    assert kept(top_k=2, top_p=0.5)[0] == [False, True, False, False]

from __future__ import annotations

import pytest
import torch

from seq2see.data.tokenizers import END, START
from seq2see.decode.generate import generate
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.nn import network as nn_network
from seq2see.nn.network import Network

GREEDY = SearchOptions(beam=1)


@torch.inference_mode()
def test_stepping_with_a_state_equals_reading_all_at_once(network: Network) -> None:
    source = torch.tensor([[5, 6, 7, END], [8, END, 0, 0]])
    read = torch.tensor([[START, 9, 4, 11, 5], [START, 7, 7, 6, 10]])
    together = network.logits(network(source, source != 0, read))
    state = network.start(network.encode(source, source != 0))
    for place in range(read.shape[1]):
        logits, state = network.step(read[:, place], state)
        torch.testing.assert_close(logits, together[:, place], atol=1e-5, rtol=1e-5)


def test_search_needs_the_contract_and_nothing_else(echo) -> None:
    sources = [[7, 9, 8, 5, END], [4, END], [6, 6, 6, END]]
    for beam in (1, 3):
        requests = [Request(source, 20) for source in sources]
        found = generate(echo(12), requests, SearchOptions(beam=beam))
        assert [list(one[0].ids) for one in found] == sources


def test_a_limit_leaves_the_target_unfinished_and_is_each_rows_own(echo) -> None:
    requests = [Request([7, 9, 8, 5, END], limit) for limit in (2, 5, 3)]
    found = [one[0] for one in generate(echo(12), requests, GREEDY)]
    assert [one.ids for one in found] == [(7, 9), (7, 9, 8, 5, END), (7, 9, 8)]
    assert [one.finished for one in found] == [False, True, False]


def test_no_ngram_stands_twice(network: Network, requests: list[Request]) -> None:
    def repeats(ids: tuple[int, ...], n: int) -> bool:
        grams = [ids[i : i + n] for i in range(len(ids) - n + 1)]
        return len(set(grams)) < len(grams)

    long = [Request(request.source, 40) for request in requests]
    for n in (1, 2, 3):
        found = generate(network, long, SearchOptions(beam=3, nbest=3, no_repeat_ngram=n))
        assert not any(repeats(one.ids, n) for each in found for one in each)
    free = generate(network, long, SearchOptions(beam=3, nbest=3, length_penalty=3.0))
    assert any(repeats(one.ids, 1) for each in free for one in each)


def test_finished_rows_leave_the_batch(echo) -> None:
    sizes = []

    class Counting(echo):
        def step(self, tokens, state):
            sizes.append(len(tokens))
            return super().step(tokens, state)

    requests = [Request([7] * n + [END], 20) for n in (1, 3, 3)]
    generate(Counting(12), requests, GREEDY)
    assert sizes == [3, 3, 2, 2]


def test_rows_scored_a_few_at_a_time_give_what_all_together_give(
    network: Network, requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    options, sizes = SearchOptions(beam=3, nbest=3, batch_tokens=8192), list[int]()
    network.prediction.register_forward_hook(lambda _, __, out: sizes.append(len(out)))
    whole = generate(network, requests, options)
    assert len(set(sizes)) > 1  # watched, all rows that are left come together
    assert sizes[0] == len(requests)
    network.prediction._forward_hooks.clear()
    monkeypatch.setattr(nn_network, "NEAR", 7 * 12)  # two rows of three hypotheses
    parts = generate(network, requests, options)
    for one, other in zip(whole, parts, strict=True):
        assert [each.ids for each in one] == [each.ids for each in other]

from __future__ import annotations

import pytest
import torch

from seq2see.data.tokenizers import END, START
from seq2see.decode.ensemble import Ensemble
from seq2see.decode.generate import generate
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.errors import DecodingError
from seq2see.nn.network import Network


def test_a_network_with_itself_is_the_network(network: Network, requests: list[Request]) -> None:
    options = SearchOptions(beam=3, nbest=2)
    alone = generate(network, requests, options)
    twice = generate(Ensemble([network, network]), requests, options)
    for one, other in zip(alone, twice, strict=True):
        assert [each.ids for each in one] == [each.ids for each in other]
        assert one[0].score == pytest.approx(other[0].score, abs=1e-4)


@torch.inference_mode()
def test_two_networks_average_their_probabilities(make) -> None:
    members = [make("transformer"), make("rnn", seed=3)]
    network, source = Ensemble(members), torch.tensor([[5, 6, END]])
    state = network.start(network.encode(source, source != 0))
    apart = [one.start(one.encode(source, source != 0)) for one in members]
    for token in (START, 7, 4):
        tokens = torch.tensor([token])
        hidden, state = network.advance(tokens, state)
        logits = torch.cat([*network.predictions(hidden)])
        shares = []
        for i, one in enumerate(members):
            each, apart[i] = one.step(tokens, apart[i])
            shares.append(each.softmax(-1))
        torch.testing.assert_close(logits.exp(), (shares[0] + shares[1]) / 2)


def test_members_need_the_same_vocabularies(make) -> None:
    with pytest.raises(DecodingError, match="12/12 and 13/13"):
        Ensemble([make("rnn"), make("rnn", size=13)])
    with pytest.raises(DecodingError, match="no member"):
        Ensemble([])

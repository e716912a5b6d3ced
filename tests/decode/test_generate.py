from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2see.data.tokenizers import END
from seq2see.decode import generate as module
from seq2see.decode.generate import _shared_out, evaluating, generate
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.nn.columns import by_columns
from seq2see.nn.network import Network


@pytest.mark.parametrize("beam", [1, 4])
def test_a_line_does_not_depend_on_the_lines_beside_it(
    network: Network, requests: list[Request], beam: int
) -> None:
    options = SearchOptions(beam=beam, nbest=min(beam, 2))
    alone = [generate(network, [request], options)[0] for request in requests]
    for budget in (60, 8192):
        together = generate(network, requests, replace(options, batch_tokens=budget))
        for one, other in zip(alone, together, strict=True):
            assert [each.ids for each in one] == [each.ids for each in other]
            assert one[0].token_scores == pytest.approx(other[0].token_scores, abs=1e-4)


def test_prefixes_of_different_lengths_are_kept(network: Network, requests: list[Request]) -> None:
    prefixes = [(), (5,), (9, 9, 4), (6, 7), (), (11, 4), (8,), (4, 5, 6, 7)]
    asked = [
        replace(request, prefix=prefix, limit=request.limit + len(prefix))
        for request, prefix in zip(requests, prefixes, strict=True)
    ]
    for beam in (1, 4):
        found = generate(network, asked, SearchOptions(beam=beam, nbest=beam, no_repeat_ngram=1))
        for each, prefix in zip(found, prefixes, strict=True):
            assert each
            assert all(one.ids[: len(prefix)] == prefix for one in each)


def test_nothing_to_decode_gives_nothing(network: Network) -> None:
    assert generate(network, [], SearchOptions()) == []


def test_evaluation_mode_is_left_as_it_was_found(make) -> None:
    network = make("transformer").train()
    network.encoder.eval()
    before = {name: module.training for name, module in network.named_modules()}
    with pytest.raises(KeyError), evaluating(network):
        assert not any(module.training for module in network.modules())
        raise KeyError
    assert {name: module.training for name, module in network.named_modules()} == before


def test_a_source_of_the_end_mark_alone_is_decoded(network: Network) -> None:
    (found,) = generate(network, [Request([END], 4)], SearchOptions(beam=2))
    assert 1 <= len(found[0].ids) <= 4


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=60),
    st.integers(1, 200),
    st.integers(1, 50),
    st.integers(1, 4),
)
def test_every_row_is_in_one_group_and_groups_keep_to_the_budget(
    lengths: list[int], budget: int, least: int, workers: int
) -> None:
    groups = _shared_out(lengths, budget, least, workers)
    assert sorted(row for rows in groups for row in rows) == list(range(len(lengths)))
    for rows in groups:
        assert len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= budget


def test_groups_are_shared_out_evenly_among_the_workers() -> None:
    lengths = [*range(10, 34)] * 10
    groups = _shared_out(lengths, 2000, 100, workers=2)
    assert len(groups) == 4
    sums = [sum(lengths[row] for row in rows) for rows in groups]
    assert max(sums) < 1.1 * min(sums)
    assert len(_shared_out(lengths[:5], 2000, 100, workers=2)) == 1  # too little to part


def test_a_large_search_lays_the_weights_out_and_finds_the_same(
    network: Network, requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    laid: list[Network] = []
    monkeypatch.setattr(module, "by_columns", lambda net: laid.append(by_columns(net)) or laid[0])
    alone = generate(network, requests, SearchOptions(beam=2))
    assert not laid
    monkeypatch.setattr(module, "_WORTH", 2 * len(requests))
    together = generate(network, requests, SearchOptions(beam=2))
    assert len(laid) == 1
    for one, other in zip(alone, together, strict=True):
        assert [each.ids for each in one] == [each.ids for each in other]

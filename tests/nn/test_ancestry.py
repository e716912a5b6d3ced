from __future__ import annotations

import pytest
import torch

from helpers import network, normal, same, tokens, transformer_settings, watched
from seq2see.nn.ancestry import ANCESTRY, grown, of_each_row, own_past, side_by_side
from seq2see.nn.network import Network

REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()


def test_positions_of_a_sources_rows_stand_one_behind_the_other() -> None:
    x = torch.arange(4.0)[:, None, None, None].expand(4, 2, 3, 1)  # the number of its row
    laid = side_by_side(x, 2)
    assert laid.shape == (2, 2, 6, 1)
    assert laid[0, 1, :, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert laid[1, 0, :, 0].tolist() == [2, 2, 2, 3, 3, 3]
    assert side_by_side(x, 1) is x


def test_rows_see_their_own_past_and_nobody_elses() -> None:
    first = grown(torch.zeros((1, 0), dtype=torch.int64), 0, 2, 1)
    assert first.tolist() == [[0, 1]]
    second = grown(first[[0, 0, 0]], 2, 1, 3)
    assert second.tolist() == [[0, 1, 2], [0, 1, 3], [0, 1, 4]]
    third = grown(second[[2, 0]], 5, 1, 2)  # the third and the first hypothesis went on
    assert third.tolist() == [[0, 1, 4, 5], [0, 1, 2, 6]]
    mask = own_past(third, 7, 1, 2)
    assert mask.shape == (1, 1, 2, 7)
    assert mask[0, 0].int().tolist() == [[1, 1, 0, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0, 1]]


def test_several_new_positions_look_at_those_before_them() -> None:
    ancestry = grown(torch.tensor([[1], [0]]), 2, 2, 2)
    mask = own_past(ancestry, 6, 2, 2)[0, 0].int().tolist()
    assert mask == [
        [0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 0, 0],
        [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 1, 1],
    ]  # fmt: skip


def test_a_cache_of_ones_own_is_what_the_ancestry_says() -> None:
    cache = normal(2, 3, 4, 5)
    ancestry = torch.tensor([[0, 3], [1, 2], [2, 2], [3, 0]])
    own = of_each_row(cache, ancestry)
    for row in range(4):
        same(own[row], cache[row // 2][:, ancestry[row]])


def beams(net: Network, *, share: bool) -> list[torch.Tensor]:
    """Steps with hypotheses that are chosen anew each time, a source that leaves at the end."""
    state = net.start(net.encode(tokens(2, 4), REAL))
    if not share:
        state.tensors.pop(ANCESTRY)
    _, state = net.decode(tokens(2, 2, seed=5), state)
    found, width = [], 1
    for step, chosen in enumerate(([0, 0, 1, 1], [1, 1, 2, 3], [1, 0, 3, 3], [3, 2])):
        state = state.select(torch.tensor(chosen), width := 2)
        logits, state = net.step(tokens(len(chosen), 1, seed=step)[:, 0], state)
        found.append(logits)
    more, _ = net.decode(tokens(width, 3, seed=9), state)
    return [*found, more]


@pytest.mark.parametrize("positions", ["sinusoidal", "rotary", "none", "learned"])
def test_a_shared_cache_changes_nothing(positions: str) -> None:
    net = network(transformer_settings(positions=positions, decoder_layers=2, kv_heads=1)).eval()
    for one, other in zip(beams(net, share=True), beams(net, share=False), strict=True):
        same(one, other)


def test_who_watches_gets_a_row_a_hypothesis_even_from_a_state_that_shares() -> None:
    net = network(transformer_settings()).eval()
    _, state = net.decode(tokens(2, 2), net.start(net.encode(tokens(2, 4), REAL)))
    state = state.select(torch.tensor([0, 0, 1, 1]), 2)
    token = tokens(4, 1, seed=1)[:, 0]
    plain, _ = net.step(token, state)
    with watched(net) as seen:
        logits, after = net.step(token, state)
    same(logits, plain)
    assert seen["decoder.0.self.pattern"][0].shape[::3] == (4, 3)
    assert ANCESTRY not in after.tensors


@pytest.mark.parametrize("settings", [{"positions": "alibi"}, {}], ids=str)
def test_rows_have_caches_of_their_own_in_training_and_under_a_penalty_for_distance(
    settings: dict[str, str],
) -> None:
    net = network(transformer_settings(**settings))
    net.train(not settings)
    assert ANCESTRY not in net.start(net.encode(tokens(2, 4), REAL)).tensors
    assert (ANCESTRY in net.eval().start(net.encode(tokens(2, 4), REAL)).tensors) is not settings


def test_a_state_that_parts_before_its_first_position_goes_on() -> None:
    net = network(transformer_settings()).eval()
    state = net.start(net.encode(tokens(2, 4), REAL))
    token = tokens(4, 1)[:, 0]
    parted, after = net.step(token, state.select(torch.tensor([0, 0, 1, 1]), 2))
    alone, _ = net.step(token, state.select(torch.tensor([0, 0, 1, 1])))
    same(parted, alone)
    net.step(token, after.select(torch.tensor([1, 0, 2, 2]), 2))

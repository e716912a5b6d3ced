"""What passes between encoder, decoder and search: rows can be taken, repeated, dropped."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch

from helpers import network, recurrent_settings, same, tokens, transformer_settings, watched
from seq2see.nn.settings import Settings
from seq2see.nn.state import TensorState

REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]]).bool()
ROWS = torch.tensor([2, 0, 0])
EACH = [
    transformer_settings(positions="alibi", kv_heads=1),
    transformer_settings(positions="rotary", heads=2, decoder_layers=2),
    recurrent_settings("lstm", encoder_layers=2, decoder_layers=2),
    recurrent_settings("gru", attention="none"),
]


def test_select_takes_rows_in_order_and_repeats_them() -> None:
    state = TensorState(4, {"real": REAL}, {"h": torch.arange(6.0).view(3, 2)})
    taken = state.select(ROWS)
    assert taken.length == 4
    assert taken.tensors["h"].tolist() == [[4, 5], [0, 1], [0, 1]]
    assert torch.equal(taken.source["real"], REAL[[2, 0, 0]])
    assert state.tensors["h"].shape == (3, 2)


def test_rows_of_one_source_share_what_is_kept_of_it() -> None:
    state = TensorState(1, {"real": REAL}, {"h": torch.arange(3.0)})
    beams = state.select(torch.tensor([0, 0, 1, 1, 2, 2]), 2)
    assert beams.source["real"] is REAL
    assert beams.tensors["h"].tolist() == [0, 0, 1, 1, 2, 2]
    fewer = beams.select(torch.tensor([1, 0, 4, 5]), 2)
    assert torch.equal(fewer.source["real"], REAL[[0, 2]])
    assert fewer.tensors["h"].tolist() == [0, 0, 2, 2]
    one = fewer.select(torch.tensor([3]))
    assert torch.equal(one.source["real"], REAL[[2]])


def test_select_of_no_row_leaves_none() -> None:
    taken = TensorState(1, {"real": REAL}, {"h": torch.ones(3, 2)}).select(
        torch.tensor([], dtype=torch.long)
    )
    assert taken.tensors["h"].shape == (0, 2)
    assert taken.source["real"].shape == (0, 4)


@pytest.mark.parametrize("settings", EACH, ids=str)
def test_stepping_selected_rows_is_selecting_stepped_rows(settings: Settings) -> None:
    net = network(settings)
    _, state = net.decode(tokens(3, 2), net.start(net.encode(tokens(3, 4), REAL)))
    token = tokens(3, 1, seed=1)[:, 0]
    whole, after = net.step(token, state)
    part, after_part = net.step(token[ROWS], state.select(ROWS))
    same(part, whole[ROWS])
    assert after_part.length == after.length
    for kept, before in ((after_part.tensors, after.tensors), (after_part.source, after.source)):
        assert kept.keys() == before.keys()
        for name, tensor in kept.items():
            same(tensor, before[name][ROWS])


@pytest.mark.parametrize("settings", EACH, ids=str)
@pytest.mark.parametrize("watching", [False, True])
def test_hypotheses_of_one_source_step_as_they_would_alone(
    settings: Settings, watching: bool
) -> None:
    net = network(settings)
    _, state = net.decode(tokens(3, 2), net.start(net.encode(tokens(3, 4), REAL)))
    rows = torch.tensor([0, 0, 2, 2])
    token = tokens(4, 1, seed=1)[:, 0]
    alone, _ = net.step(token, state.select(rows))
    with watched(net) if watching else nullcontext({}) as seen:
        beams, after = net.step(token, state.select(rows, 2))
    same(beams, alone)
    assert len(next(iter(after.source.values()))) == 2
    for name, values in seen.items():
        assert all(len(value) == 4 for value in values), name

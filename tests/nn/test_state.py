"""What passes between encoder, decoder and search: rows can be taken, repeated, dropped."""

from __future__ import annotations

import pytest
import torch

from helpers import network, recurrent_settings, same, tokens, transformer_settings
from seq2see.nn.settings import Settings
from seq2see.nn.state import TensorState

REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]]).bool()
ROWS = torch.tensor([2, 0, 0])
BOTH = [
    transformer_settings(positions="alibi", kv_heads=1),
    recurrent_settings("lstm", encoder_layers=2, decoder_layers=2),
    recurrent_settings("gru", attention="none"),
]


def test_select_takes_rows_in_order_and_repeats_them() -> None:
    state = TensorState(4, {"h": torch.arange(6.0).view(3, 2), "real": REAL})
    taken = state.select(ROWS)
    assert taken.length == 4
    assert taken.tensors["h"].tolist() == [[4, 5], [0, 1], [0, 1]]
    assert torch.equal(taken.tensors["real"], REAL[[2, 0, 0]])
    assert state.tensors["h"].shape == (3, 2)


def test_select_of_no_row_leaves_none() -> None:
    taken = TensorState(1, {"h": torch.ones(3, 2)}).select(torch.tensor([], dtype=torch.long))
    assert taken.tensors["h"].shape == (0, 2)


@pytest.mark.parametrize("settings", BOTH, ids=str)
def test_stepping_selected_rows_is_selecting_stepped_rows(settings: Settings) -> None:
    net = network(settings)
    _, state = net.decode(tokens(3, 2), net.start(net.encode(tokens(3, 4), REAL)))
    token = tokens(3, 1, seed=1)[:, 0]
    whole, after = net.step(token, state)
    part, after_part = net.step(token[ROWS], state.select(ROWS))
    same(part, whole[ROWS])
    assert after_part.length == after.length
    assert after_part.tensors.keys() == after.tensors.keys()
    for name, tensor in after_part.tensors.items():
        same(tensor, after.tensors[name][ROWS])

"""Shares of what the heads of an attention write, against what each writes alone."""

from __future__ import annotations

import pytest
import torch

from helpers import normal, randomised, same
from seq2see.look.written import written_norms, written_shares
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.heads import HeadSizes


@pytest.mark.parametrize("projections", [True, False])
def test_shares_are_of_the_norms_of_what_each_head_adds_alone(projections: bool) -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(6, 3, 3, 2, 2, projections=projections)))
    context = normal(2, 3, 4, 2)  # row head query d_value
    alone = []
    for head in range(3):
        only = torch.zeros_like(context)
        only[:, head] = context[:, head]
        joined = only.transpose(1, 2).flatten(2)
        added = layer.output(joined) - (layer.output.bias if projections else 0.0)
        alone.append(added.norm(dim=-1))
    norms = torch.stack(alone, 1)
    same(written_shares(layer, context), norms / norms.sum(1, keepdim=True))


def test_without_a_map_to_values_their_own_features_are_written() -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(6, 3, 3, 2, 2, value_projection=False)))
    x = normal(2, 4, 6)
    _, values = layer.keys_values(x)
    alone = []
    for head in range(3):
        only = torch.zeros_like(x)
        only[..., 2 * head : 2 * head + 2] = x[..., 2 * head : 2 * head + 2]
        alone.append((layer.output(only) - layer.output.bias).norm(dim=-1))
    same(written_norms(layer, values), torch.stack(alone, 1))


def test_heads_that_write_nothing_have_no_share() -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(6, 3, 3, 2, 2)))
    same(written_shares(layer, torch.zeros(1, 3, 2, 2).double()), torch.zeros(1, 3, 2).double())

"""The parameters of one head: changing them changes what it does, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from helpers import network, recurrent_settings, same, tokens, transformer_settings, watched
from seq2see.errors import ConfigError
from seq2see.nn.network import Network
from seq2see.nn.plan import HeadRole
from seq2see.nn.slices import clone_head, head_slices

SELF, REAL = "encoder.0.self", torch.ones(2, 5).bool()
BIASED = tuple(HeadRole(SELF, head, "previous") for head in (1, 2))
FIXED = (HeadRole(SELF, 0, "first", "fixed"),)


def contexts(net: Network) -> torch.Tensor:
    with watched(net) as seen, torch.no_grad():
        net(tokens(2, 5), REAL, tokens(2, 3))
    return seen[f"{SELF}.context"][0]


@pytest.mark.parametrize("roles", [(), BIASED, FIXED], ids=["none", "biased", "fixed"])
@pytest.mark.parametrize("head", [0, 2])
def test_only_its_own_head_depends_on_them(roles: Any, head: int) -> None:
    net = network(transformer_settings(d_model=12, heads=3, d_key=3, d_value=5, roles=roles))
    before, parameters = contexts(net), dict(net.named_parameters())
    parts = head_slices(net, SELF, head)
    with torch.no_grad():
        for part in parts:
            part.of(parameters[part.name]).add_(0.3)
    others = [each for each in range(3) if each != head]
    same(contexts(net)[:, others], before[:, others])
    assert not torch.allclose(contexts(net)[:, head], before[:, head])
    every = [part for each in range(3) for part in head_slices(net, SELF, each)]
    covered = sum(part.of(parameters[part.name]).numel() for part in every)
    own = sum(p.numel() for name, p in parameters.items() if name.startswith(f"{SELF}."))
    assert covered == own - 12  # the bias of the output map belongs to no head


def test_a_map_that_serves_both_is_listed_once_and_none_is_not() -> None:
    net = network(transformer_settings(tied_query_key=True, value_projection=False))
    names = [part.name for part in head_slices(net, SELF, 1)]
    assert names == [f"{SELF}.{each}" for each in ("query.weight", "query.bias", "output.weight")]
    assert set(names) < set(dict(net.named_parameters()))


def test_a_clone_with_one_map_for_query_and_key_does_what_its_twin_does() -> None:
    net = network(transformer_settings(tied_query_key=True))
    clone_head(net, SELF, 0, 1)
    same(contexts(net)[:, 0], contexts(net)[:, 1])


def test_a_clone_does_what_its_twin_does_and_learns_alike() -> None:
    net = network(transformer_settings(d_model=12, heads=3, roles=BIASED))
    clone_head(net, SELF, 1, 2)
    found = contexts(net)
    same(found[:, 1], found[:, 2])
    net(tokens(2, 5), REAL, tokens(2, 3)).square().sum().backward()
    gradients = {name: p.grad for name, p in net.named_parameters()}
    twins = zip(head_slices(net, SELF, 1), head_slices(net, SELF, 2), strict=True)
    for one, two in twins:
        same(one.of(gradients[one.name]), two.of(gradients[two.name]))


def test_without_output_the_columns_stay_their_own() -> None:
    net = network(transformer_settings())
    before = net.get_submodule(SELF).output.weight.detach().clone()
    clone_head(net, SELF, 0, 1, with_output=False)
    same(net.get_submodule(SELF).output.weight.detach(), before)
    same(contexts(net)[:, 0], contexts(net)[:, 1])


@pytest.mark.parametrize(
    ("changes", "at", "said"),
    [
        ({}, "encoder.0.slef", r"Did you mean encoder\.0\.self"),
        ({"heads": 1}, SELF, "heads from 0 to 0"),
        ({"kv_heads": 1}, SELF, "share their keys"),
        ({"projections": False}, SELF, "no maps of their own"),
        ({"roles": FIXED}, SELF, "different roles"),
        ({"value_projection": False}, SELF, "no copying makes them equal"),
    ],
    ids=str,
)
def test_what_has_no_parameters_of_its_own_is_refused(
    changes: dict[str, Any], at: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        clone_head(network(transformer_settings(**changes)), at, 0, 1)


def test_a_recurrent_network_has_no_such_heads() -> None:
    with pytest.raises(ConfigError, match="no Transformer"):
        head_slices(network(recurrent_settings("gru")), "decoder.cross", 0)

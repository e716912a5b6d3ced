from __future__ import annotations

import torch
from torch import nn

from helpers import network, recurrent_settings, same, tokens, transformer_settings
from seq2see.nn.columns import by_columns

SOURCE, REAL, TARGET = tokens(3, 4), torch.ones(3, 4, dtype=torch.bool), tokens(3, 6, seed=1)


def test_the_numbers_are_the_same_and_lie_column_by_column() -> None:
    for settings in (transformer_settings(tied="all"), recurrent_settings("lstm")):
        net = network(settings).float()
        laid = by_columns(net)
        for name, weight in net.state_dict().items():
            assert torch.equal(weight, laid.state_dict()[name])
        maps = [module for module in laid.modules() if isinstance(module, nn.Linear)]
        assert all(module.weight.T.is_contiguous() for module in maps)
        with torch.no_grad():
            same(laid(SOURCE, REAL, TARGET), net(SOURCE, REAL, TARGET), tolerance=1e-5)


def test_the_given_network_stays_as_it_is_and_all_else_is_shared() -> None:
    net = network(transformer_settings(tied="all")).float()
    laid = by_columns(net)
    assert net.output.weight is net.target.table.weight
    assert net.output.weight.is_contiguous()
    assert laid.target.table.weight is net.target.table.weight
    seen: list[torch.Tensor] = []
    handle = net.prediction.register_forward_hook(lambda *given: seen.append(given[-1]))
    laid.logits(laid(SOURCE, REAL, TARGET))
    assert len(seen) == 1
    handle.remove()


def test_other_precisions_stay_where_they_are() -> None:
    net = network(transformer_settings()).bfloat16()
    laid = by_columns(net)
    for one, other in zip(net.parameters(), laid.parameters(), strict=True):
        assert one is other

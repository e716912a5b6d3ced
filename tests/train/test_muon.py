"""Muon against torch's own, and against what orthogonal means."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seq2see.nn.network import Network, Sizes
from seq2see.nn.settings import RecurrentSettings, TransformerSettings
from seq2see.train.muon import Muon, orthogonal
from seq2see.train.optimizer import Optimizer
from seq2see.train.settings import TrainSettings

SHAPES = [(6, 6), (6, 6), (4, 10), (10, 4)]


def matrices() -> list[nn.Parameter]:
    torch.manual_seed(3)
    return [nn.Parameter(torch.randn(shape)) for shape in SHAPES]


def gradient(step: int, matrix: Tensor) -> Tensor:
    return torch.randn(matrix.shape, generator=torch.Generator().manual_seed(step))


def test_steps_are_those_of_torch_s_own_class() -> None:
    ours, theirs = matrices(), matrices()
    rule = Muon(ours, weight_decay=0.1, dtype=torch.bfloat16)
    model = torch.optim.Muon(theirs, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for step in range(1, 6):
        for optimizer, weights in ((rule, ours), (model, theirs)):
            for matrix in weights:
                matrix.grad = gradient(step, matrix)
            for group in optimizer.param_groups:
                group["lr"] = 0.02
            optimizer.step()
    moved = [(a - b).abs().mean() for a, b in zip(ours, matrices(), strict=True)]
    apart = [(a - b).abs().mean() for a, b in zip(ours, theirs, strict=True)]
    # bfloat16 keeps eight bits, and the two round in another order.
    assert max(x / y for x, y in zip(apart, moved, strict=True)) < 0.02


@pytest.mark.parametrize("shape", [(5, 8, 8), (2, 3, 12), (2, 12, 3)])
def test_singular_values_come_near_one_and_singular_vectors_stay(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = torch.randn(shape)
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    turned = u.mT @ orthogonal(x) @ v.mT
    values = turned.diagonal(dim1=-2, dim2=-1)
    large = s > 0.05 * s.amax(-1, keepdim=True)
    assert values[large].min() > 0.6
    assert values.max() < 1.3
    assert (turned - torch.diag_embed(values)).abs().max() < 1e-3


def test_a_matrix_without_a_gradient_stays() -> None:
    first, second, *_ = weights = matrices()
    before = second.detach().clone()
    rule = Muon(weights, weight_decay=0.1)
    rule.param_groups[0]["lr"] = 0.1
    first.grad = torch.ones_like(first)
    rule.step()
    assert torch.equal(second, before)
    assert not torch.equal(first, matrices()[0])


@pytest.mark.parametrize(
    ("settings", "tables"),
    [
        (
            TransformerSettings(d_model=8, d_ff=16, heads=2, positions="learned"),
            {"source.table.weight", "source.positions.table", "target.positions.table"},
        ),
        (RecurrentSettings("gru", d_embedding=8, d_hidden=8, tied="none"), {"output.weight"}),
    ],
)
def test_tables_of_vectors_stay_with_adamw(
    settings: TransformerSettings | RecurrentSettings, tables: set[str]
) -> None:
    network = Network(settings, Sizes(11, 12))
    kept = Optimizer(network, TrainSettings(optimizer="muon"))
    adamw, muon = (
        {id(p) for group in rule.param_groups for p in group["params"]} for rule in kept.rules
    )
    names = {name for name, p in network.named_parameters() if id(p) in muon}
    assert tables | {"target.table.weight"} <= {
        name for name, p in network.named_parameters() if id(p) in adamw
    }
    assert all(network.get_parameter(name).dim() == 2 for name in names)
    assert any(name.startswith("encoder.") for name in names)
    assert len(adamw) + len(muon) == len(list(network.parameters()))


def test_a_map_that_serves_query_and_key_is_stepped_once() -> None:
    settings = TransformerSettings(d_model=8, d_ff=16, heads=2, tied_query_key=True)
    network = Network(settings, Sizes(11, 12))
    kept = Optimizer(network, TrainSettings(optimizer="muon"))
    [muon] = (rule for rule in kept.rules if isinstance(rule, Muon))
    steps = [p for group in muon.param_groups for p in group["params"]]
    shared = network.get_parameter("encoder.0.self.key.weight")
    assert sum(p is shared for p in steps) == 1
    assert len({id(p) for p in steps}) == len(steps)

"""What a role does to a head: exactly, in parameters, in gradients, on every path."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers import network, normal, same, tokens, transformer_settings, watched
from seq2see.nn import attention
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.heads import HeadSizes
from seq2see.nn.network import Network, Sizes
from seq2see.nn.places import in_source
from seq2see.nn.plan import HeadRole

REAL = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool()
SOURCE, TARGET = tokens(2, 5), tokens(2, 6, seed=1)
SELF, CROSS = "encoder.0.self", "decoder.0.cross"


def programmed(*roles: HeadRole, **changes: Any) -> Network:
    return network(transformer_settings(roles=roles, **changes))


def seen(net: Network, name: str) -> Tensor:
    """What passes a tap along SOURCE and TARGET."""
    with watched(net) as values, torch.no_grad():
        net(SOURCE, REAL, TARGET)
    return values[name][0]


def test_a_fixed_head_looks_where_its_role_says_and_nowhere_else() -> None:
    net = programmed(HeadRole(SELF, 1, "previous", "fixed"), HeadRole(CROSS, 0, "last", "fixed"))
    found = seen(net, f"{SELF}.pattern")[:, 1]
    expected = torch.diag(torch.ones(4), -1).double()
    same(found[0], expected)
    same(found[1, :3], expected[:3])  # the first query reads nothing
    assert seen(net, f"{CROSS}.pattern")[:, 0].argmax(-1).tolist() == [[4] * 6, [2] * 6]
    assert bool((seen(net, f"{SELF}.pattern")[:, 0].sum(-1) - 1).abs().lt(1e-9).all())


def test_the_first_head_s_query_and_key_are_the_second_s_without_the_fixed_one() -> None:
    net, plain = programmed(HeadRole(SELF, 0, "self", "fixed")), programmed()
    layer, whole = net.get_submodule(SELF), plain.get_submodule(SELF)
    layer.query.weight.data = whole.query.weight.data[4:].clone()
    layer.query.bias.data = whole.query.bias.data[4:].clone()
    layer.key.weight.data = whole.key.weight.data[4:].clone()
    layer.key.bias.data = whole.key.bias.data[4:].clone()
    for name in ("value", "output"):
        layer.get_submodule(name).load_state_dict(whole.get_submodule(name).state_dict())
    net.source.load_state_dict(plain.source.state_dict())
    ours = net.encoder.get_submodule("0").around_self
    ours.load_state_dict(plain.encoder.get_submodule("0").around_self.state_dict())
    same(seen(net, f"{SELF}.pattern")[:, 1], seen(plain, f"{SELF}.pattern")[:, 1])
    same(seen(net, f"{SELF}.scores"), seen(plain, f"{SELF}.scores")[:, 1:])


def test_a_fixed_head_has_no_parameters_for_query_and_key() -> None:
    plain = programmed().parameter_count
    one = 2 * (8 * 4 + 4)
    assert plain - programmed(HeadRole(SELF, 0, "next", "fixed")).parameter_count == one
    both = [HeadRole(SELF, head, "uniform", "fixed") for head in (0, 1)]
    net = programmed(*both)
    assert plain - net.parameter_count == 2 * one
    same(seen(net, f"{SELF}.pattern")[0], torch.full((2, 5, 5), 0.2).double())


def test_a_decoder_all_of_whose_heads_are_fixed_decodes_several_rows() -> None:
    at = ("decoder.0.self", CROSS)
    net = programmed(*(HeadRole(name, head, "uniform", "fixed") for name in at for head in (0, 1)))
    even = torch.ones(6, 6).tril().double()
    found = seen(net, "decoder.0.self.pattern").float()  # weights of roles are of that precision
    same(found, (even / even.sum(-1, keepdim=True)).float().expand(2, 2, 6, 6))


@pytest.mark.parametrize(("gain", "mass"), [(4.0, 0.52), (6.0, 0.86), (8.0, 0.97)])
def test_a_bias_pulls_its_share_of_the_mass(gain: float, mass: float) -> None:
    """Among n keys with equal scores e^g / (e^g + n - 1); less where the other scores vary."""
    role = HeadRole("encoder.0.self", 0, "previous", gain=gain)
    layer = MultiHeadAttention(HeadSizes(8, 2, 2, 64, 1), [role])
    places, mask = in_source(None, torch.ones(4, 32).bool()), torch.ones(1, 1, 1, 1).bool()

    def share(q: Tensor, k: Tensor) -> float:
        terms = layer.terms(places, mask, q)
        with watched(layer) as values, torch.no_grad():
            layer(q, k, torch.ones(4, 2, 32, 1), mask, *terms)
        free = values["pattern"][0][:, 1].diagonal(-1, dim1=-2, dim2=-1)
        assert float(free.mean()) < 0.1
        return float(values["pattern"][0][:, 0].diagonal(-1, dim1=-2, dim2=-1).mean())

    q, k = normal(4, 2, 32, 64).float(), normal(4, 2, 32, 64, seed=1).float()
    assert share(0 * q, k) == pytest.approx(math.exp(gain) / (math.exp(gain) + 31), rel=1e-5)
    assert share(q, k) == pytest.approx(mass, abs=0.03)  # scores of deviation 1


@pytest.mark.parametrize(
    ("role", "offset"),
    [("previous", -1), ("next", 1), ("self", 0), ("gaussian(-3, width=0.5)", -3)],
)
def test_an_init_head_begins_in_its_role(role: str, offset: int) -> None:
    """Whatever the tokens are: its query and key read positions alone."""
    settings = transformer_settings(
        d_model=128, heads=8, roles=(HeadRole(SELF, 3, role, "init"),), dropout=0.0
    )
    torch.manual_seed(0)
    net = Network(settings, Sizes(11, 11)).eval()
    with watched(net.encoder) as values, torch.no_grad():
        net.encode(tokens(2, 32), torch.ones(2, 32).bool())
    pattern = values["0.self.pattern"][0][:, 3]
    mass = pattern.diagonal(offset, dim1=-2, dim2=-1)
    assert float(mass.mean()) > 0.9
    same(pattern[0], pattern[1], 1e-5)
    other = values["0.self.pattern"][0][:, 2]
    assert float(other.diagonal(offset, dim1=-2, dim2=-1).mean()) < 0.3


def test_the_first_step_away_costs_an_init_head_its_gain() -> None:
    settings = transformer_settings(
        d_model=16, roles=(HeadRole("decoder.0.self", 0, "previous", "init", gain=5.0),)
    )
    net = Network(settings, Sizes(11, 11)).eval()
    scores = seen(net, "decoder.0.self.scores")[0, 0]
    drops = scores[4, 3] - scores[4, 2], scores[4, 3] - scores[4, 4]
    assert [float(drop) for drop in drops] == pytest.approx([5.0, 5.0], abs=1e-4)


def test_an_init_head_learns_like_any_other() -> None:
    net = programmed(HeadRole(SELF, 1, "previous", "init"))
    net(SOURCE, REAL, TARGET).square().sum().backward()
    layer = net.get_submodule(SELF)
    for linear in (layer.query, layer.key):
        assert bool(linear.weight.grad[4:].abs().sum() > 0)


def test_gradients_of_gains_are_right() -> None:
    net = programmed(
        HeadRole(SELF, 1, "gaussian(1)"),
        HeadRole("decoder.0.self", 0, "previous"),
        HeadRole(CROSS, 0, "diagonal(0.3)"),
        HeadRole(CROSS, 1, "first"),
    )
    gains = [p for name, p in net.named_parameters() if name.endswith("gains")]
    assert [len(p) for p in gains] == [1, 1, 2]

    def loss() -> Tensor:
        return (net(SOURCE, REAL, TARGET) * normal(2, 6, 8, seed=4)).sum()

    found = torch.autograd.grad(loss(), gains)
    for parameter, gradient in zip(gains, found, strict=True):
        for i in range(len(parameter)):
            ends = []
            for step in (1e-5, -2e-5):
                parameter.data[i] += step
                ends.append(loss().item())
            parameter.data[i] += 1e-5
            assert float(gradient[i]) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


@pytest.mark.parametrize("positions", ["rotary", "alibi"])
@pytest.mark.parametrize("how", ["bias", "fixed"])
def test_the_fused_kernel_agrees_or_stands_back(
    positions: str, how: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = [HeadRole(at, 0, "window(1)", how) for at in (SELF, "decoder.0.self", CROSS)]
    net = programmed(*roles, positions=positions)
    monkeypatch.setattr(attention, "LONG", 1)
    quick = net(SOURCE, REAL, TARGET)
    wanted = list(net.parameters())
    ours = torch.autograd.grad(quick.square().sum(), wanted, allow_unused=True)
    with watched(net):
        slow = net(SOURCE, REAL, TARGET)
        theirs = torch.autograd.grad(slow.square().sum(), wanted, allow_unused=True)
    same(quick, slow)
    for a, b in zip(ours, theirs, strict=True):
        if a is not None:
            same(a, b)


def test_alibi_keeps_each_head_s_own_slope_beside_a_fixed_head() -> None:
    net = programmed(HeadRole(SELF, 0, "self", "fixed"), positions="alibi")
    layer = net.get_submodule(SELF)
    for linear in (layer.query, layer.key):
        linear.weight.data.zero_()
        linear.bias.data.zero_()
    scores = seen(net, f"{SELF}.scores")
    assert scores.shape[1] == 1
    assert float(scores[0, 0, 0, 1]) == -(2.0**-8)  # the second of two heads


def test_roles_survive_bfloat16() -> None:
    net = programmed(HeadRole(SELF, 0, "previous", "fixed"), HeadRole(SELF, 1, "next"))
    assert net.to(torch.bfloat16)(SOURCE, REAL, TARGET).isfinite().all()

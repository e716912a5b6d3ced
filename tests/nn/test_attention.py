"""The attention equation, by hand; the lecture's claims about it, measured."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from helpers import normal, randomised, same, watched
from seq2see.nn.attention import (
    HeadSizes,
    MultiHeadAttention,
    attention,
    attention_weights,
    join_heads,
    split_heads,
)
from seq2see.nn.state_attention import StateAttention

EVERYWHERE = torch.ones(1, 1, 1, 1, dtype=torch.bool)


def plain(d: int, **changes: object) -> MultiHeadAttention:
    """One head without parameters: the vectors themselves are queries, keys and values."""
    return raw(HeadSizes(d, 1, 1, d, d, projections=False, **changes))  # type: ignore[arg-type]


def raw(sizes: HeadSizes) -> MultiHeadAttention:
    return MultiHeadAttention(sizes).double().eval()


def look(layer: MultiHeadAttention, x: Tensor, mask: Tensor = EVERYWHERE) -> Tensor:
    """Self-attention of `x`."""
    return layer(layer.queries(x), *layer.keys_values(x), mask)


def pattern(layer: MultiHeadAttention, x: Tensor, mask: Tensor = EVERYWHERE) -> Tensor:
    with watched(layer) as seen:
        look(layer, x, mask)
    return seen["pattern"][0]


def test_the_equation_by_hand() -> None:
    q = torch.tensor([[[[1.0, 0.0], [2.0, 2.0]]]], dtype=torch.float64)
    k = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]], dtype=torch.float64)
    v = torch.tensor([[[[1.0], [3.0]]]], dtype=torch.float64)
    high = math.exp(1 / math.sqrt(2))
    first = (high * 1 + 1 * 3) / (high + 1)
    same(attention(q, k, v, EVERYWHERE), torch.tensor([[[[first], [2.0]]]], dtype=torch.float64))


def test_a_masked_key_weighs_nothing_and_the_rest_sums_to_one() -> None:
    mask = torch.tensor([[[[True, True, False], [False, True, False], [False, False, False]]]])
    weights = attention_weights(normal(2, 4, 3, 3), mask)
    same(weights.sum(-1), torch.tensor([1.0, 1.0, 0.0]).double().expand(2, 4, 3))
    assert torch.equal(weights == 0, ~mask.expand(2, 4, 3, 3))
    assert bool((weights >= 0).all())


def test_weights_do_not_change_when_a_constant_is_added_to_all_scores_of_a_query() -> None:
    scores = normal(1, 1, 3, 4)
    shift = torch.tensor([-100.0, 0.0, 50.0]).double()[:, None]
    same(attention_weights(scores, EVERYWHERE), attention_weights(scores + shift, EVERYWHERE))


def test_weights_stay_finite_for_huge_scores() -> None:
    weights = attention_weights(torch.tensor([[[[1e30, 0.0, -1e30]]]]), EVERYWHERE)
    assert weights.flatten().tolist() == [1.0, 0.0, 0.0]


def test_a_query_that_may_look_nowhere_reads_zeros() -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(8, 2, 2, 4, 4)))
    mask = torch.tensor([True, False, True])[None, None, :, None].expand(1, 1, 3, 3)
    y = look(layer, normal(1, 3, 8), mask)
    same(y[0, 1], layer.output.bias.detach())


@pytest.mark.parametrize("shape", [(4, 4, 4), (4, 3, 5), (2, 6, 1)], ids=str)
def test_the_layer_is_the_equation_on_each_head(shape: tuple[int, int, int]) -> None:
    heads, d_key, d_value = shape
    layer = randomised(MultiHeadAttention(HeadSizes(8, heads, heads, d_key, d_value)))
    x = normal(2, 5, 8)
    mask = normal(2, 1, 5, 5, seed=1) > -0.5
    q = layer.query(x).view(2, 5, heads, d_key).transpose(1, 2)
    k = layer.key(x).view(2, 5, heads, d_key).transpose(1, 2)
    v = layer.value(x).view(2, 5, heads, d_value).transpose(1, 2)
    each = [attention(q[:, [h]], k[:, [h]], v[:, [h]], mask)[:, 0] for h in range(heads)]
    same(look(layer, x, mask), layer.output(torch.cat(each, -1)))


def test_there_are_as_many_keys_as_values_and_their_sizes_may_differ() -> None:
    layer = MultiHeadAttention(HeadSizes(8, 4, 2, d_key=3, d_value=5)).double()
    k, v = layer.keys_values(normal(2, 7, 8))
    assert k.shape == (2, 2, 7, 3)
    assert v.shape == (2, 2, 7, 5)
    assert layer.queries(normal(2, 6, 8)).shape == (2, 4, 6, 3)
    assert layer(layer.queries(normal(2, 6, 8)), k, v, EVERYWHERE).shape == (2, 6, 8)


def test_query_key_and_value_are_three_views_with_parameters_of_their_own() -> None:
    layer = MultiHeadAttention(HeadSizes(8, 2, 2, 4, 4))
    maps = [layer.query, layer.key, layer.value, layer.output]
    assert len({parameter.data_ptr() for m in maps for parameter in m.parameters()}) == 8
    assert not torch.equal(layer.query.weight, layer.key.weight)


def test_raw_self_attention_is_softmax_of_the_vectors_own_products() -> None:
    layer = plain(6)
    x = normal(2, 5, 6)
    scores = torch.einsum("bid,bjd->bij", x, x) / math.sqrt(6)
    weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
    same(look(layer, x), torch.einsum("bij,bjd->bid", weights, x))
    assert list(layer.parameters()) == []


def test_raw_self_attention_by_hand() -> None:
    x = torch.tensor([[[1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]]], dtype=torch.float64)
    own, other = math.exp(1 / 2), math.exp(4 / 2)  # x_i . x_i / sqrt(4); the products across are 0
    expected = torch.zeros(1, 2, 4, dtype=torch.float64)
    expected[0, 0, :2] = torch.tensor([own, 2.0]) / (own + 1)
    expected[0, 1, :2] = torch.tensor([1.0, 2 * other]) / (other + 1)
    same(look(plain(4), x), expected, 1e-6)


def test_in_raw_self_attention_each_vector_looks_mostly_at_itself() -> None:
    weights = pattern(plain(64), normal(4, 20, 64))[:, 0]
    own = weights.diagonal(dim1=-2, dim2=-1)
    assert bool((own > 0.5).all())
    assert float(own.mean()) > 0.95
    torch.manual_seed(0)
    views = pattern(raw(HeadSizes(64, 1, 1, 64, 64)), normal(4, 20, 64)).detach()
    assert float(views[:, 0].diagonal(dim1=-2, dim2=-1).mean()) < 0.2


SATURATION = {4: (2, 0.34), 16: (4, 0.63), 64: (8, 0.82), 256: (16, 0.92)}
"""Of unscaled scores, by d_k: their deviation, and the mean largest weight among 32 keys."""


@pytest.mark.parametrize("d_key", SATURATION)
def test_without_scaling_the_variance_of_scores_grows_with_d_key(d_key: int) -> None:
    q, k = normal(60, 1, 32, d_key), normal(60, 1, 32, d_key, seed=1)
    scores, largest = {}, {}
    for scaled in (True, False):
        layer = plain(d_key, scaled=scaled)
        with watched(layer) as seen:
            layer(q, k, k, EVERYWHERE)
        scores[scaled] = float(seen["scores"][0].std())
        largest[scaled] = float(seen["pattern"][0].max(-1).values.mean())
    deviation, weight = SATURATION[d_key]
    assert scores[False] == pytest.approx(deviation, rel=0.04)
    assert scores[True] == pytest.approx(1, rel=0.04)
    assert largest[False] == pytest.approx(weight, abs=0.03)
    assert largest[True] == pytest.approx(0.16, abs=0.03)


def test_without_scaling_softmax_saturates_and_passes_less_gradient() -> None:
    def slope(scaled: bool) -> float:
        q = normal(40, 1, 32, 256)
        k = normal(40, 1, 32, 256, seed=1)
        scores = (q @ k.transpose(-2, -1) * (1 / 16 if scaled else 1)).requires_grad_()
        weights = attention_weights(scores, EVERYWHERE)
        (gradient,) = torch.autograd.grad(weights.max(-1).values.sum(), scores)
        return float(gradient.abs().sum(-1).mean())

    assert slope(scaled=False) < 0.5 * slope(scaled=True)


def test_one_map_for_query_and_key_makes_looking_mutual() -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(8, 2, 2, 3, 4, tied_query_key=True)))
    assert layer.query is layer.key
    x = normal(2, 5, 8)
    views = (x @ layer.query.weight.T + layer.query.bias).view(2, 5, 2, 3)
    scores = torch.einsum("bihd,bjhd->bhij", views, views) / math.sqrt(3)
    with watched(layer) as seen:
        look(layer, x)
    same(seen["scores"][0], scores)
    same(seen["scores"][0], seen["scores"][0].mT)
    parameters = sum(p.numel() for p in layer.parameters())
    assert parameters == (8 + 1) * 6 + (8 + 1) * 8 + (8 + 1) * 8


def test_both_uses_of_one_map_train_it() -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(8, 2, 2, 3, 4, tied_query_key=True)))
    apart = randomised(MultiHeadAttention(HeadSizes(8, 2, 2, 3, 4)))
    apart.load_state_dict(layer.state_dict())
    for each in (layer, apart):
        look(each, normal(2, 5, 8)).square().sum().backward()
    same(layer.query.weight.grad, apart.query.weight.grad + apart.key.weight.grad)


@pytest.mark.parametrize("heads", [1, 2])
def test_without_a_map_values_are_the_vectors_own_features(heads: int) -> None:
    sizes = HeadSizes(8, 2, heads, 3, 8 // heads, value_projection=False)
    layer = randomised(MultiHeadAttention(sizes))
    x = normal(2, 5, 8)
    weights = pattern(layer, x)
    group = [slice(0, 8)] * 2 if heads == 1 else [slice(0, 4), slice(4, 8)]
    read = torch.cat([weights[:, h] @ x[..., group[h]] for h in range(2)], -1)
    same(look(layer, x), read @ layer.output.weight.T + layer.output.bias)
    assert not list(layer.value.parameters())


def test_group_query_heads_are_plain_heads_with_repeated_weights() -> None:
    grouped = randomised(MultiHeadAttention(HeadSizes(8, 4, 2, 3, 5)))
    full = randomised(MultiHeadAttention(HeadSizes(8, 4, 4, 3, 5)))
    full.load_state_dict(
        {
            name: value.unflatten(0, (2, -1)).repeat_interleave(2, 0).flatten(0, 1)
            if name.startswith(("key", "value"))
            else value
            for name, value in grouped.state_dict().items()
        }
    )
    x = normal(2, 5, 8)
    same(look(grouped, x), look(full, x))
    same(pattern(grouped, x), pattern(full, x))


def test_the_order_of_keys_does_not_matter() -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(8, 2, 2, 4, 4)))
    memory, order = normal(1, 5, 8), torch.tensor([3, 0, 4, 1, 2])
    q = layer.queries(normal(1, 3, 8, seed=1))
    y = layer(q, *layer.keys_values(memory), EVERYWHERE)
    same(layer(q, *layer.keys_values(memory[:, order]), EVERYWHERE), y)


def test_a_bias_is_added_to_the_scores() -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(8, 2, 2, 4, 4)))
    q, (k, v) = layer.queries(normal(1, 3, 8)), layer.keys_values(normal(1, 3, 8))
    bias = normal(1, 2, 3, 3, seed=1)
    with watched(layer) as seen:
        layer(q, k, v, EVERYWHERE)
        layer(q, k, v, EVERYWHERE, bias)
    same(seen["scores"][1], seen["scores"][0] + bias)


def test_attention_dropout_thins_the_pattern_it_reads_with_not_the_one_it_shows() -> None:
    layer = randomised(MultiHeadAttention(HeadSizes(8, 2, 2, 4, 4, dropout=0.5))).train()
    torch.manual_seed(0)
    with watched(layer) as seen:
        look(layer, normal(2, 6, 8))
    same(seen["pattern"][0].sum(-1), torch.ones(2, 2, 6).double())
    whole = seen["pattern"][0] @ seen["v"][0]
    assert not torch.allclose(seen["context"][0], whole)


def test_heads_split_into_runs_of_neighbouring_features() -> None:
    x = normal(2, 3, 8)
    heads = split_heads(x, 4)
    same(heads[:, 1], x[..., 2:4])
    same(join_heads(heads), x)


def state_attention(kind: str, d_query: int, d_memory: int) -> StateAttention:
    return randomised(StateAttention(kind, d_query, d_memory))  # type: ignore[arg-type]


def scores_by_hand(layer: StateAttention, q: Tensor, m: Tensor) -> Tensor:
    """The score of one query and one encoder state, from the weights themselves."""
    if layer.kind == "dot":
        return q @ m
    if layer.kind == "general":
        return q @ (layer.key.weight @ m)
    inner = layer.query.weight @ q + layer.key.weight @ m + layer.key.bias
    return layer.energy.weight[0] @ torch.tanh(inner)


@pytest.mark.parametrize("kind", ["dot", "general", "additive"])
def test_state_attention_by_hand(kind: str) -> None:
    layer = state_attention(kind, 4, 4 if kind == "dot" else 6)
    q, memory = normal(2, 3, 4), normal(2, 5, 4 if kind == "dot" else 6, seed=1)
    real = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]).bool()
    y = layer(q, layer.keys(memory), memory, real)
    for row, length in ((0, 5), (1, 2)):
        for query in range(3):
            states = memory[row, :length]
            s = torch.stack([scores_by_hand(layer, q[row, query], m) for m in states])
            same(y[row, query], (s.exp() / s.exp().sum()) @ states)


def test_state_attention_shows_one_head() -> None:
    layer = state_attention("general", 4, 6)
    memory = normal(2, 5, 6)
    with watched(layer) as seen:
        layer(normal(2, 3, 4), layer.keys(memory), memory, torch.ones(2, 5).bool())
    assert seen["pattern"][0].shape == (2, 1, 3, 5)
    same(seen["pattern"][0].sum(-1), torch.ones(2, 1, 3).double())

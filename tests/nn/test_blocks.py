"""One layer of a Transformer: what stands around attention and feed-forward."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from helpers import normal, randomised, same, transformer_settings, watched
from seq2see.nn.blocks import Block, Residual
from seq2see.nn.masks import causal, over_keys
from seq2see.nn.positions import alibi, rotate

CPU = torch.device("cpu")
REAL = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()
MASK = over_keys(REAL)


def block(*, decoder: bool = False, **changes: object) -> Block:
    return randomised(Block(transformer_settings(**changes), decoder=decoder)).eval()


def residual(**changes: object) -> Residual:
    return randomised(Residual(transformer_settings(**changes), "layer")).eval()


def double(y: Tensor) -> Tensor:
    return 2 * y


def test_norm_before_the_sub_layer() -> None:
    layer, x = residual(norm_place="before"), normal(2, 4, 8)
    same(layer(x, double, None), x + 2 * layer.norm(x))


def test_norm_after_the_addition() -> None:
    layer, x = residual(norm_place="after"), normal(2, 4, 8)
    same(layer(x, double, None), layer.norm(x + 2 * x))


@pytest.mark.parametrize("place", ["before", "after"])
def test_without_residual_nothing_is_added(place: str) -> None:
    layer, x = residual(norm_place=place, residual=False), normal(2, 4, 8)
    same(layer(x, double, None), 2 * layer.norm(x) if place == "before" else layer.norm(2 * x))


def test_dropout_thins_what_is_written_not_the_stream() -> None:
    layer, x = residual(dropout=0.5).train(), normal(2, 4, 8)
    torch.manual_seed(0)
    with watched(layer) as seen:
        y = layer(x, double, None)
    written = seen["written"][0]
    same(y, x + written)
    share = float((written == 0).double().mean())
    assert 0.3 < share < 0.7
    same(written[written != 0], (4 * layer.norm(x))[written != 0])


@pytest.mark.parametrize("place", ["before", "after"])
def test_an_encoder_block_is_self_attention_then_feed_forward(place: str) -> None:
    layer, x = block(norm_place=place), normal(2, 4, 8)
    attend, feed = layer.get_submodule("self"), layer.feedforward
    first, second = layer.around_self.norm, layer.around_feedforward.norm

    def look(y: Tensor) -> Tensor:
        return attend(attend.queries(y), *attend.keys_values(y), MASK)

    if place == "before":
        middle = x + look(first(x))
        expected = middle + feed(second(middle))
    else:
        middle = first(x + look(x))
        expected = second(middle + feed(middle))
    same(layer.encode(x, MASK, REAL), expected)


def test_a_decoder_block_looks_at_the_source_between() -> None:
    layer, x, memory = block(decoder=True), normal(2, 3, 8), normal(2, 4, 8, seed=1)
    attend, cross = layer.get_submodule("self"), layer.cross
    mask, past = causal(3, 3, CPU), None
    y = layer.around_self.norm(x)
    one = x + attend(attend.queries(y), *attend.keys_values(y), mask)
    query = cross.queries(layer.around_cross.norm(one))
    two = one + cross(query, *cross.keys_values(memory), MASK)
    three = two + layer.feedforward(layer.around_feedforward.norm(two))
    out, _ = layer.decode(x, mask, (cross.keys_values(memory), MASK), past)
    same(out, three)


def test_self_and_cross_attention_have_parameters_of_their_own() -> None:
    layer = Block(transformer_settings(), decoder=True)
    one, two = layer.get_submodule("self").query.weight, layer.cross.query.weight
    assert one is not two
    assert not torch.equal(one, two)


def test_decode_hands_back_the_keys_and_values_of_past_and_present() -> None:
    layer, memory = block(decoder=True, kv_heads=1), normal(2, 4, 8, seed=1)
    seen = (layer.cross.keys_values(memory), MASK)
    x = normal(2, 5, 8)
    whole, (k, v, length) = layer.decode(x, causal(5, 5, CPU), seen, None)
    assert length == 5
    assert k.shape == v.shape == (2, 1, 5, 4)
    _, past = layer.decode(x[:, :2], causal(2, 2, CPU), seen, None)
    assert past.length == 2
    rest, (later_k, later_v, _) = layer.decode(x[:, 2:], causal(3, 5, CPU), seen, past)
    same(rest, whole[:, 2:])
    same(later_k, k)
    same(later_v, v)


def test_rotary_turns_queries_and_keys_but_not_values() -> None:
    layer, plain = block(positions="rotary"), block(positions="none")
    x = normal(2, 4, 8)
    with watched(layer) as seen, watched(plain) as unturned:
        layer.encode(x, MASK, REAL)
        plain.encode(x, MASK, REAL)
    q, k = rotate(unturned["self.q"][0], 0), rotate(unturned["self.k"][0], 0)
    same(seen["self.scores"][0], q @ k.transpose(-2, -1) / 2)
    same(seen["self.v"][0], unturned["self.v"][0])


def test_alibi_lowers_the_scores_of_self_attention() -> None:
    layer, plain = block(positions="alibi"), block(positions="none")
    x = normal(2, 4, 8)
    with watched(layer) as seen, watched(plain) as unbiased:
        layer.encode(x, MASK, REAL)
        plain.encode(x, MASK, REAL)
    same(seen["self.scores"][0], unbiased["self.scores"][0] + alibi(2, 4, 4, CPU).double())


def test_without_feed_forward_a_block_is_attention_alone() -> None:
    layer, x = block(feedforward="none"), normal(2, 4, 8)
    assert not [name for name, _ in layer.named_parameters() if "feedforward" in name]
    with watched(layer) as seen:
        out = layer.encode(x, MASK, REAL)
    same(out, x + seen["around_self.written"][0])


def test_without_any_position_a_block_does_not_know_the_order() -> None:
    layer, x, order = block(positions="none"), normal(1, 4, 8), torch.tensor([2, 0, 3, 1])
    everywhere = torch.ones(1, 4).bool()
    y = layer.encode(x, over_keys(everywhere), everywhere)
    same(layer.encode(x[:, order], over_keys(everywhere), everywhere), y[:, order])
    for kind in ("rotary", "alibi"):
        ordered = block(positions=kind)
        y = ordered.encode(x, over_keys(everywhere), everywhere)
        shuffled = ordered.encode(x[:, order], over_keys(everywhere), everywhere)
        assert not torch.allclose(shuffled, y[:, order])

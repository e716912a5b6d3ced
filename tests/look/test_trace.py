"""Traces: every value, by its right name, place, token and gradient, and nothing left behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import torch
from opened import PAIRS, SETTINGS, TOKENIZERS, given, logits, network_of, opened, searching
from torch import Tensor

from fixtures import copying, joint
from helpers import hooks_in, randomised, recurrent_settings, same, transformer_settings, watched
from seq2see.data.pairs import Pair
from seq2see.data.tokenizers import PAD
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import Translator, length_limit
from seq2see.errors import ConfigError, DataError, DecodingError
from seq2see.look.trace import Trace, log_likelihood, trace
from seq2see.nn.network import Network, Sizes
from seq2see.nn.tap import Tap

EACH = pytest.mark.parametrize("kind", SETTINGS)


def close(a: Tensor, b: Tensor, tolerance: float = 1e-5) -> None:
    """Compares values that were rounded to float32."""
    torch.testing.assert_close(a.double(), b.double(), rtol=tolerance, atol=tolerance)


@EACH
@pytest.mark.parametrize("grad", [False, True])
def test_every_tap_appears_with_the_axes_it_names(kind: str, grad: bool) -> None:
    model = opened(kind)
    found = trace(model, PAIRS, grad=grad)
    taps = [name for name, module in network_of(model).named_modules() if isinstance(module, Tap)]
    assert list(found.names()) == taps
    assert list(found.grad) == (taps if grad else [])
    extents = {"pair": 3, "source": 7, "target": 5, "vocabulary": TOKENIZERS.target.size}
    for name, shape in found.names().items():
        axes = found.axes[name]
        assert len(axes) == len(shape), name
        for axis, size in zip(axes, shape, strict=True):
            assert size == extents.get(axis, size), (name, axis)
        assert found[name].dtype == torch.float32
        if grad:
            assert found.grad[name].shape == shape


@EACH
@pytest.mark.parametrize("grad", [False, True])
def test_traced_and_untraced_outputs_agree(kind: str, grad: bool) -> None:
    model = opened(kind)
    before = logits(model)
    close(trace(model, PAIRS, grad=grad)["prediction"], before)
    assert torch.equal(logits(model), before)


@pytest.mark.parametrize("kind", ["transformer", "gru"])
def test_values_are_what_passes_the_taps(kind: str) -> None:
    model, found = opened(kind), trace(opened(kind), PAIRS)
    one, network = given(model), network_of(model)
    with watched(network) as seen, torch.no_grad():
        network.logits(network(one.source, one.real, one.read))
    for name, values in seen.items():
        value = torch.stack(values, 1) if len(values) > 1 else values[0]
        close(found[name], value.expand(found[name].shape))


@EACH
def test_a_pair_among_others_is_what_it_is_alone(kind: str) -> None:
    model = opened(kind)
    together = trace(model, PAIRS, grad=True)
    assert len(together) == 3
    for i, pair in enumerate(PAIRS):
        alone, cut = trace(model, [pair], grad=True), together.pair(i)
        assert cut.names() == alone.names()
        assert (cut.source, cut.target, cut.read) == (alone.source, alone.target, alone.read)
        assert bool(cut.source_real.all())
        assert bool(cut.target_real.all())
        for name in alone.names():
            close(cut[name], alone[name])
            close(cut.grad[name], alone.grad[name])


def test_pairs_are_counted_like_a_list() -> None:
    found = trace(opened("rnn"), PAIRS)
    assert found.pair(-1).source == found.pair(2).source
    with pytest.raises(IndexError):
        found.pair(3)


def test_padding_is_marked() -> None:
    found = trace(opened("transformer"), PAIRS)
    assert found.source_real.sum(1).tolist() == [len(tokens) for tokens in found.source]
    assert found.target_real.sum(1).tolist() == [len(tokens) for tokens in found.target]
    pattern = found["encoder.0.self.pattern"]
    seen = pattern.sum(-1)
    close(seen, torch.ones_like(seen))
    assert not bool(pattern.masked_select(~found.source_real[:, None, None]).any())


def test_tokens_stand_beside_the_values() -> None:
    found = trace(opened("transformer"), "abc", "cab")
    assert found.source == (("a", "b", "c", "</s>"),)
    assert found.target == (("c", "a", "b", "</s>"),)
    assert found.read == (("<s>", "c", "a", "b"),)


def test_features_and_copied_pieces_are_shown() -> None:
    pairs = [Pair("ab", "ab", ("PL",)), Pair("hgfedc", "cd")]
    tokenizers = joint(pairs, copies=2)
    size = tokenizers.source.size
    network = randomised(Network(transformer_settings(), Sizes(size, size))).eval()
    model = Translator([network], tokenizers, SearchOptions())
    found = trace(model, [Pair("aΩ", "Ωb", ("PL",))])
    assert found.source == (("[PL]", "a", "Ω", "</s>"),)
    assert found.target == (("Ω", "b", "</s>"),)


@EACH
@pytest.mark.parametrize("beam", [1, 3])
def test_without_a_target_the_model_s_own_output_is_taken(kind: str, beam: int) -> None:
    model = searching(kind, beam=beam, max_length=9)
    texts = ["abc", "h", "decade"]
    best = [nbest[0] for nbest in model.translate([Pair(text, "") for text in texts])]
    found = trace(model, texts)
    assert found.target == tuple(one.tokens for one in best)
    assert found.source == tuple(one.source_tokens for one in best)
    wanted = torch.tensor([len(tokens) for tokens in found.target])
    assert torch.equal(found.target_real.sum(1), wanted)


def test_the_longest_length_of_an_own_output_is_the_translator_s() -> None:
    model = searching("rnn", beam=1)
    model.target_ratio = 3.0
    with torch.no_grad():  # of two opposite pieces one is always better than the end
        output = network_of(model).output.weight.zero_()
        output[-1], output[-2] = 1.0, -1.0
    (best,), found = model.translate([Pair("abcdeabcde", "")])[0], trace(model, "abcdeabcde")
    assert found.target == (best.tokens,)
    assert not best.finished
    assert len(best.tokens) == length_limit(11, 3.0)


def test_an_empty_source_has_an_empty_output() -> None:
    found = trace(searching("transformer"), ["", "ab", "  "])
    assert found.target[0] == found.target[2] == ("</s>",)


def test_both_directions_stand_at_the_position_they_read() -> None:
    found = trace(opened(recurrent_settings("lstm")), PAIRS)
    both = torch.cat([found[f"encoder.0.{way}.states"] for way in ("forwards", "backwards")], -1)
    for i, tokens in enumerate(found.source):
        close(both[i, : len(tokens)], found["encoder.out"][i, : len(tokens)])
        for way in ("forwards", "backwards"):
            hidden, states = (found[f"encoder.0.{way}.{last}"] for last in ("hidden", "states"))
            close(hidden[i], states[i])


def moved(model: Translator, name: str, by: Tensor, backwards: bool) -> float:
    """The log-likelihood of the pairs when `by` is added to a value."""
    one, network, step = given(model), network_of(model), iter(range(by.shape[1]))
    index = torch.arange(by.shape[1])[None].expand(len(by), -1).clone()
    if backwards:
        for row, length in enumerate(one.real.sum(1).tolist()):
            index[row, :length] = torch.arange(length - 1, -1, -1)
    by = by[torch.arange(len(by))[:, None], index] if backwards else by

    def add(_tap: Any, _args: Any, value: Tensor) -> Tensor:
        return value + (by[:, next(step)] if value.ndim < by.ndim else by)

    handle = network.get_submodule(name).register_forward_hook(add)
    with torch.no_grad():
        found = network.logits(network(one.source, one.real, one.read))
    handle.remove()
    return log_likelihood(found, one.wanted).sum().item()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("transformer", "source.tokens"),
        ("transformer", "source.positions.code"),
        ("transformer", "encoder.0.self.pattern"),
        ("transformer", "encoder.1.feedforward.neurons"),
        ("transformer", "decoder.0.cross.scores"),
        ("transformer", "prediction"),
        ("shared", "decoder.0.self.k"),
        ("bilstm", "target.tokens"),
        ("bilstm", "encoder.0.forwards.hidden"),
        ("bilstm", "encoder.0.backwards.cell"),
        ("bilstm", "encoder.1.backwards.states"),
        ("bilstm", "decoder.cross.pattern"),
        ("bilstm", "decoder.1.forget"),
    ],
)
def test_gradients_are_those_of_the_log_likelihood(kind: str, name: str) -> None:
    model = opened(kind)
    gradient = trace(model, PAIRS, grad=True).grad[name].double()
    generator = torch.Generator().manual_seed(7)
    way = torch.randn(gradient.shape, generator=generator, dtype=torch.float64)
    backwards, small = ".backwards." in name, 1e-5
    rise = moved(model, name, small * way, backwards) - moved(model, name, -small * way, backwards)
    assert gradient.abs().max() > 1e-4
    assert (gradient * way).sum().item() == pytest.approx(rise / (2 * small), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("around", [nullcontext, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("kind", ["transformer", "bilstm"])
def test_gradients_need_nothing_around_and_leave_nothing(
    kind: str, around: Callable[[], AbstractContextManager[Any]]
) -> None:
    plain = trace(opened(kind), PAIRS, grad=True)
    model = opened(kind)
    network_of(model).requires_grad_(False)
    with around():
        found = trace(model, PAIRS, grad=True)
    for name in plain.names():
        close(found.grad[name], plain.grad[name])
        assert not found[name].requires_grad
        assert not found.grad[name].requires_grad
    assert all(parameter.grad is None for parameter in network_of(model).parameters())


def test_a_value_that_nothing_reads_has_gradient_0() -> None:
    # Without attention a decoder starts from the last states and never reads the memory.
    found = trace(opened("rnn"), "abc", "cab", grad=True)
    assert not bool(found.grad["encoder.out"].any())
    assert bool(found.grad["encoder.0.forwards.hidden"].any())


@pytest.mark.parametrize("kind", ["transformer", "bilstm"])
def test_no_hook_stays_behind_and_no_mode_is_changed(kind: str) -> None:
    model = opened(kind)
    network = network_of(model)
    network.train()
    network.decoder.eval()
    modes = [module.training for module in network.modules()]
    trace(model, PAIRS, grad=True)
    assert hooks_in(network) == []
    assert not any(tap.watched for tap in network.modules() if isinstance(tap, Tap))
    assert [module.training for module in network.modules()] == modes


def test_a_network_in_training_mode_is_traced_in_evaluation_mode() -> None:
    model = opened(transformer_settings(dropout=0.5, attention_dropout=0.5))
    plain = trace(model, PAIRS)
    network_of(model).train()
    assert torch.equal(trace(model, PAIRS)["prediction"], plain["prediction"])


def test_no_hook_stays_behind_after_an_exception() -> None:
    model = opened("transformer")
    network = network_of(model)
    network.train()

    def fail(*_: Any) -> None:
        raise RuntimeError("in the middle")

    handle = network.decoder.register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        trace(model, PAIRS, grad=True)
    handle.remove()
    assert hooks_in(network) == []
    assert network.training


def uniform_and_previous(network: Network) -> None:
    """Writes two heads by hand: the first sees all alike, the second looks one position back."""
    network.source.table.weight.zero_()
    network.source.positions.table.copy_(torch.eye(8))
    layer = network.get_submodule("encoder.0.self")
    for linear in (layer.query, layer.key):
        linear.weight.zero_()
        linear.bias.zero_()
    back = torch.diag(torch.ones(7), 1)  # position p asks for p - 1
    layer.query.weight[8:] = 100 * back
    layer.key.weight[8:] = torch.eye(8)


def test_heads_written_by_hand_have_the_pattern_they_were_written_for() -> None:
    model = opened(transformer_settings(positions="learned", norm="none", d_key=8, d_value=8))
    with torch.no_grad():
        network_of(model).source.positions.table = torch.nn.Parameter(torch.eye(8).double())
        uniform_and_previous(network_of(model))
    found = trace(model, PAIRS)
    for i, tokens in enumerate(found.source):
        pattern, size = found.pair(i)["encoder.0.self.pattern"], len(tokens)
        assert pattern.shape == (1, 2, size, size)
        close(pattern[0, 0], torch.full((size, size), 1 / size))
        previous = torch.diag(torch.ones(size - 1), -1)
        previous[0] = 1 / size  # nothing stands before the first, whose query is 0
        close(pattern[0, 1], previous)


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    found = trace(opened("transformer"), "abc", "cab")
    with pytest.raises(ConfigError, match=r"Did you mean encoder\.0\.self\.pattern\?"):
        found["encoder.0.self.patern"]
    with pytest.raises(ConfigError, match="grad=True"):
        found.grad["encoder.out"]


@pytest.mark.parametrize(
    ("texts", "targets", "error", "message"),
    [
        ([], None, DataError, "at least one"),
        (["ab", "c"], ["ab"], DecodingError, "1 targets for 2 sources"),
    ],
)
def test_what_cannot_be_traced_is_refused(
    texts: Any, targets: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        trace(opened("rnn"), texts, targets)


def test_an_ensemble_is_refused() -> None:
    networks = [network_of(opened(kind)) for kind in ("rnn", "gru")]
    with pytest.raises(ConfigError, match="members one by one"):
        trace(Translator(networks, TOKENIZERS, SearchOptions()), "ab")


def test_log_likelihood_counts_real_tokens_alone() -> None:
    scores = torch.zeros(2, 3, 4).double()
    wanted = torch.tensor([[1, 2, 3], [3, PAD, PAD]])
    same(log_likelihood(scores, wanted), torch.tensor([-3.0, -1.0]).double() * math.log(4))


def test_a_trace_shows_itself_in_a_line() -> None:
    found = trace(opened("rnn"), copying(2))
    assert isinstance(found, Trace)
    assert repr(found) == f"Trace(2 pairs, {len(found.names())} values)"

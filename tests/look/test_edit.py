"""Edits: they do what the equation with the part changed does, here alone, and go without trace."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from opened import (
    PAIRS,
    SETTINGS,
    TOKENIZERS,
    changed,
    given,
    logits,
    network_of,
    opened,
    searching,
    stepped,
)
from torch import Tensor

from helpers import hooks_in, same, transformer_settings, watched
from seq2see.data.pairs import Pair
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.ablate import Ablation, ablate
from seq2see.look.edit import Edit, edited
from seq2see.look.replace import replace
from seq2see.look.trace import trace
from seq2see.nn import roles
from seq2see.nn.network import Network
from seq2see.nn.sides import Side
from seq2see.nn.tap import Tap

DATA = [Pair("fgh", "hg"), Pair("ab", "abab"), Pair("eeeeee", "e")]
CONTEXT = "decoder.0.cross.context"


def with_edits(model: Translator, *edits: Edit, run: Callable[[Translator], Any] = logits) -> Any:
    with edited(model, edits):
        return run(model)


def previous(q: Side, k: Side) -> Tensor:
    return k.pos == q.pos - 1


def uniform(q: Side, k: Side) -> Tensor:
    return torch.ones_like(q.pos * k.pos)


def same_before(q: Side, k: Side) -> Tensor:
    """The tokens read before that are the one just read; none at the first position."""
    return (q.token == k.token) & (k.pos < q.pos)


def uneven(q: Side, k: Side) -> Tensor:
    """A pattern that depends on both absolute positions."""
    return 1 + (3 * q.pos + k.pos * k.pos) % 5


TABLE = torch.rand(12, 12, generator=torch.Generator().manual_seed(0))


# What an ablation does.


def without(network: Network, name: str, columns: slice) -> None:
    network.get_submodule(name).weight[:, columns] = 0


def test_ablating_all_heads_is_an_output_projection_that_ignores_them() -> None:
    model = opened("transformer")
    ignoring = changed(model, partial(without, name="decoder.1.cross.output", columns=slice(None)))
    same(with_edits(model, ablate("decoder.1.cross")), logits(ignoring))
    same(with_edits(model, ablate("decoder.1.cross", heads=[0, 1])), logits(ignoring))
    assert not torch.allclose(logits(ignoring), logits(model))


@pytest.mark.parametrize("head", [0, 1])
@pytest.mark.parametrize("kind", ["transformer", "learned"])
def test_ablating_a_head_takes_its_columns_out(kind: str, head: int) -> None:
    model = opened(kind)
    size = network_of(model).get_submodule("encoder.0.self").sizes.d_value
    columns = slice(head * size, (head + 1) * size)
    ignoring = changed(model, partial(without, name="encoder.0.self.output", columns=columns))
    same(with_edits(model, ablate("encoder.0.self", heads=[head])), logits(ignoring))


def test_ablating_no_head_changes_nothing() -> None:
    model = opened("transformer")
    assert torch.equal(with_edits(model, ablate("encoder.0.self", heads=[])), logits(model))


@pytest.mark.parametrize("heads", [None, [0]])
def test_the_one_head_of_a_recurrent_decoder_is_ablated(heads: Any) -> None:
    model = opened("gru")
    ignoring = changed(model, partial(without, name="decoder.readout", columns=slice(5, None)))
    same(with_edits(model, ablate("decoder.cross", heads)), logits(ignoring))


def no_feedforward(network: Network) -> None:
    layer = network.get_submodule("encoder.0.feedforward.narrow")
    layer.weight.zero_()
    layer.bias.zero_()


def test_ablating_a_feed_forward_layer_leaves_the_residual() -> None:
    model = opened("transformer")
    same(with_edits(model, ablate("encoder.0.feedforward")), logits(changed(model, no_feedforward)))


@pytest.mark.parametrize(
    ("kind", "module", "tap"),
    [
        ("transformer", "encoder.0.self", "encoder.0.self.context"),
        ("transformer", "encoder.0.around_self", "encoder.0.around_self.written"),
        ("transformer", "encoder.0.feedforward", "encoder.0.around_feedforward.written"),
        ("transformer", "encoder.1", "encoder.1.out"),
        ("transformer", "encoder", "encoder.out"),
        ("transformer", "source", "source.out"),
        ("bilstm", "encoder.1.backwards", "encoder.1.backwards.states"),
        ("bilstm", "decoder.cross", "decoder.cross.context"),
        ("bilstm", "decoder.0", "decoder.0.states"),
        ("bilstm", "decoder.0.cell", "decoder.0.cell"),
    ],
)
def test_a_module_means_the_tap_of_its_result(kind: str, module: str, tap: str) -> None:
    model = opened(kind)
    with edited(model, [ablate(module)]):
        assert hooks_in(network_of(model)) == [tap]
        assert not bool(trace(model, PAIRS)[tap].any())


# What stands in an ablated value's place.


def means(model: Translator, name: str) -> Tensor:
    """The mean over real positions by a plain loop over unpadded pairs; `[head, feature]`."""
    each = []
    for pair in DATA:
        one, network = given(model, [pair]), network_of(model)
        with watched(network) as seen, torch.no_grad():
            network(one.source, one.real, one.read)
        value = torch.stack(seen[name], -2)[0] if len(seen[name]) > 1 else seen[name][0][0]
        each.append(value)
    return torch.cat(each, -2).mean(-2)


@pytest.mark.parametrize(
    ("kind", "at", "name"),
    [
        ("transformer", "encoder.0.self", "encoder.0.self.context"),
        ("transformer", "decoder.1.cross", "decoder.1.cross.context"),
        ("shared", "decoder.0.cross.v", "decoder.0.cross.v"),
        ("transformer", "encoder.1.feedforward", "encoder.1.around_feedforward.written"),
        ("bilstm", "encoder.0.backwards", "encoder.0.backwards.states"),
        ("bilstm", "decoder.0.cell", "decoder.0.cell"),
        ("gru", "decoder.cross", "decoder.cross.context"),
    ],
)
def test_the_mean_is_over_real_positions(kind: str, at: str, name: str) -> None:
    model = opened(kind)
    expected = means(model, name)
    with edited(model, [ablate(at, by="mean", data=DATA)]):
        found = trace(model, PAIRS)[name].double()
    by_head = expected[:, None] if found.ndim == 4 else expected
    same(found, by_head.expand(found.shape), 1e-6)
    taken = with_edits(model, ablate(at, by="mean", data=expected))
    same(with_edits(model, ablate(at, by="mean", data=DATA)), taken)


def test_only_the_chosen_heads_take_the_mean() -> None:
    model = opened("transformer")
    plain = trace(model, PAIRS)[CONTEXT]
    with edited(model, [ablate("decoder.0.cross", [1], "mean", DATA)]):
        found = trace(model, PAIRS)[CONTEXT]
    same(found[:, 0], plain[:, 0])
    same(found[:, 1].double(), means(model, CONTEXT)[1].expand(found[:, 1].shape), 1e-6)


def test_resampled_values_stood_at_one_place_of_the_data() -> None:
    model = opened("transformer")
    data = trace(model, DATA)
    pool = torch.cat([data.pair(i)[CONTEXT][0].transpose(0, 1) for i in range(len(DATA))])
    found = []
    for seed in (1, 1, 2):
        with edited(model, [ablate("decoder.0.cross", by="resample", data=DATA, seed=seed)]):
            found.append(trace(model, PAIRS)[CONTEXT])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert torch.equal(found[0][0], found[0][1])  # by position alone, whatever the row
    rows = found[0][0].transpose(0, 1)  # position head feature: all heads from the same place
    places = [(pool == row).all((1, 2)).any() for row in rows]
    assert all(places)
    assert len({tuple(row.flatten().tolist()) for row in rows}) > 1


def test_the_order_of_drawn_values_is_that_of_the_data_however_it_is_batched() -> None:
    edit = ablate("decoder.0.cross", by="resample", data=DATA * 3)
    wide, narrow = opened("transformer"), opened("transformer", batch_tokens=1)
    same(with_edits(wide, edit), with_edits(narrow, edit))


def test_reference_data_may_be_sources_alone() -> None:
    model = searching("transformer", max_length=6)
    own = trace(model, ["ab", "h"])[CONTEXT]
    found = with_edits(
        model, ablate("decoder.0.cross", by="mean", data=["ab", "h"]), run=context_of
    )
    same(found, own.transpose(1, 2)[real_of(model)].mean(0)[:, None].expand(found.shape), 1e-5)


def context_of(model: Translator) -> Tensor:
    return trace(model, PAIRS)[CONTEXT]


def real_of(model: Translator) -> Tensor:
    return trace(model, ["ab", "h"]).target_real


# What a replaced pattern does.


def test_a_uniform_pattern_is_the_mean_of_the_values() -> None:
    model = opened("transformer")
    with edited(model, [replace("encoder.0.self", 1, pattern=uniform)]):
        found = trace(model, PAIRS)
    plain = trace(model, PAIRS)
    for i, tokens in enumerate(found.source):
        one, size = found.pair(i), len(tokens)
        same(one["encoder.0.self.pattern"][0, 1], torch.full((size, size), 1 / size), 1e-6)
        mean = one["encoder.0.self.v"][0, 1].mean(0).expand(size, -1)
        same(one["encoder.0.self.context"][0, 1], mean, 1e-5)
        other = plain.pair(i)["encoder.0.self.pattern"]
        same(one["encoder.0.self.pattern"][0, 0], other[0, 0], 1e-6)


def test_a_uniform_pattern_under_the_causal_mask_is_the_mean_of_the_past() -> None:
    model = opened("transformer")
    with edited(model, [replace("decoder.0.self", pattern=uniform)]):
        found = trace(model, PAIRS[:1])
    size = len(found.target[0])
    past = torch.ones(size, size).tril() / torch.arange(1, size + 1)[:, None]
    same(found["decoder.0.self.pattern"][0], past.expand(2, -1, -1), 1e-6)
    read = past @ found["decoder.0.self.v"][0]
    same(found["decoder.0.self.context"][0], read, 1e-5)


def test_a_uniform_recurrent_attention_is_the_mean_of_the_memory() -> None:
    model = opened("bilstm")
    with edited(model, [replace("decoder.cross", pattern=uniform)]):
        found = trace(model, PAIRS)
    for i in range(len(PAIRS)):
        one = found.pair(i)
        mean = one["encoder.out"][0].mean(0)
        same(one["decoder.cross.context"][0], mean.expand(len(one.target[0]), -1), 1e-5)


def test_a_table_is_masked_and_its_rows_are_divided_by_their_sums() -> None:
    model = opened("transformer")
    with edited(model, [replace("decoder.1.cross", 0, pattern=TABLE)]):
        found = trace(model, PAIRS)
    for i in range(len(PAIRS)):
        pattern = found.pair(i)["decoder.1.cross.pattern"][0, 0]
        part = TABLE[: pattern.shape[0], : pattern.shape[1]]
        same(pattern, part / part.sum(1, keepdim=True), 1e-6)
    hidden = found["decoder.1.cross.pattern"].masked_select(~found.source_real[:, None, None])
    assert not bool(hidden.any())


def test_a_query_whose_row_has_no_weight_reads_nothing() -> None:
    model = opened("transformer")
    with edited(model, [replace("encoder.0.self", 0, pattern=previous)]):
        found = trace(model, PAIRS[:1])
    size = len(found.source[0])
    same(found["encoder.0.self.pattern"][0, 0], torch.diag(torch.ones(size - 1), -1))
    assert not bool(found["encoder.0.self.context"][0, 0, 0].any())
    with edited(model, [replace("decoder.0.self", pattern=lambda q, k: k.pos > q.pos)]):
        assert not bool(trace(model, PAIRS)["decoder.0.self.pattern"].any())
        assert logits(model).isfinite().all()


def test_a_role_sees_the_tokens_read() -> None:
    model = opened("transformer")
    with edited(model, [replace("decoder.0.self", 0, pattern=same_before)]):
        found = trace(model, [Pair("abc", "ghgh")])
    assert found.read[0] == ("<s>", "g", "h", "g", "h")
    expected = torch.zeros(5, 5)
    expected[3, 1] = expected[4, 2] = 1
    same(found["decoder.0.self.pattern"][0, 0], expected)


def test_a_weight_that_came_out_as_0_can_be_looked_at_all_the_same() -> None:
    model = opened("transformer")
    with torch.no_grad():
        network_of(model).get_submodule("encoder.0.self").query.weight.mul_(1e5)
    assert not bool(trace(model, PAIRS[:1])["encoder.0.self.pattern"].all())
    with edited(model, [replace("encoder.0.self", pattern=uniform)]):
        assert bool(trace(model, PAIRS[:1])["encoder.0.self.pattern"].all())


def test_a_replaced_pattern_takes_the_fused_kernel_s_place() -> None:
    model = opened(transformer_settings())
    long = [Pair("abcdefgh" * 65, "ab")]
    with edited(model, [replace("encoder.0.self", pattern=uniform)]):
        found = logits(model, long)
        one = trace(model, long)
    size = len(one.source[0])
    assert size > 512
    same(one["encoder.0.self.pattern"], torch.full((1, 2, size, size), 1 / size), 1e-6)
    same(found.float(), one["prediction"], 1e-5)


# Everything works inside as outside.

EDITS: dict[str, Edit] = {
    "zero": ablate("decoder.0.cross", [0]),
    "mean": ablate("decoder.0.self", [1], "mean", DATA),
    "resampled-self": ablate("decoder.0.self", None, "resample", DATA),
    "resampled-cross": ablate("decoder.0.cross", [1], "resample", DATA),
    "resampled-values": ablate("decoder.0.cross.v", None, "resample", DATA),
    "resampled-encoder": ablate("encoder.0.self", [0], "resample", DATA),
    "resampled-embeddings": ablate("target.tokens", None, "resample", DATA),
    "feed-forward": ablate("decoder.0.feedforward", None, "resample", DATA),
    "no-positions": ablate("target.positions.code"),
    "self-role": replace("decoder.0.self", 0, pattern=uneven),
    "self-table": replace("decoder.0.self", 1, pattern=TABLE),
    "cross-role": replace("decoder.0.cross", 1, pattern=uneven),
    "cross-table": replace("decoder.0.cross", pattern=TABLE),
    "encoder-role": replace("encoder.0.self", 1, pattern=uneven),
    "self-tokens": replace("decoder.0.self", 1, pattern=same_before),
    "cross-tokens": replace("decoder.0.cross", 0, pattern=roles.same_token()),
    "cross-diagonal": replace("decoder.0.cross", 1, pattern=roles.diagonal(0.2)),
}
PROGRAMMED: dict[str, Edit] = {**EDITS, "query": ablate("decoder.0.self.q", [2])}
RECURRENT: dict[str, Edit] = {
    "zero": ablate("decoder.cross"),
    "gate": ablate("decoder.0.update", None, "mean", DATA),
    "states": ablate("decoder.0", None, "resample", DATA),
    "resampled": ablate("decoder.cross", None, "resample", DATA),
    "role": replace("decoder.cross", pattern=uneven),
    "table": replace("decoder.cross", 0, pattern=TABLE),
    "tokens": replace("decoder.cross", pattern=roles.same_token()),
    "backwards": ablate("encoder.0.forwards", None, "resample", DATA),
}
CASES = [("transformer", name) for name in EDITS]
CASES += [("programmed", name) for name in PROGRAMMED]
CASES += [("alibi", name) for name in ("self-role", "cross-table", "resampled-self")]
CASES += [("shared", name) for name in ("zero", "self-role", "resampled-values", "mean")]
CASES += [("gru", name) for name in RECURRENT]


def case(kind: str, name: str) -> Edit:
    return {"gru": RECURRENT, "programmed": PROGRAMMED}.get(kind, EDITS)[name]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_cached_decoding_is_teacher_forcing(kind: str, name: str) -> None:
    model, edit = opened(kind), case(kind, name)
    whole = with_edits(model, edit)
    same(with_edits(model, edit, run=stepped), whole)
    assert not torch.allclose(whole, logits(model))


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_what_comes_out_does_not_depend_on_the_rows_beside(kind: str, name: str) -> None:
    model, edit = opened(kind), case(kind, name)
    with edited(model, [edit]):
        together = logits(model)
        for row, (pair, size) in enumerate(zip(PAIRS, (4, 5, 2), strict=True)):
            same(logits(model, [pair])[0], together[row, :size])


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_search_and_scoring_agree_inside(kind: str, name: str) -> None:
    model, edit = searching(kind, max_length=8), case(kind, name)
    with edited(model, [edit]):
        together = [nbest[0] for nbest in model.translate(PAIRS)]
        alone = [model.translate([pair])[0][0] for pair in PAIRS]
        finished = [(p, t) for p, t in zip(PAIRS, together, strict=True) if t.finished]
        scored = model.score([Pair(p.source, t.text) for p, t in finished])
    assert [one.tokens for one in together] == [one.tokens for one in alone]
    for (_, one), again in zip(finished, scored, strict=True):
        assert again.score == pytest.approx(one.score, abs=1e-4)


def test_later_edits_see_what_earlier_ones_made() -> None:
    model = opened("transformer")
    name = "encoder.0.self.context"
    zero, mean = ablate("encoder.0.self", [0]), ablate("encoder.0.self", [1], "mean", DATA)
    with edited(model, [zero, mean]):
        once = logits(model)
        assert not bool(trace(model, PAIRS)[name][:, 0].any())
    with edited(model, [zero]), edited(model, [mean]):
        same(logits(model), once)
    last = ablate("encoder.0.self", [0], "mean", DATA)
    same(with_edits(model, zero, last), with_edits(model, last))


def test_reference_data_is_read_under_the_edits_around() -> None:
    model = opened("transformer")
    first, second = ablate("encoder.0.feedforward"), ablate("encoder.1.self", None, "mean", DATA)
    with edited(model, [first]), edited(model, [second]):
        nested = logits(model)
    assert not torch.allclose(nested, with_edits(model, first, second))


def test_gradients_are_traced_through_edits() -> None:
    model = opened("transformer")
    with torch.inference_mode(), edited(model, [case("transformer", "mean")]):
        found = trace(model, PAIRS, grad=True)
    assert not bool(found.grad["decoder.0.self.pattern"][:, 1].any())
    assert bool(found.grad["decoder.0.self.pattern"][:, 0].any())


# An edit goes without trace, and holds in one thread.


@pytest.mark.parametrize(("kind", "name"), [("programmed", n) for n in EDITS] + CASES[-8:])
def test_an_edit_leaves_no_trace(kind: str, name: str) -> None:
    model, edit = opened(kind), case(kind, name)
    network = network_of(model)
    before = logits(model)
    with edited(model, [edit]):
        assert hooks_in(network)
    assert hooks_in(network) == []
    assert torch.equal(logits(model), before)
    with pytest.raises(KeyError), edited(model, [edit]):
        logits(model)
        raise KeyError
    assert hooks_in(network) == []
    assert not any(tap.watched for tap in network.modules() if isinstance(tap, Tap))
    assert torch.equal(logits(model), before)


def test_an_edit_that_cannot_be_made_leaves_no_trace_of_those_before_it() -> None:
    model = opened("transformer")
    wrong = ablate("encoder.9.self")
    with pytest.raises(ConfigError), edited(model, [ablate("encoder.0.self"), wrong]):
        pytest.fail("the block must not begin")
    assert hooks_in(network_of(model)) == []


def elsewhere(work: Callable[[], Any]) -> Any:
    """Runs `work` in another thread and returns what it returns."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("kind", ["transformer", "gru"])
def test_an_edit_holds_in_the_thread_that_made_it(kind: str) -> None:
    model = opened(kind)
    plain = logits(model)
    for edit in (EDITS if kind == "transformer" else RECURRENT).values():
        with edited(model, [edit]):
            changed_here = logits(model)
            same(elsewhere(lambda: logits(model)), plain)
            same(logits(model), changed_here)
            copied = contextvars.copy_context()
            same(elsewhere(partial(copied.run, logits, model)), changed_here)


def test_two_threads_at_the_same_time_edit_differently() -> None:
    model = opened("transformer")
    edits = [(), (EDITS["zero"],), (EDITS["cross-role"], EDITS["resampled-self"])]
    expected = [with_edits(model, *each) for each in edits]
    meeting = threading.Barrier(len(edits))
    found: dict[int, list[Tensor]] = {}

    def work(number: int) -> None:
        with edited(model, edits[number]):
            meeting.wait(timeout=60)
            found[number] = [run(model) for _ in range(5) for run in (logits, stepped)]
            meeting.wait(timeout=60)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(edits))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, each in enumerate(expected):
        assert len(found[number]) == 10
        for value in found[number]:
            same(value, each)
    assert hooks_in(network_of(model)) == []


def test_a_trace_does_not_see_what_another_thread_computes() -> None:
    model = opened("gru")
    plain = trace(model, PAIRS)
    main, met = threading.current_thread(), []

    def meet(*_: Any) -> None:
        if threading.current_thread() is main:
            met.append(elsewhere(lambda: logits(model)))

    handle = network_of(model).decoder.register_forward_pre_hook(meet)
    found = trace(model, PAIRS)
    handle.remove()
    assert len(met) == 1
    for name in plain.names():
        assert torch.equal(found[name], plain[name])


# What cannot be done is said.


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (ablate("decoder.1.cros"), r"Did you mean decoder\.1\.cross\?"),
        (ablate("decoder.7.cross"), r"Did you mean decoder\.\d\.cross\?"),
        (ablate("decoder.1.cross", [2]), "found head 2; expected heads from 0 to 1"),
        (ablate("decoder.1.cross", [0, -1]), "found head -1; expected heads from 0 to 1"),
        (ablate("encoder.0.feedforward", [0]), "Leave the heads out"),
        (ablate("encoder.0.self.pattern"), "replace its pattern"),
        (ablate("prediction"), "what leads to it"),
        (replace("encoder.0.slef", pattern=uniform), r"Did you mean encoder\.0\.self\?"),
        (replace("encoder.0.feedforward", pattern=uniform), "no attention of that name"),
        (replace("encoder.0.self", 2, pattern=uniform), "found head 2; expected heads from 0 to 1"),
    ],
)
def test_a_name_or_head_that_is_not_there_is_refused(edit: Edit, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_edits(opened("transformer"), edit)


def test_a_network_without_attention_has_no_pattern_to_replace() -> None:
    with pytest.raises(ConfigError, match="This network has no attention"):
        with_edits(opened("rnn"), replace("decoder.cross", pattern=uniform))


def test_a_step_s_value_cannot_be_resampled() -> None:
    with pytest.raises(ConfigError, match="Resample the recurrence's states"):
        with_edits(opened("gru"), ablate("decoder.0.hidden", None, "resample", DATA))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (replace("encoder.0.self", pattern=torch.ones(2, 9)), "2 queries and 9 keys; .* 7 and 7"),
        (replace("decoder.0.self", pattern=lambda q, k: k.pos - q.pos), "below 0"),
        (ablate("encoder.0.self", None, "mean", torch.zeros(4)), r"expected \[2, 4\]"),
        (ablate("encoder.0.self", None, "resample", torch.zeros(9, 4)), r"expected \[2, 4\]"),
        (ablate("encoder.0.self", None, "mean"), "Give data="),
        (ablate("encoder.0.self", None, "resample"), "Give data="),
    ],
)
def test_values_that_do_not_fit_are_refused(edit: Edit, message: str) -> None:
    model = opened("transformer")
    with pytest.raises(ConfigError, match=message):
        with_edits(model, edit)
    assert hooks_in(network_of(model)) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ablate("x", by="means", data=DATA), "Did you mean mean"),
        (lambda: ablate("x", by="resample", data=DATA, seed=-1), "seed: found -1"),
        (lambda: replace("x", pattern=torch.ones(3)), r"expected \[query, key\]"),
        (lambda: replace("x", pattern=-torch.ones(3, 3)), "below 0"),
        (lambda: replace("x", pattern=torch.full((2, 2), torch.nan)), "not finite"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_an_ensemble_is_refused() -> None:
    networks = [network_of(opened(kind)) for kind in ("rnn", "gru")]
    model = Translator(networks, TOKENIZERS, SearchOptions())
    with pytest.raises(ConfigError, match="members one by one"):
        with_edits(model, ablate("encoder"), run=lambda _: None)


def test_an_edit_can_be_used_again() -> None:
    edit, first, second = ablate("encoder"), opened("transformer"), opened("gru")
    assert isinstance(edit, Ablation)
    for model in (first, second, first):
        assert not torch.allclose(with_edits(model, edit), logits(model))


def test_every_setting_can_be_edited() -> None:
    for kind in SETTINGS:
        model = opened(kind)
        assert not torch.allclose(with_edits(model, ablate("source")), logits(model))

"""What is said of heads: roles and figures known by hand, gradients by finite differences."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from handmade import CROSS, ENCODER, PAIRS, handmade
from opened import PAIRS as OTHERS
from opened import SETTINGS, given, network_of, opened
from torch import Tensor

from helpers import hooks_in, same
from seq2see.data.pairs import Pair
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError, DataError
from seq2see.look.change import Task
from seq2see.look.edit import edited
from seq2see.look.forced import force
from seq2see.look.heads import HeadOptions, heads
from seq2see.look.measure import importances
from seq2see.look.names import find
from seq2see.look.removal import attentions
from seq2see.look.replace import replace
from seq2see.look.table import HeadRow, HeadTable, Match
from seq2see.look.trace import log_likelihood, trace
from seq2see.look.written import written_norms
from seq2see.nn.hooks import Hooks, hooked

WORD = [Pair("decade", "facade"), Pair("decaff", "afaced")]


def described(model: Translator, pairs: Sequence[Pair], **options: Any) -> HeadTable:
    return heads(model, pairs, HeadOptions(**({"ablations": "none"} | options)))


def blinded(model: Translator) -> Translator:
    """The model with queries that match all keys alike."""
    with torch.no_grad():
        for at in attentions(network_of(model)):
            layer = network_of(model).get_submodule(f"{at}.query")
            layer.weight.zero_()
            layer.bias.zero_()
    return model


def table_of(offset: int) -> Tensor:
    return torch.ones(12, 12).tril(offset).triu(offset)


def column(key: int) -> Tensor:
    return torch.eye(12)[key].expand(12, 12)


def ended() -> Tensor:
    """Looks at the end mark of a source of seven tokens."""
    return column(6)


# Roles.


def test_roles_written_by_hand_are_found() -> None:
    found = described(handmade(), PAIRS)
    roles = [found[ENCODER, head].role for head in range(4)]
    assert roles == ["previous", "same token", "rare token", "first"]
    assert [found[CROSS, head].role for head in range(4)] == ["none", "none", "self", "none"]
    known = {(ENCODER, 0): "previous", (ENCODER, 2): "rare token", (CROSS, 2): "self"}
    for key, job in known.items():
        assert found[key].match(job).match == pytest.approx(1, abs=1e-4)
    assert {found["decoder.0.self", head].role for head in range(4)} == {"none"}


GAUSSIAN = (-((torch.arange(12)[:, None] - torch.arange(12)) ** 2) / 2).exp()


@pytest.mark.parametrize(
    ("at", "role", "pattern"),
    [
        ("encoder.0.self", "previous", table_of(-1)),
        ("encoder.0.self", "next", table_of(1)),
        ("encoder.0.self", "self", table_of(0)),
        ("encoder.0.self", "first", column(0)),
        ("encoder.0.self", "last", ended()),
        ("encoder.0.self", "local", GAUSSIAN),
        ("decoder.1.self", "previous", table_of(-1)),
        ("decoder.1.self", "self", table_of(0)),
        ("decoder.1.self", "first", column(0)),
        ("decoder.1.cross", "next", table_of(1)),
        ("decoder.1.cross", "last", ended()),
    ],
)
def test_a_pattern_forced_on_a_head_is_recognised(at: str, role: str, pattern: Tensor) -> None:
    model = opened("transformer")
    with edited(model, [replace(at, 1, pattern=pattern)]):
        row = described(model, WORD)[at, 1]
    assert row.role == role
    # A query whose forced row holds nothing reads nothing, and is none that the job tells.
    assert row.match(role).match == pytest.approx(1, abs=1e-6)
    assert row.match(role).even < 0.75


def test_heads_that_look_evenly_have_no_role() -> None:
    for row in described(blinded(opened("transformer")), OTHERS):
        assert row.role == "none"
        assert row.relative_entropy == pytest.approx(1)
        for each in row.matches:
            assert each.match == pytest.approx(each.even)


def test_the_diagonal_of_texts_that_differ_in_length() -> None:
    model, pairs = opened("gru"), [Pair("abcabcabcabc", "abcde")]
    straight, sloped = torch.eye(6, 13), torch.zeros(6, 13)
    sloped[torch.arange(6), torch.tensor([0, 2, 5, 6, 9, 11])] = 1  # within half a key or so
    turned = torch.zeros(6, 13)
    turned[torch.arange(6), torch.tensor([11, 9, 6, 4, 2, 0])] = 1
    roles = []
    for pattern in (straight, sloped, turned):
        with edited(model, [replace("decoder.cross", pattern=pattern)]):
            roles.append(described(model, pairs)["decoder.cross", 0].role)
    assert roles == ["self", "diagonal", "mirrored"]


def test_of_jobs_that_come_close_the_narrower_counts() -> None:
    def match(job: str, match: float, even: float, applies: float = 1.0) -> Match:
        return Match(job, match, even, match, applies)

    def role(*matches: Match) -> str:
        return HeadRow("x", 0, matches, 0.0, 0.0, 0.0, 0.0, (), ()).role

    near = match("diagonal", 0.98, 0.3)
    assert role(near, match("self", 0.95, 0.1)) == "self"
    assert role(near, match("self", 0.7, 0.1)) == "diagonal"
    assert role(near, match("rare token", 1.0, 0.1, applies=0.05)) == "diagonal"
    assert role(match("self", 0.35, 0.1)) == "none"


def test_a_decoder_is_never_found_to_look_ahead() -> None:
    rows = described(opened("transformer"), OTHERS)
    names = {each.job for each in rows["decoder.0.self", 0].matches}
    assert names == {"previous", "self", "first", "local", "same token", "rare token"}
    assert rows["encoder.0.self", 1].match("next").applies == pytest.approx(10 / 13)


# Figures.


def test_entropy_confidence_and_offsets_by_hand() -> None:
    model = opened("transformer")
    pattern = torch.zeros(3, 3)
    pattern[0, 0], pattern[1, :2], pattern[2] = (
        1,
        torch.tensor([0.25, 0.75]),
        torch.tensor([1, 1, 6]),
    )
    with edited(model, [replace("encoder.0.self", 0, pattern=pattern)]):
        row = described(model, [Pair("ab", "a")], reach=3)["encoder.0.self", 0]
    third = -(2 * math.log(0.125) * 0.125 + 0.75 * math.log(0.75))
    second = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert row.entropy == pytest.approx((second + third) / 3)
    assert row.relative_entropy == pytest.approx((second + third) / 3 / math.log(3))
    assert row.confidence == pytest.approx((1 + 0.75 + 0.125) / 3)  # the end mark, key 2, left out
    assert row.offsets[1:6] == pytest.approx(
        [0.125, (0.25 + 0.125) / 2, (1 + 0.75 + 0.75) / 3, 0, 0]
    )
    assert math.isnan(row.offsets[0])


def test_offsets_of_the_weighted_map_are_the_share_of_what_is_written() -> None:
    model = opened("transformer")
    at = "encoder.0.self"
    rows = [[1, 0, 0], [0.25, 0.75, 0], [0.125, 0.125, 0.75]]
    pattern = torch.tensor(rows, dtype=torch.float64)
    with edited(model, [replace(at, 0, pattern=pattern)]):
        row = described(model, [Pair("ab", "a")], reach=2)[at, 0]
        values = trace(model, Pair("ab", "a"))[f"{at}.v"]
    layer = network_of(model).get_submodule(at)
    weights = layer.output.weight[:, : values.shape[-1]]  # of head 0
    norms = (values[0, 0].double() @ weights.T).norm(dim=-1)
    written = pattern * norms
    share = written / written.sum(-1, keepdim=True)
    expected = [share.diagonal(n).mean().item() for n in range(-2, 3)]
    assert row.weighted_offsets == pytest.approx(expected, rel=1e-5)
    assert row.weighted_offsets != pytest.approx(row.offsets, rel=1e-3)


def test_each_pair_counts_as_much_as_its_queries() -> None:
    model = opened("transformer")
    alone = [described(model, [pair])["decoder.1.cross", 0] for pair in OTHERS]
    together = described(model, OTHERS)["decoder.1.cross", 0]
    queries = [len(pair.target) + 1 for pair in OTHERS]
    for name in ("entropy", "confidence", "importance"):
        mean = sum(n * getattr(row, name) for n, row in zip(queries, alone, strict=True)) / sum(
            queries
        )
        assert getattr(together, name) == pytest.approx(mean)


@pytest.mark.parametrize("kind", SETTINGS)
def test_importance_is_what_a_gate_on_the_head_does(kind: str) -> None:
    model = opened(kind)
    if kind == "rnn":
        with pytest.raises(ConfigError, match="no attention"):
            described(model, OTHERS)
        return
    at = list(attentions(network_of(model)))[-1]
    found = importances(model, force(model, OTHERS), [at])[at]
    one = given(model)
    real = [(row, t) for row, t in (one.wanted != 0).nonzero().tolist()]
    for head in range(len(found)):
        slopes = [abs(_slope(model, at, (row, head, t))) for row, t in real]
        assert sum(slopes) / len(real) == pytest.approx(float(found[head]), rel=1e-5)


def _slope(model: Translator, at: str, place: tuple[int, int, int]) -> float:
    """By how much the loss grows with a gate on a head at one position."""
    network, one, step = network_of(model), given(model), 1e-5

    def loss(factor: float) -> float:
        def gate(context: Tensor) -> Tensor:
            context = context.clone()
            row, head, t = place
            context[(row, head, t) if context.ndim == 4 else (row, t)] *= factor
            return context

        with torch.no_grad(), hooked(Hooks(after=((find(network, at).tap, gate),))):
            logits = network.logits(network(one.source, one.real, one.read))
        return -float(log_likelihood(logits, one.wanted).sum())

    return (loss(1 + step) - loss(1 - step)) / (2 * step)


@pytest.mark.parametrize("kind", ["transformer", "shared", "learned", "bilstm"])
def test_norms_of_what_each_key_makes_a_head_write(kind: str) -> None:
    model = opened(kind)
    found = trace(model, OTHERS)
    at = "decoder.cross" if kind == "bilstm" else "encoder.0.self"
    layer = network_of(model).get_submodule(at)
    states = found["encoder.out" if kind == "bilstm" else f"{at}.v"].double()
    norms = written_norms(layer, states)
    if kind == "bilstm":
        same(norms[:, 0], states.norm(dim=-1))
        return
    sizes = layer.sizes
    for head in range(sizes.heads):
        columns = slice(head * sizes.d_value, (head + 1) * sizes.d_value)
        value = states[:, head // (sizes.heads // sizes.kv_heads)]
        same(norms[:, head], (value @ layer.output.weight[:, columns].T).norm(dim=-1))


def test_a_key_that_makes_a_head_write_nothing_has_no_weighted_share() -> None:
    model = opened("transformer")
    network = network_of(model)

    def silent(value: Tensor) -> Tensor:
        return value * (torch.arange(value.shape[2]) > 0)[:, None]  # the first key's value is 0

    tap = network.get_submodule("encoder.0.self.v")
    with hooked(Hooks(after=((tap, silent),))):
        first = described(model, OTHERS)["encoder.0.self", 0].match("first")
    assert first.weighted == 0
    assert first.match > 0


# Ablations.


def task(pairs: Sequence[Pair], metric: str = "accuracy") -> Task:
    return Task(pairs, [[pair.target] for pair in pairs], metric)


@pytest.mark.parametrize("by", ["zero", "mean", "resample"])
def test_the_head_that_copies_is_the_one_that_matters(by: str) -> None:
    options = HeadOptions(CROSS, "metric", by)
    found = heads(handmade(), PAIRS, options, task(PAIRS))
    for row in found:
        assert row.change is not None
        assert row.change.sure is (row.head == 2)
        assert row.change.value == pytest.approx(-100 if row.head == 2 else 0, abs=13)
    likely = described(handmade(), PAIRS, at=CROSS, ablations="likelihood", by=by)
    changes = [row.change for row in likely]
    assert [each.sure for each in changes if each] == [False, False, True, False]
    assert changes[2] is not None
    assert changes[2].high < -1
    assert found.sorted("change", rising=True).rows[0].head == 2


def test_likelihood_is_counted_in_nats_a_token() -> None:
    model = opened("bilstm")
    row = described(model, OTHERS, ablations="likelihood", by="zero")["decoder.cross", 0]
    readout = network_of(model).get_submodule("decoder.cross.context")
    before = [one.score for one in model.score(OTHERS)]
    with hooked(Hooks(after=((readout, torch.zeros_like),))):
        after = [one.score for one in model.score(OTHERS)]
    tokens = sum(len(pair.target) + 1 for pair in OTHERS)
    assert row.change is not None
    assert row.change.value == pytest.approx((sum(after) - sum(before)) / tokens)
    assert row.change.low <= row.change.value <= row.change.high


def test_ablations_do_not_change_what_is_said_of_heads_and_leave_nothing() -> None:
    model = opened("shared")
    with_ablations = described(model, OTHERS, ablations="likelihood")
    assert hooks_in(network_of(model)) == []
    plain = described(model, OTHERS)
    for a, b in zip(with_ablations, plain, strict=True):
        assert a.matches == b.matches
        assert b.change is None


# The table.


def test_the_table_sorts_prints_and_gives_plain_values() -> None:
    found = described(opened("transformer"), OTHERS, ablations="likelihood")
    values = [row.importance for row in found.sorted()]
    assert values == sorted(values, reverse=True)
    rows = json.loads(json.dumps(found.as_dicts(), allow_nan=False))
    assert rows[0]["at"] == "encoder.0.self"
    assert rows[0]["change"]["metric"] == "likelihood"
    lines = str(found).splitlines()
    assert len(lines) == len(found) + 1 == 13
    with pytest.raises(ConfigError, match="Did you mean entropy"):
        found.sorted("entropie")
    with pytest.raises(ConfigError, match=r"encoder\.1\.self"):
        found["encoder.1.slef", 0]
    with pytest.raises(ConfigError, match="not ablated"):
        described(opened("gru"), OTHERS).sorted("change")


def test_what_cannot_be_asked_is_refused() -> None:
    model = opened("transformer")
    for changes, message in (
        ({"at": "encoder.7.self"}, "Did you mean"),
        ({"ablations": "bleu"}, "likelihood"),
        ({"by": "noise"}, "resample"),
        ({"reach": -1}, "0 or more"),
        ({"ablations": "metric"}, "no task"),
    ):
        with pytest.raises(ConfigError, match=message):
            described(model, OTHERS, **changes)
    with pytest.raises(DataError, match="without a target"):
        described(model, [Pair("ab", "")], ablations="likelihood")

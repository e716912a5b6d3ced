"""Patching: what is restored is known where everything, or nothing, of a source passes a value."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from opened import TOKENIZERS, network_of, opened, searching
from torch import Tensor

from helpers import hooks_in, recurrent_settings
from seq2see.data.pairs import Pair
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError, DataError
from seq2see.look.forced import force
from seq2see.look.patch import patch
from seq2see.nn.network import Network

CLEAN, CORRUPT = Pair("abcd", "dcb"), Pair("abed", "dab")


def run(network: Network, source: Pair, change: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
    """Reads along the clean target under hooks written here; returns logits and every value."""
    model = Translator([network], TOKENIZERS, SearchOptions())
    one = force(model, [Pair(source.source, CLEAN.target)]).together(network)
    values: dict[str, Tensor] = {}
    handles = [
        network.get_submodule(name).register_forward_hook(lambda _m, _a, v, f=f: f(v))
        for name, f in change.items()
    ]
    for name in NAMES:
        hook = lambda _m, _a, value, name=name: values.setdefault(name, value)  # noqa: E731
        handles.append(network.get_submodule(name).register_forward_hook(hook))
    with torch.no_grad():
        found = network.logits(network(one.source, one.real, one.read))[0]
    for handle in handles:
        handle.remove()
    return found, values


NAMES = ("decoder.0.cross.context", "encoder.0.self.pattern", "encoder.0.out")


def likelihood(logits: Tensor) -> float:
    wanted = TOKENIZERS.targets([CLEAN.target], [[]])[0]
    return sum(row.log_softmax(-1)[i].item() for row, i in zip(logits, wanted, strict=True))


def difference(logits: Tensor) -> float:
    """The targets differ from their second piece on: c or a."""
    right, wrong = TOKENIZERS.targets(["c", "a"], [[], []])
    return (logits[1, right[0]] - logits[1, wrong[0]]).item()


@pytest.mark.parametrize(
    ("metric", "by_hand"), [("likelihood", likelihood), ("logit_difference", difference)]
)
def test_the_metrics_of_both_runs_are_those_computed_by_hand(metric: Any, by_hand: Any) -> None:
    model = opened("transformer")
    network = network_of(model)
    found = patch(model, CLEAN, CORRUPT, "encoder.*.out", metric)
    assert found.clean == pytest.approx(by_hand(run(network, CLEAN, {})[0]))
    assert found.corrupt == pytest.approx(by_hand(run(network, CORRUPT, {})[0]))
    assert [(row.name, row.head) for row in found.rows] == [
        ("encoder.0.out", None),
        ("encoder.1.out", None),
    ]
    values = run(network, CLEAN, {})[1]
    logits, _ = run(network, CORRUPT, {"encoder.0.out": lambda _: values["encoder.0.out"]})
    assert found.rows[0].value == pytest.approx(by_hand(logits))
    share = (by_hand(logits) - found.corrupt) / (found.clean - found.corrupt)
    assert found["encoder.0.out"] == found.rows[0].restored == pytest.approx(share)


@pytest.mark.parametrize("name", ["decoder.0.cross.context", "encoder.0.self.pattern"])
def test_heads_are_patched_one_by_one(name: str) -> None:
    model = opened("transformer")
    network = network_of(model)
    values = run(network, CLEAN, {})[1]
    found = patch(model, CLEAN, CORRUPT, name, heads=True)
    assert [(row.name, row.head) for row in found.rows] == [(name, 0), (name, 1)]
    for head in (0, 1):

        def one_head(value: Tensor, head: int = head) -> Tensor:
            value = value.clone()
            value[:, head] = values[name][:, head]
            return value

        logits, _ = run(network, CORRUPT, {name: one_head})
        assert found.rows[head].value == pytest.approx(likelihood(logits))
        assert found[name, head] == found.rows[head].restored


@pytest.mark.parametrize("metric", ["likelihood", "logit_difference"])
@pytest.mark.parametrize(
    ("kind", "everything", "nothing"),
    [
        ("transformer", ["source.tokens", "source.out", "encoder.out"], ["target.out"]),
        ("shared", ["encoder.0.out", "decoder.out", "prediction"], ["decoder.0.self.context"]),
        ("bilstm", ["source.out", "decoder.out"], ["target.tokens"]),
        ("rnn", ["source.out", "decoder.0.states", "decoder.out"], ["target.out", "encoder.out"]),
    ],
)
def test_a_value_that_all_passes_restores_all_and_one_that_nothing_passes_nothing(
    kind: str, everything: list[str], nothing: list[str], metric: Any
) -> None:
    model = opened(kind)
    found = patch(model, CLEAN, CORRUPT, "*", metric)
    for name in everything:
        assert found[name] == pytest.approx(1.0), name
    for name in nothing:
        assert found[name] == pytest.approx(0.0, abs=1e-9), name
    assert found["source.tokens"] == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["transformer", "bilstm", "rnn"])
def test_what_the_layers_of_the_encoder_hand_on_is_patched_unless_said(kind: str) -> None:
    found = patch(opened(kind), CLEAN, CORRUPT)
    ways = ("forwards", "backwards")
    names = {
        "transformer": ["encoder.0.out", "encoder.1.out"],
        "bilstm": [f"encoder.{layer}.{way}.states" for layer in (0, 1) for way in ways],
        "rnn": [f"encoder.0.{way}.states" for way in ways],
    }
    assert sorted(row.name for row in found.rows) == sorted(names[kind])


def test_step_values_are_patched_step_by_step() -> None:
    model = opened(recurrent_settings("rnn", attention="none", bidirectional=False))
    found = patch(model, CLEAN, CORRUPT, "encoder.0.forwards.*")
    for name in ("candidate", "hidden", "states"):
        assert found[f"encoder.0.forwards.{name}"] == pytest.approx(1.0)


def test_heads_of_a_value_that_is_not_kept_by_head_are_one_row() -> None:
    found = patch(opened("bilstm"), CLEAN, CORRUPT, "decoder.cross.*", heads=True)
    rows = {(row.name.rpartition(".")[2], row.head) for row in found.rows}
    assert rows == {("q", None), ("k", None), ("scores", 0), ("pattern", 0), ("context", None)}


def test_a_function_can_judge() -> None:
    seen = []

    def first(logits: Tensor, wanted: Tensor) -> float:
        seen.append(wanted.tolist())
        return logits[0, wanted[0]].item()

    found = patch(opened("transformer"), CLEAN, CORRUPT, "source.out", first)
    assert found["source.out"] == pytest.approx(1.0)
    assert {tuple(ids) for ids in seen} == {tuple(TOKENIZERS.targets(["dcb"], [[]])[0])}


def test_the_own_output_is_taken_where_no_target_is_given() -> None:
    model = searching("transformer", max_length=6)
    own = model.translate([Pair("abcd", "")])[0][0]
    found = patch(model, "abcd", "hged", "source.out")
    assert found["source.out"] == pytest.approx(1.0, abs=1e-4)
    assert found.clean == pytest.approx(own.score, abs=1e-4)


def test_the_table_shows_itself() -> None:
    found = patch(opened("transformer"), CLEAN, CORRUPT, "decoder.0.*.context", heads=True)
    lines = str(found).splitlines()
    assert lines[0].split() == ["value", "metric", "restored"]
    assert [line.split()[:2] for line in lines[1:3]] == [
        ["decoder.0.self.context", "0"],
        ["decoder.0.self.context", "1"],
    ]
    assert float(lines[-1].split()[-1]) == pytest.approx(found.rows[-1].restored, abs=1e-3)


@pytest.mark.parametrize(
    ("corrupt", "options", "error", "message"),
    [
        (Pair("abe", "x"), {}, DataError, r"sources of 5 and 4 tokens \(a b c d </s> and a b e"),
        (CLEAN, {}, DataError, "nothing to restore"),
        (Pair("abed", "dcb"), {"metric": "logit_difference"}, DataError, "do not differ"),
        (CORRUPT, {"metric": "likelyhood"}, ConfigError, "Did you mean likelihood"),
        (CORRUPT, {"at": "encoder.*.outt"}, ConfigError, r"Did you mean encoder\.\w"),
    ],
)
def test_what_cannot_be_patched_is_refused(
    corrupt: Pair, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = opened("transformer")
    with pytest.raises(error, match=message):
        patch(model, CLEAN, corrupt, **options)
    assert hooks_in(network_of(model)) == []


def test_a_row_that_was_not_asked_for_is_refused() -> None:
    found = patch(opened("transformer"), CLEAN, CORRUPT, "*.cross.context", heads=True)
    with pytest.raises(ConfigError, match="Name one head"):
        found["decoder.0.cross.context"]
    with pytest.raises(ConfigError, match=r"Did you mean decoder\.0\.cross\.context"):
        found["decoder.0.cros.context"]


def test_no_hook_stays_behind() -> None:
    model = opened("bilstm")
    patch(model, CLEAN, CORRUPT, "*", heads=True)
    assert hooks_in(network_of(model)) == []

    def fail(_logits: Tensor, _wanted: Tensor) -> float:
        calls.append(1)
        if len(calls) > 2:
            raise RuntimeError("in the middle")
        return float(len(calls))

    calls: list[int] = []
    with pytest.raises(RuntimeError, match="in the middle"):
        patch(model, CLEAN, CORRUPT, "*", fail)
    assert hooks_in(network_of(model)) == []


def test_heads_are_patched_by_their_numbers_beside_a_fixed_one() -> None:
    model = opened("programmed")
    found = patch(model, CLEAN, CORRUPT, "encoder.0.self.[qv]", heads=True)
    names = [(row.name.rpartition(".")[2], row.head) for row in found.rows]
    assert names == [("q", 1), ("q", 2), ("q", 3), ("v", 0), ("v", 1), ("v", 2), ("v", 3)]
    assert found["encoder.0.self.q", 3] != found["encoder.0.self.q", 1]

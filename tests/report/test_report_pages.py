"""What the pages compute, where the result is known."""

from __future__ import annotations

import random
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from rapidfuzz.distance import Levenshtein

from fixtures import copying, joint
from helpers import network, recurrent_settings, transformer_settings
from seq2see.data.pairs import Pair
from seq2see.data.store import Tokenizers
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import Translator
from seq2see.look.trace import trace
from seq2see.nn.network import Network, Sizes
from seq2see.nn.positions import sinusoids
from seq2see.report.packing import unpacked
from seq2see.report.pages import card, errors, gates, head, length, position

TOKENIZERS: Tokenizers = joint(copying(40))
VARIANTS = {
    "plain": transformer_settings(),
    "rotary, shared": transformer_settings(heads=4, kv_heads=2, positions="rotary"),
    "alibi": transformer_settings(positions="alibi"),
    "few maps": transformer_settings(tied_query_key=True, value_projection=False, frequencies=2),
    "unscaled, sizes": transformer_settings(scaled=False, d_key=3, d_value=5),
}


def opened(settings) -> SimpleNamespace:
    """A stand-in for a subject: a network with random parameters, and one trace."""
    torch.manual_seed(0)
    size = TOKENIZERS.source.size
    one = Network(settings, Sizes(size, size)).eval()
    translator = Translator([one], TOKENIZERS, SearchOptions(beam=2))
    return SimpleNamespace(
        network=one, translator=translator, traces=[trace(translator, Pair("decade", "hgab"))]
    )


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("at", ["encoder.0.self", "decoder.0.self", "decoder.0.cross"])
def test_the_head_card_makes_the_pattern_of_the_network(variant: str, at: str) -> None:
    """From what the card holds, the script computes the weights: they are those of the trace."""
    subject = opened(VARIANTS[variant])
    [seen] = subject.traces
    found = head.opened(subject, seen, at)
    scores = unpacked(found["q"]) @ unpacked(found["k"]).swapaxes(-1, -2) * found["scale"]
    scores = torch.tensor(scores + (unpacked(found["bias"]) if "bias" in found else 0.0))
    if found["causal"]:
        ahead = torch.ones(scores.shape[1:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(ahead, -torch.inf)
    pattern = (scores - scores.logsumexp(-1, keepdim=True)).exp()
    expected = seen[f"{at}.pattern"][0].double()
    torch.testing.assert_close(pattern, expected, atol=1e-3, rtol=0)
    assert ("bias" in found) == (variant == "alibi" and at.endswith("self"))


def test_what_a_head_writes_is_its_share_of_the_attention_s_output() -> None:
    subject = opened(VARIANTS["unscaled, sizes"])
    [seen] = subject.traces
    layer = subject.network.decoder.get_submodule("0.cross")
    found = head.opened(subject, seen, "decoder.0.cross")["writes"]
    context = seen["decoder.0.cross.context"].clone()
    context[:, 0] = 0.0  # the other head alone
    with torch.no_grad():
        alone = layer.output(context.transpose(1, 2).flatten(-2)) - layer.output.bias
        logits = alone[0] @ subject.network.output.weight.T
    logits = logits - logits.mean(-1, keepdim=True)
    best = logits[2].topk(head.WRITTEN)
    names = [found["names"][i] for i in found["tokens"][1][2]]
    assert names == [TOKENIZERS.target.piece(i) for i in best.indices.tolist()]
    assert unpacked(found["logits"])[1, 2] == pytest.approx(best.values.tolist(), abs=1e-3)


def test_sharper_scores_make_larger_weights() -> None:
    subject = opened(VARIANTS["plain"])
    seen = subject.traces[0]
    each = [seen[f"{at}.pattern"].amax(-1).flatten() for at in head.attentions(subject)]
    assert head.largest(subject, 1.0) == pytest.approx(float(torch.cat(each).mean()), abs=1e-6)
    assert head.largest(subject, 1e-6) < head.largest(subject, 1.0) < head.largest(subject, 50.0)


@pytest.mark.parametrize(("kind", "gate"), [("lstm", "forget"), ("gru", "update")])
def test_what_a_step_keeps_is_the_gate_that_multiplies_the_old_state(kind, gate) -> None:
    subject = opened(recurrent_settings(kind))
    cell = subject.network.encoder.get_submodule("0.forwards")
    rows = list({"lstm": ("input", "forget"), "gru": ("reset", "update")}[kind]).index(gate)
    with torch.no_grad():
        cell.weight_input.zero_()
        cell.weight_hidden.zero_()
        part = slice(rows * cell.d_hidden, (rows + 1) * cell.d_hidden)
        cell.bias_input[part] = torch.logit(torch.tensor(0.75))
        cell.bias_hidden.zero_()
    subject.traces = [trace(subject.translator, Pair("decade", "hgab"))]
    assert gates.kept(subject, "encoder.0.forwards") == pytest.approx(0.75, abs=1e-5)


def test_the_nearest_twin() -> None:
    code = sinusoids(torch.arange(40), 16)
    code[31] = code[7] + torch.tensor([3e-4] + [0.0] * 15)
    distance, first, second = position.twin(code)
    assert (first, second) == (7, 31) and distance == pytest.approx(3e-4, rel=1e-2)


def test_lengths_are_cut_into_groups_that_keep_equals_together() -> None:
    draw = random.Random(3)
    for total in (1, 19, 20, 41, 300):
        sizes = [draw.randint(1, 12) for _ in range(total)]
        groups = length.cut(sizes)
        assert sorted(i for _, _, rows in groups for i in rows) == list(range(total))
        assert all(low <= sizes[i] <= high for low, high, rows in groups for i in rows)
        ends = [(low, high) for low, high, _ in groups]
        assert all(a[1] < b[0] for a, b in pairwise(ends))
        assert len(groups) <= length.MOST
        assert len(groups) == 1 or min(len(rows) for _, _, rows in groups) >= length.LEAST


def test_edits_turn_the_output_into_the_reference() -> None:
    found = errors.edits_between(["K", "AE", "T", "S"], ["K", "AH", "T"])
    assert [(e.kind, e.wanted, e.written) for e in found] == [
        ("replace", "AH", "AE"),
        ("insert", "", "S"),
    ]
    [left_out] = errors.edits_between(["a", "c"], ["a", "b", "c"])
    assert (left_out.kind, left_out.wanted, left_out.written) == ("delete", "b", "")
    draw = random.Random(5)
    for _ in range(50):
        written, wanted = ([draw.choice("abc") for _ in range(draw.randint(0, 7))] for _ in "ab")
        assert len(errors.edits_between(written, wanted)) == Levenshtein.distance(written, wanted)


def test_confusions_come_by_frequency() -> None:
    edits = [*errors.edits_between("aa", "bb"), *errors.edits_between("a", "b")]
    assert errors.confusions(edits)[0] == (("b", "a"), 3)


@pytest.mark.parametrize("tied", ["all", "decoder", "none"])
def test_parameters_of_the_parts_add_up(tied: str) -> None:
    one = network(transformer_settings(tied=tied))
    parts = dict(card.parameters_by_part(one))
    assert sum(parts.values()) == one.parameter_count
    assert ("output matrix" in parts) == (tied == "none")

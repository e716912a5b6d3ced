from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from seq2see.data.rows import Pair
from seq2see.data.store import Tokenizers
from seq2see.data.tokenizers import END, Layout, train_tokenizer
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import NOTHING, Translator, length_limit
from seq2see.errors import ConfigError, DecodingError
from seq2see.nn.hooks import Hooks, hooked

LAYOUT = Layout(copies=2, features=("V", "PST"))
SIDE = train_tokenizer("characters", ["abcdefgh "], 0, LAYOUT)
BOTH = Tokenizers(SIDE, SIDE)
PAIRS = [Pair("abc", "", ("V",)), Pair("hgfedcba", ""), Pair("", "", ("V",)), Pair("d", "")]


def texts(
    translator: Translator, pairs: list[Pair], prefixes: list[str] | None = None
) -> list[str]:
    return [each[0].text for each in translator.translate(pairs, prefixes)]


@pytest.fixture
def translator(make) -> Translator:
    return Translator([make("transformer", size=SIDE.size)], BOTH, SearchOptions())


@pytest.fixture
def echoing(echo) -> Translator:
    return Translator([echo(SIDE.size)], BOTH, SearchOptions(beam=2))


def test_lines_in_are_lines_out_in_order(echoing: Translator) -> None:
    words = ["abc", "", "h", "gfedcba", "a b", "   ", "bb"]
    expected = [word if word.strip() else "" for word in words]
    for budget in (1, 20, 8192):
        echoing.options = replace(echoing.options, batch_tokens=budget)
        assert texts(echoing, [Pair(word, "") for word in words]) == expected


@pytest.mark.parametrize("kind", ["transformer", "bilstm", "rnn"])
def test_neighbours_and_batches_change_nothing(make, kind: str) -> None:
    network = make(kind, size=SIDE.size)
    options = SearchOptions(beam=3, nbest=3)
    alone = [Translator([network], BOTH, options).translate([pair])[0] for pair in PAIRS]
    for budget in (1, 40, 8192):
        both = Translator([network], BOTH, replace(options, batch_tokens=budget)).translate(PAIRS)
        for one, other in zip(alone, both, strict=True):
            assert [each.text for each in one] == [each.text for each in other]
            scores = [each.score for each in other]
            assert [each.score for each in one] == pytest.approx(scores, abs=1e-4)


def test_an_empty_source_gives_the_empty_text_undecoded(translator: Translator) -> None:
    pairs = [Pair("", ""), Pair("  ", ""), Pair("", "", ("V", "PST"))]
    assert translator.translate(pairs) == [[NOTHING]] * 3
    assert (NOTHING.text, NOTHING.score) == ("", 0.0)
    assert translator.translate([]) == []


def test_what_was_never_seen_is_copied_through(echoing: Translator) -> None:
    (found,) = echoing.translate([Pair("aXbYX", "")])
    assert found[0].text == "aXbYX"
    assert found[0].tokens == ("a", "X", "b", "Y", "X", "</s>")
    assert found[0].source_tokens == found[0].tokens
    assert found[0].unknown_share == pytest.approx(3 / 5)


def test_more_unknown_pieces_than_copy_marks_are_counted_and_never_written(echoing) -> None:
    (found,) = echoing.translate([Pair("XYZa", "")])
    assert found[0].text.startswith("XY")
    assert "\N{REPLACEMENT CHARACTER}" not in found[0].text
    assert found[0].source_tokens == ("X", "Y", "<unk>", "a", "</s>")
    assert found[0].unknown_share == pytest.approx(3 / 4)


def test_untrained_networks_write_text_alone(make) -> None:
    options = SearchOptions(sample=True, nbest=20, temperature=5.0)
    translator = Translator([make("rnn", size=SIDE.size)], BOTH, options)
    for found in translator.translate([Pair("abX", ""), Pair("c", "")]):
        assert {piece for one in found for piece in one.tokens} <= set("abcdefgh X") | {"</s>"}


def test_a_prefix_of_text_is_kept(translator: Translator) -> None:
    prefixes = ["ca", "", "", "X "]
    pairs = [*PAIRS[:3], Pair("dX", "")]
    for text, prefix in zip(texts(translator, pairs, prefixes), prefixes, strict=True):
        assert text.startswith(prefix)


@pytest.mark.parametrize(
    ("prefix", "source", "found"),
    [("Q", "abc", "cannot write"), ("a", "", "no source"), ("abcdef", "abc", "max_length of 6")],
)
def test_a_prefix_that_cannot_be_kept_is_refused_with_its_line(make, prefix, source, found) -> None:
    network = make("rnn", size=SIDE.size)
    translator = Translator([network], BOTH, SearchOptions(max_length=6))
    with pytest.raises(DecodingError, match=found) as error:
        translator.translate([Pair("a", ""), Pair(source, "", line=7)], ["", prefix])
    assert error.value.where == "line 7"


def test_as_many_prefixes_as_sources_are_needed(translator: Translator) -> None:
    for prefixes in ([], ["a"] * 5):
        with pytest.raises(DecodingError, match="prefixes for 4 sources"):
            translator.translate(PAIRS, prefixes)


def test_over_long_sources_are_refused_under_strict_alone(make) -> None:
    network, long = make("bilstm", size=SIDE.size), [Pair("ab", ""), Pair("abcabc", "")]
    strict = SearchOptions(strict=True)
    with pytest.raises(DecodingError, match=r"line 2: a source of 7 tokens; expected at most 6"):
        Translator([network], BOTH, strict, longest_source=6).translate(long)
    found = Translator([network], BOTH, SearchOptions(), longest_source=6).translate(long)
    allowed = Translator([network], BOTH, strict, longest_source=7).translate(long)
    assert [one[0].text for one in found] == [one[0].text for one in allowed]
    with pytest.raises(ConfigError, match="not known"):
        Translator([network], BOTH, strict)


@pytest.mark.parametrize(
    ("source", "ratio", "limit"), [(5, 0.0, 30), (5, 1.2, 30), (5, 4.0, 50), (5, 1.5, 32)]
)
def test_the_limit_follows_from_source_and_training_data(
    source: int, ratio: float, limit: int
) -> None:
    assert length_limit(source, ratio) == limit


@pytest.mark.parametrize(("ratio", "limit"), [(0.0, 24), (8.0, 44)])
def test_a_target_that_never_ends_is_stopped_at_the_limit_and_says_so(
    endless, ratio: float, limit: int
) -> None:
    translator = Translator([endless(SIDE.size)], BOTH, SearchOptions(beam=1), target_ratio=ratio)
    free, forced = translator.translate([Pair("a", ""), Pair("a", "")], ["", "bcd"])
    assert [len(one[0].tokens) for one in (free, forced)] == [limit, limit + 3]
    assert not free[0].finished and not forced[0].finished
    assert free[0].text == "a" * limit


def test_a_target_as_long_as_those_of_training_is_written_to_its_end(echo) -> None:
    class Repeats(echo):
        """Writes a source of one piece 59 times over: 60 tokens for the source's 2."""

        def step(self, tokens, state):
            logits, after = super().step(tokens, state)
            logits.zero_()
            logits[:, END if state.place == 59 else int(state.source[0, 0])] = 9.0
            return logits, after

    network, pairs, greedy = Repeats(SIDE.size), [Pair("a", "")], SearchOptions(beam=1)
    (whole,) = Translator([network], BOTH, greedy, target_ratio=30.0).translate(pairs)
    assert (whole[0].text, whole[0].finished) == ("a" * 59, True)
    (cut,) = Translator([network], BOTH, greedy).translate(pairs)
    assert (len(cut[0].text), cut[0].finished) == (24, False)


@pytest.mark.parametrize("ratio", [-1.0, float("nan"), float("inf")])
def test_a_ratio_that_no_pair_can_have_is_refused(make, ratio: float) -> None:
    with pytest.raises(ConfigError, match="target_ratio"):
        Translator([make("rnn", size=SIDE.size)], BOTH, SearchOptions(), target_ratio=ratio)


def test_given_targets_are_scored_as_they_stand(translator: Translator) -> None:
    found = translator.translate(PAIRS[:2])
    given = [replace(pair, target=one[0].text) for pair, one in zip(PAIRS, found, strict=False)]
    scored = translator.score([*given, Pair("", "a"), Pair("a", "Q")])
    assert [one.text for one in scored] == [*(pair.target for pair in given), "a", "Q"]
    assert len(scored[2].token_scores) == 2
    assert scored[3].tokens == ("<unk>", "</s>")
    for one, (other, *_) in zip(scored, found, strict=False):
        if other.finished:
            assert one.score == pytest.approx(other.score, abs=1e-4)
            assert one.tokens == other.tokens


def test_patterns_fit_the_tokens_where_asked_for(make) -> None:
    options = SearchOptions(alignments=True, nbest=2)
    network = make("transformer", size=SIDE.size)
    for found in Translator([network], BOTH, options).translate([PAIRS[0], PAIRS[1]]):
        for one in found:
            assert one.pattern.shape == (len(one.tokens), len(one.source_tokens))
            np.testing.assert_allclose(one.pattern.sum(1), 1.0, atol=1e-5)
    (scored,) = Translator([network], BOTH, options).score([Pair("ab", "cd")])
    assert scored.pattern.shape == (3, 3)
    assert Translator([network], BOTH, SearchOptions()).translate(PAIRS)[0][0].pattern is None


def test_the_former_mode_of_the_network_comes_back(make) -> None:
    network = make("transformer", size=SIDE.size).train()
    first, second = (texts(Translator([network], BOTH, SearchOptions()), PAIRS) for _ in range(2))
    assert first == second  # no dropout
    assert network.training


def test_several_networks_are_an_ensemble(make) -> None:
    networks = [make("transformer", size=SIDE.size), make("bilstm", size=SIDE.size)]
    found = Translator(networks, BOTH, SearchOptions(alignments=True)).translate(PAIRS)
    assert [len(each) for each in found] == [1] * 4
    assert found[0][0].pattern.shape[1] == len(found[0][0].source_tokens)


@pytest.mark.parametrize("kind", ["transformer", "bilstm"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_workers_change_nothing(make, kind: str, precision: str) -> None:
    network = make(kind, size=SIDE.size)
    pairs = [Pair("abcdefgh"[i % 5 : 3 + i % 6], "") for i in range(12)]

    def found(workers: int) -> tuple[list[str], list[float]]:
        options = SearchOptions(nbest=2, batch_tokens=60, precision=precision, workers=workers)
        every = Translator([network], BOTH, options).translate(pairs)
        flat = [one for nbest in every for one in nbest]
        return [one.text for one in flat], [one.score for one in flat]

    (texts_of_one, scores_of_one), (same_texts, scores) = found(1), found(3)
    assert same_texts == texts_of_one
    # Threads that share a product add its terms up in another order.
    assert scores == pytest.approx(scores_of_one, abs=1e-3)


def test_an_edit_holds_in_every_worker_and_precision(make) -> None:
    network = make("transformer", size=SIDE.size)
    pairs = [Pair("abcdefgh"[: i + 1], "") for i in range(8)]

    def scores(precision: str, workers: int) -> list[float]:
        options = SearchOptions(beam=1, batch_tokens=8, precision=precision, workers=workers)
        translator = Translator([network], BOTH, options)
        return [one.score for [one] in translator.translate(pairs)]

    cross = network.get_submodule("decoder.0.cross.context")
    plain = {precision: scores(precision, 2) for precision in ("float32", "int8")}
    early = Translator([network], BOTH, SearchOptions(beam=1, precision="int8"))
    with hooked(Hooks(after=[(cross, torch.zeros_like)])):
        edited = {precision: scores(precision, 2) for precision in plain}
        assert scores("float32", 1) == pytest.approx(edited["float32"], abs=1e-4)
        late = [one.score for [one] in early.translate(pairs)]
        assert late == pytest.approx(edited["int8"], abs=1e-4)
    for precision, before in plain.items():
        assert all(one != other for one, other in zip(before, edited[precision], strict=True))
        assert scores(precision, 2) == before

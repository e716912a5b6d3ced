"""Examinations: one question a source, all of its references, even samples."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from helpers import transformer_settings
from seq2see.data.pairs import Pair
from seq2see.nn.network import Network, Sizes
from seq2see.recipe.judging import Examination, put, search_options
from seq2see.recipe.sections import DecodeSettings

PAIRS = [
    Pair("a", "1", (), 1), Pair("b", "2", (), 2), Pair("a", "3", (), 3), Pair("a", "4", ("N",), 4)
]  # fmt: skip


def examination(count: int) -> Examination:
    return Examination.of([Pair(str(i), str(i)) for i in range(count)], ("accuracy", "cer"))


def test_a_source_that_stands_twice_has_two_references() -> None:
    found = Examination.of(PAIRS, ["accuracy"])
    assert [(p.source, p.features) for p in found.sources] == [("a", ()), ("b", ()), ("a", ("N",))]
    assert found.references == [["1", "3"], ["2"], ["4"]]
    scores = found.score(["3", "2", "x"], resamples=0)
    assert [round(score.value, 1) for score in scores] == [66.7]


def test_each_line_can_be_a_question_of_its_own() -> None:
    found = Examination.of(PAIRS, ["accuracy"], each_line=True)
    assert found.sources == PAIRS
    assert found.references == [["1"], ["2"], ["3"], ["4"]]
    (score,) = found.score(["3", "2", "3", "x"], resamples=0)
    assert (score.value, score.sources) == (50.0, 4)


@pytest.mark.parametrize("each_line", [False, True])
def test_a_pair_without_text_asks_nothing(each_line: bool) -> None:
    pairs = [PAIRS[0], Pair("", ""), PAIRS[1], Pair(" ", ""), Pair("", "5")]
    found = Examination.of(pairs, ["accuracy"], each_line=each_line)
    assert found.sources == [PAIRS[0], PAIRS[1], Pair("", "5")]
    assert found.references == [["1"], ["2"], ["5"]]
    assert found.blank == 2


def test_the_first_metric_decides_and_all_are_given() -> None:
    scores = examination(4).score(["0", "1", "x", "x"], resamples=10)
    assert [score.metric for score in scores] == ["accuracy", "cer"]
    assert scores[0].value == 50.0


@pytest.mark.parametrize(("total", "count", "taken"), [(100, 10, 10), (100, 0, 100), (5, 10, 5)])
def test_a_part_is_spread_evenly(total: int, count: int, taken: int) -> None:
    part = examination(total).part(count)
    assert len(part.sources) == len(part.references) == taken
    assert [[p.target] for p in part.sources] == part.references
    places = [int(pair.source) for pair in part.sources]
    assert {b - a for a, b in pairwise(places)} == {total // taken}


@pytest.mark.parametrize(("total", "count"), [(19, 10), (1999, 1000), (25, 10)])
def test_a_part_is_no_larger_than_asked_for(total: int, count: int) -> None:
    assert len(examination(total).part(count).sources) == count


def test_a_recipe_s_search_can_be_changed() -> None:
    options = search_options(DecodeSettings(beam=4, length_penalty=0.6), beam=7, nbest=2)
    assert (options.beam, options.length_penalty, options.nbest) == (7, 0.6, 2)


def test_averaged_weights_are_put_into_the_network_in_its_own_precision() -> None:
    network = Network(transformer_settings(), Sizes(9, 9))
    weights = {name: torch.full_like(p, 0.5) for name, p in network.named_parameters()}
    assert put(network, weights) is network
    assert all(bool((p == 0.5).all()) for p in network.parameters())

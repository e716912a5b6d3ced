"""What studies read off outputs, losses and journals that are made up, so that they are known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sacrebleu import corpus_bleu, corpus_chrf
from study_samples import PAIRS, SMALL, options, read, subject

from helpers import transformer_settings
from look.opened import changed, network_of, searching
from seq2see.api.record import write_lines
from seq2see.data.pairs import Pair
from seq2see.errors import ConfigError
from seq2see.nn.network import Network
from seq2see.recipe.folder import TrainingFolder
from seq2see.study import failures, measures, modes
from seq2see.study.accuracy import LONG, SHORT, WORDS, words_right, words_right_by_source
from seq2see.study.codes import BEYOND, WITHIN, exact_within_and_beyond
from seq2see.study.measures import EXACT
from seq2see.study.readings import FAILED, Reading
from seq2see.study.speed import until, updates_until
from seq2see.study.trial import Subject, Trial

ANSWERS = {
    "a": ("a b c d", "a b c d"),
    "b b": ("a b c d e f", "a x c d e f g"),
    "c c c": ("a b c d e f", "b c d e f"),
    "d d d d": ("e f", ""),
}
"""Sources with what is wanted and what is given."""


def saying(
    monkeypatch: pytest.MonkeyPatch, said: Mapping[str, str], test: Sequence[Pair]
) -> Subject:
    """A subject whose model gives the outputs that it is told to give, greedily."""
    made = replace(subject(transformer_settings()), test=tuple(test))

    def translate(_: object, given: Sequence[Pair], beam: int) -> list[str]:
        assert beam == 1
        return [said[pair.source] for pair in given]

    monkeypatch.setattr(type(made.model), "translate", translate)
    return made


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> Subject:
    test = [Pair(source, wanted) for source, (wanted, _) in ANSWERS.items()]
    return saying(monkeypatch, {source: given for source, (_, given) in ANSWERS.items()}, test)


@pytest.mark.parametrize(
    ("metric", "known"),
    [
        ("per", 100 * (0 + 2 + 1 + 2) / 18),  # x for b and a g too many; no a; nothing at all
        ("wer", 75.0),
        ("accuracy", 25.0),
        ("cer", 100 * (0 + 3 + 2 + 3) / 32),
    ],
)
def test_a_score_is_that_of_the_metric_counted_by_hand(
    spoken: Subject, metric: str, known: float
) -> None:
    assert list(measures.score(metric)(spoken)) == [Reading(metric, pytest.approx(known))]


def test_scores_of_corpora_are_those_of_sacrebleu(spoken: Subject) -> None:
    wanted, given = zip(*ANSWERS.values(), strict=True)
    for metric, of in (("bleu", corpus_bleu), ("chrf", corpus_chrf)):
        [found] = measures.score(metric)(spoken)
        assert found.value == pytest.approx(of(list(given), [list(wanted)]).score), metric
        assert 0 < found.value < 100


def test_a_source_with_two_targets_is_scored_once_by_the_nearer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    test = [Pair("a", "x y"), Pair("b", "x y"), Pair("a", "x z z z")]
    made = saying(monkeypatch, {"a": "x z z z", "b": "x z"}, test)
    assert [one.value for one in measures.score("wer")(made)] == [50.0]
    assert [one.value for one in measures.score("per")(made)] == [pytest.approx(100 * 1 / 6)]


def test_an_unknown_metric_is_refused_where_the_study_is_written() -> None:
    with pytest.raises(ConfigError, match="bleu"):
        measures.score("blue")


def test_exact_match_is_the_share_of_outputs_that_are_the_target(spoken: Subject) -> None:
    assert list(measures.exact_match(spoken)) == [Reading(EXACT, 25.0)]


@pytest.mark.parametrize(("least", "failed"), [(24.9, 0.0), (25.0, 0.0), (25.1, 1.0)])
def test_a_run_has_failed_below_the_least_share_of_right_outputs(
    spoken: Subject, least: float, failed: float
) -> None:
    assert list(failures.failed(least)(spoken)) == [Reading(FAILED, failed)]


def test_words_are_right_over_all_pairs_and_by_length_of_the_target(spoken: Subject) -> None:
    shares = (1.0, 5 / 6, 0.0, 0.0)
    found = read(list(words_right(spoken)))
    assert found == {
        (WORDS, "", None): pytest.approx(100 * sum(shares) / 4),
        (WORDS, "", 2): 0.0,
        (WORDS, "", 4): 100.0,
        (WORDS, "", 6): pytest.approx(100 * 5 / 12),
    }


def test_words_right_of_short_and_long_sources_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    test = [Pair("a", "x"), Pair("bb", "x"), Pair("ccc", "x"), Pair("dddd", "x y")]
    said = {"a": "x", "bb": "x", "ccc": "y", "dddd": "x z"}
    made = saying(monkeypatch, said, test)
    assert read(list(words_right_by_source(made))) == {
        (WORDS, SHORT, None): 100.0,
        (WORDS, LONG, None): 25.0,
    }
    alike = replace(made, test=tuple(test[:1]))
    assert not list(words_right_by_source(alike))


def test_right_outputs_are_told_within_and_beyond_the_trained_lengths(spoken: Subject) -> None:
    assert read(list(exact_within_and_beyond(2)(spoken))) == {
        (EXACT, WITHIN, None): 50.0,
        (EXACT, BEYOND, None): 0.0,
        (EXACT, "", 1): 100.0,
        (EXACT, "", 2): 0.0,
        (EXACT, "", 3): 0.0,
        (EXACT, "", 4): 0.0,
    }


@pytest.mark.parametrize(
    ("scores", "updates"),
    [
        ((10.0, 89.9, 90.0, 95.0), 30),
        ((10.0, 91.0, 50.0, 95.0), 20),  # the first time counts
        ((90.0, 0.0, 0.0, 0.0), 10),
        ((10.0, 20.0, 30.0, 40.0), 40),  # never: all of them
    ],
)
def test_updates_are_counted_until_the_first_validation_that_is_good_enough(
    scores: tuple[float, ...], updates: int, tmp_path: Path
) -> None:
    journal = TrainingFolder(tmp_path).journal
    journal.parent.mkdir()
    rows = [{"kind": "validation", "step": 10 * i, "score": s} for i, s in enumerate(scores, 1)]
    write_lines(journal, [{"kind": "train", "step": 5, "loss": 99.0}, *rows])
    made = replace(subject(transformer_settings()), folder=tmp_path)
    assert list(updates_until(90)(made)) == [Reading(until(90), updates)]


def test_a_model_that_knows_nothing_loses_the_logarithm_of_its_vocabulary() -> None:
    def even(network: Network) -> None:
        for parameter in network.output.parameters():
            parameter.zero_()

    settings = transformer_settings()
    model = searching(settings)
    made = subject(settings, network_of(changed(model, even)))
    [found] = modes.loss(made)
    assert found.value == pytest.approx(math.log(network_of(model).sizes.target), rel=1e-5)


def test_numbers_trained_are_counted_by_hand() -> None:
    settings = transformer_settings(tied="none")
    made = subject(settings)
    d, f, pieces = settings.d_model, settings.d_ff, made.model.network.sizes.target
    attention = 4 * (d * d + d)
    feedforward = d * f + f + f * d + d
    norms = (2 + 3 + 2) * 2 * d  # a layer of the encoder, one of the decoder, the ends of both
    ends = 3 * pieces * d  # what is read on each side, and what is written
    known = 3 * attention + 2 * feedforward + norms + ends
    assert list(measures.size(made)) == [Reading(measures.PARAMETERS, known)]


def test_alignments_that_are_the_links_have_no_error_and_those_of_no_link_have_all() -> None:
    made = subject(transformer_settings())
    found = tuple(each.links for each in made.model.align(PAIRS, by="weight", head=1))
    [none] = measures.alignment_error(by="weight", head=1)(replace(made, links=found))
    assert (none.measure, none.series, none.value) == ("AER", "weight 1", 0.0)
    wrong = tuple(tuple((i + 100, j) for i, j in links) for links in found)
    [whole] = measures.alignment_error(by="weight", head=1)(replace(made, links=wrong))
    assert whole.value == 1.0


def test_a_layer_that_no_gradient_reaches_begins_with_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where relu lets nothing pass, the map behind it has no slope."""
    settings = transformer_settings(decoder_layers=2, feedforward="relu")

    def closed(network: Network) -> None:
        network.get_parameter("decoder.1.feedforward.widen.bias").fill_(-1e4)

    made = subject(settings)
    drawn = subject(settings, network_of(changed(searching(settings), closed))).model
    monkeypatch.setattr(failures, "untrained", lambda _: drawn)
    found = read(list(failures.first_gradients(3)(made)))
    assert found[failures.GRADIENT, "", 1] > 1e-3
    assert found[failures.GRADIENT, "", 2] == 0.0
    assert found[failures.RATIO, "", None] == 0.0

    monkeypatch.setattr(failures, "gradients", lambda *_: [2.0, 5.0, 6.0])
    found = read(list(failures.first_gradients(3)(made)))
    assert [found[failures.GRADIENT, "", at] for at in (1, 2, 3)] == [2.0, 5.0, 6.0]
    assert found[failures.RATIO, "", None] == 3.0


def test_a_loss_that_is_no_number_is_a_failed_run(tmp_path: Path) -> None:
    study = replace(SMALL, may_fail=True)
    sizes = ("model.d_embedding=8", "model.d_hidden=8", "train.rate=1e30", "train.warmup=0")
    one = Trial(study, study.conditions()[0], 1, options(tmp_path, *sizes, "train.clip=0"))
    assert one.run().readings == (Reading(FAILED, 1.0),)

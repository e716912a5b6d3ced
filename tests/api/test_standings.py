"""What several runs say together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_ind

from seq2see.api.standings import Trial, best_of, contrast, stand, welch
from seq2see.evaluate import significance
from seq2see.evaluate.metrics import evaluate
from seq2see.evaluate.significance import mean_interval

METRICS = ("wer", "per")
REFERENCES = [[f"a b {i}"] for i in range(60)]


def outputs(right: int, start: int = 0) -> list[str]:
    """Outputs of which `right` are right, from that source on."""
    good = {(start + i) % 60 for i in range(right)}
    return [known[0] if i in good else "a x" for i, known in enumerate(REFERENCES)]


def trial(model: str, seed: int, written: Sequence[str]) -> Trial:
    scores = tuple(evaluate(written, REFERENCES, METRICS))
    facts = {"parameters": 10.0, "steps": 100.0 * seed, "tokens_per_second": 5.0}
    return Trial(model, seed, scores, tuple(written), facts)


def test_one_seed_is_tested_like_two_systems() -> None:
    first, second = outputs(20), outputs(33, 10)
    found = contrast([trial("gru", 1, first), trial("rnn", 1, second)], REFERENCES)
    expected = significance.compare(first, second, REFERENCES, METRICS)
    assert [one.metric for one in found] == list(METRICS)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.first, ours.second, ours.p_seeds) == ("gru", "rnn", None)
        assert ours.p_sources == theirs.p_value
        assert (ours.difference, ours.low, ours.high) == (
            theirs.difference,
            theirs.low,
            theirs.high,
        )
        assert ours.significant == theirs.significant


def test_the_same_outputs_again_are_no_further_evidence() -> None:
    first, second = outputs(20), outputs(26, 10)
    once = contrast([trial("a", 1, first), trial("b", 1, second)], REFERENCES)
    thrice = [trial(n, s, o) for n, o in (("a", first), ("b", second)) for s in (1, 2, 3)]
    for alone, repeated in zip(once, contrast(thrice, REFERENCES), strict=True):
        assert repeated.p_sources == alone.p_sources > 0.1
        assert repeated.difference == pytest.approx(alone.difference)


def test_a_difference_has_to_stand_against_the_seeds_too() -> None:
    # Every source tells them apart, but the seeds of one model scatter far beyond the difference.
    good = [trial("a", seed, outputs(n)) for seed, n in ((1, 59), (2, 60), (3, 59))]
    wild = [trial("b", seed, outputs(n)) for seed, n in ((1, 5), (2, 60), (3, 55))]
    (wer, _) = contrast([*good, *wild], REFERENCES)
    assert wer.p_sources < 0.05
    assert wer.p_seeds is not None
    assert wer.p_seeds > 0.05
    assert not wer.significant


def test_every_pair_is_compared_on_the_seeds_that_both_have() -> None:
    trials = [trial("a", 1, outputs(10)), trial("b", 1, outputs(20)), trial("c", 1, outputs(30))]
    trials += [trial("a", 2, outputs(60)), trial("c", 2, outputs(60))]
    found = [one for one in contrast(trials, REFERENCES) if one.metric == "wer"]
    assert [(one.first, one.second) for one in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [one.p_seeds is None for one in found] == [True, False, True]
    assert found[0].difference == pytest.approx(-100 * 10 / 60)
    assert found[1].difference == pytest.approx(-100 * 10 / 60)


def test_welch_is_the_textbook_test() -> None:
    first, second = [20.1, 21.5, 20.7], [22.0, 24.5, 22.9, 23.1]
    expected = ttest_ind(first, second, equal_var=False).pvalue
    assert welch(first, second) == pytest.approx(expected)
    assert welch(second, first) == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
def test_welch_with_spread_on_one_side() -> None:
    first, second = [100.0, 100.0], [93.0, 95.0]
    assert welch(first, second) == pytest.approx(2 * student(1).sf(6.0))


def test_welch_without_spread() -> None:
    assert welch([1.0], [2.0, 3.0]) is None
    assert welch([5.0, 5.0], [5.0, 5.0]) == 1
    assert welch([5.0, 5.0], [6.0, 6.0]) == 0


def test_a_standing_averages_its_seeds() -> None:
    runs = [trial("a", 1, outputs(30)), trial("b", 1, outputs(12)), trial("a", 2, outputs(45))]
    first, second = stand(runs)
    assert (first.model, first.seeds, second.model, second.seeds) == ("a", 2, "b", 1)
    assert first.facts == {"parameters": 10, "steps": 150, "tokens_per_second": 5}
    wer = first.summaries[0]
    assert (wer.value, wer.low, wer.high) == mean_interval([50.0, 25.0])
    alone = runs[1].scores[0]
    assert (second.summaries[0].low, second.summaries[0].high) == (alone.low, alone.high)
    assert np.isfinite(alone.low)


def test_the_best_one_has_the_lowest_error_rate() -> None:
    runs = [trial(name, 1, outputs(n)) for name, n in (("a", 10), ("b", 30), ("c", 30))]
    assert best_of(stand(runs)).model == "b"

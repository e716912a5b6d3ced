"""The face of the metrics: names, intervals, references, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seq2see.errors import ConfigError, DataError
from seq2see.evaluate.metrics import METRICS, evaluate, group_references, interval, per_source


def half_right(sources):
    return ["A" if index % 2 else "B" for index in range(sources)], [["A"]] * sources


def test_all_names_score_in_the_order_asked_for():
    assert set(METRICS) == {"bleu", "bleu-tok", "chrf", "accuracy", "wer", "per", "cer"}
    names = ["per", "bleu", "accuracy"]
    scores = evaluate(["a b c d"], [["a b c d"]], names)
    assert [score.metric for score in scores] == names
    assert [score.value for score in scores] == pytest.approx([0, 100, 100])
    assert [score.higher_is_better for score in scores] == [False, True, True]
    assert {score.sources for score in scores} == {1}
    assert evaluate(["a"], [["a"]], []) == []


def test_interval_of_a_share_is_that_of_the_binomial():
    (score,) = evaluate(*half_right(1000), ["accuracy"], resamples=4000)
    half = 100 * 1.96 * math.sqrt(0.25 / 1000)
    assert score.value == 50
    assert score.low == pytest.approx(50 - half, abs=0.25)
    assert score.high == pytest.approx(50 + half, abs=0.25)


def test_draws_follow_the_seed_and_nothing_else():
    outputs, references = half_right(101)
    (first,) = evaluate(outputs, references, ["per"], seed=3)
    assert evaluate(outputs, references, ["accuracy", "per"], seed=3)[1] == first
    (other,) = evaluate(outputs, references, ["per"], seed=4)
    assert (other.low, other.high) != (first.low, first.high)
    assert other.value == first.value


def test_without_resamples_the_interval_is_unknown():
    (score,) = evaluate(*half_right(4), ["wer"], resamples=0)
    assert score.value == 50
    assert math.isnan(score.low) and math.isnan(score.high)


def test_interval_cuts_a_fortieth_at_each_end():
    assert interval(np.arange(1001.0)) == (25, 975)


def test_per_source_shows_what_went_wrong():
    outputs, references = ["A B", "A C D", ""], [["A B"], ["A B", "B C C C"], ["A B"]]
    assert per_source(outputs, references, "wer").tolist() == [0, 1, 1]
    assert per_source(outputs, references, "accuracy").tolist() == [1, 0, 0]
    assert per_source(outputs, references, "per").tolist() == [0, 1, 1]
    assert per_source(["ab", "xb"], [["ab"], ["ab"]], "cer").tolist() == [0, 0.5]


def test_references_are_grouped_by_source_in_order():
    keys = ["read", "lead", "read", ("lead", "N")]
    targets = ["R IY D", "L EH D", "R EH D", "L IY D"]
    first, references = group_references(keys, targets)
    assert first == [0, 1, 3]
    assert references == [["R IY D", "R EH D"], ["L EH D"], ["L IY D"]]
    with pytest.raises(ValueError, match="shorter"):
        group_references(["a", "b"], ["x"])


def test_unknown_metric_names_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown metric 'Bleu4'\. Did you mean bleu\?"):
        evaluate(["a"], [["a"]], ["Bleu4"])
    with pytest.raises(ConfigError, match="Choose one of: accuracy, bleu"):
        evaluate(["a"], [["a"]], ["zzz"])


def test_nothing_to_score_is_an_error_of_the_data():
    with pytest.raises(DataError, match="Give at least one pair"):
        evaluate([], [], ["wer"])


@pytest.mark.parametrize("references", [[["a"], ["b"]], [[]], ["a"]])
def test_references_of_the_wrong_shape_are_refused(references):
    with pytest.raises(ValueError):
        evaluate(["a"], references, ["wer"])

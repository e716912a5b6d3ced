"""Accuracy, WER, PER and CER against a brute-force count."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2see.evaluate.metrics import evaluate
from seq2see.evaluate.strings import closest


def slow_distance(a, b):
    """Edits by the definition: the cheapest of deleting, inserting, or replacing at the front."""
    if not a or not b:
        return len(a) + len(b)
    return min(
        slow_distance(a[1:], b) + 1,
        slow_distance(a, b[1:]) + 1,
        slow_distance(a[1:], b[1:]) + (a[0] != b[0]),
    )


def slow_rates(outputs, references, split):
    """WER and error rate over the units that `split` makes, from the closest references."""
    wrong = edits = length = 0
    for output, known in zip(outputs, references, strict=True):
        candidates = [(slow_distance(split(r), split(output)), len(split(r))) for r in known]
        best = min(candidates)
        wrong += best[0] > 0
        edits += best[0]
        length += best[1]
    return 100 * wrong / len(outputs), 100 * edits / max(length, 1)


def values(outputs, references, *metrics):
    return [score.value for score in evaluate(outputs, references, metrics, resamples=0)]


phones = st.lists(st.sampled_from(["A", "B", "CH"]), max_size=4).map(" ".join)
corpora = st.lists(st.tuples(phones, st.lists(phones, min_size=1, max_size=3)), min_size=1)


@settings(max_examples=40, deadline=None)
@given(corpora)
def test_rates_are_those_of_a_brute_force_count(corpus):
    outputs, references = map(list, zip(*corpus, strict=True))
    wer, per = slow_rates(outputs, references, str.split)
    assert values(outputs, references, "wer", "per") == pytest.approx([wer, per])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text("ab ", max_size=5), st.lists(st.text("ab ", max_size=5),
                                                               min_size=1, max_size=2)),
                min_size=1, max_size=5))  # fmt: skip
def test_character_rate_counts_blanks_as_characters(corpus):
    outputs, references = map(list, zip(*corpus, strict=True))
    _, cer = slow_rates(outputs, references, list)
    assert values(outputs, references, "cer") == pytest.approx([cer])


def test_closest_prefers_fewer_edits_then_the_shorter_reference():
    assert closest("abcd", ["abce", "xy"]) == (1, 4)
    assert closest("abc", ["abcd", "ab"]) == (1, 2)
    assert closest("", ["abc", ""]) == (0, 0)


def test_rate_by_hand_with_several_references():
    outputs = ["T AH M EY T OW", "R UW T", ""]
    references = [
        ["T AH M AA T OW", "T AH M EY T OW Z"],  # 1 edit to either; the first is shorter: 6
        ["R AW T", "R UW T"],  # 0 edits to the second: 3
        ["K AE T"],  # 3 edits: 3
    ]
    wer, per = values(outputs, references, "wer", "per")
    assert wer == pytest.approx(200 / 3)
    assert per == pytest.approx(100 * 4 / 12)


def test_accuracy_takes_any_reference_and_mirrors_wer():
    outputs, references = ["gut", "Rad", "ab"], [["böse", "gut"], ["rad"], ["ab"]]
    accuracy, wer = values(outputs, references, "accuracy", "wer")
    assert accuracy == pytest.approx(200 / 3)
    assert wer == pytest.approx(100 - accuracy)


def test_accuracy_compares_text_and_wer_compares_symbols():
    accuracy, wer = values(["A  B "], [["A B"]], "accuracy", "wer")
    assert (accuracy, wer) == (0, 0)


def test_rate_may_pass_one_hundred_and_survives_empty_references():
    assert values(["A B C"], [["A"]], "per") == [200]
    assert values(["A B"], [[""]], "per") == [200]
    assert values([""], [[""]], "per", "cer") == [0, 0]


def test_signature_names_convention_unit_and_number():
    (score,) = evaluate(["A", "B"], [["A"], ["B", "C"]], ["per"], resamples=0)
    assert score.signature.startswith("nrefs:closest|unit:symbol|n:2|seq2see:")
    assert not score.higher_is_better


def test_one_reference_each_stands_in_the_signature():
    scores = evaluate(["A", "A"], [["A"], ["B"]], ["accuracy", "wer", "per", "cer"], resamples=0)
    units = ["text", "output", "symbol", "character"]
    for score, unit in zip(scores, units, strict=True):
        assert score.signature.startswith(f"nrefs:1|unit:{unit}|n:2|seq2see:")
    (twice,) = evaluate(["A", "A"], [["A", "A"], ["B"]], ["accuracy"], resamples=0)
    assert twice.signature.startswith("nrefs:any|unit:text|n:2|")

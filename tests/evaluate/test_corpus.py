"""BLEU and chrF are sacreBLEU's own numbers and signatures."""

from __future__ import annotations

import logging
from itertools import zip_longest

import pytest
import sacrebleu
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seq2see.evaluate.metrics import evaluate, per_source

OUTPUTS = [
    "The cat sat on the mat.",
    "A man, in a green shirt, is asleep!",
    "",
    "Two dogs run over the wet grass and bark.",
]
REFERENCES = [
    ["The cat sat on a mat.", "On the mat sat the cat."],
    ["A man in a green shirt sleeps."],
    ["Nothing."],
    ["Two dogs run across wet grass.", "Two dogs run over grass and bark.", "Dogs run."],
]
SCORERS = {
    "bleu": BLEU,
    "bleu-tok": lambda: BLEU(tokenize="none", smooth_method="none", force=True),
    "chrf": CHRF,
}


@pytest.mark.parametrize("metric", SCORERS)
@pytest.mark.parametrize("references", [REFERENCES, [known[:1] for known in REFERENCES]])
def test_value_and_signature_are_those_of_corpus_score(metric, references):
    scorer = SCORERS[metric]()
    expected = scorer.corpus_score(OUTPUTS, list(zip_longest(*references))).score
    (score,) = evaluate(OUTPUTS, references, [metric], resamples=10)
    assert score.value == expected
    assert 0 < expected < 100
    assert score.signature == str(scorer.get_signature())


def test_number_of_references_stands_in_the_signature():
    (several,) = evaluate(OUTPUTS, REFERENCES, ["bleu"], resamples=0)
    (one,) = evaluate(OUTPUTS, [known[:1] for known in REFERENCES], ["bleu"], resamples=0)
    assert several.signature.startswith("nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|")
    assert one.signature.startswith("nrefs:1|")


def test_tokenised_bleu_by_hand():
    # 5 of 6 tokens, 3 of 5 pairs, 2 of 4 triples, 1 of 3 quadruples; as long as its reference.
    (score,) = evaluate(["a b c d x f"], [["a b c d e f"]], ["bleu-tok"], resamples=0)
    assert score.value == pytest.approx(100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)


def test_tokenised_bleu_is_not_smoothed_and_keeps_tokens_as_they_stand():
    (no_quadruple,) = evaluate(["a b c"], [["a b c"]], ["bleu-tok"], resamples=0)
    assert no_quadruple.value == 0
    attached, apart = [["a b c d e ."]], ["a b c d e."]
    raw, tokenised = evaluate(apart, attached, ["bleu", "bleu-tok"], resamples=0)
    assert raw.value == pytest.approx(100)
    assert tokenised.value < 90


def test_sentence_scores_are_those_of_sacrebleu():
    bleu, chrf = (per_source(OUTPUTS, REFERENCES, name) for name in ("bleu", "chrf"))
    pairs = list(zip(OUTPUTS, REFERENCES, strict=True))
    assert bleu.tolist() == [sacrebleu.sentence_bleu(o, r).score for o, r in pairs]
    assert chrf.tolist() == [sacrebleu.sentence_chrf(o, r).score for o, r in pairs]


@pytest.mark.parametrize("metric", ["bleu", "bleu-tok"])
def test_a_short_sentence_is_not_punished_for_having_no_quadruples(metric):
    assert per_source(["Dogs run"], [["Dogs run"]], metric) == pytest.approx([100])


def test_the_warning_about_tokenised_text_is_kept_for_bleu_alone(caplog):
    text = ["a b ."] * 100
    with caplog.at_level(logging.WARNING, "sacrebleu"):
        evaluate(text, [[line] for line in text], ["bleu-tok"], resamples=0)
        assert not caplog.records
        evaluate(text, [[line] for line in text], ["bleu"], resamples=0)
        assert "forgot to detokenize" in caplog.text

"""The task is read off its text."""

from __future__ import annotations

import pytest

from seq2see.errors import DataError
from seq2see.evaluate.metrics import METRICS
from seq2see.evaluate.suitable import suitable

PHONES = ["AA R D EH M AH", "K AE T", "AH"]
SENTENCES = ["Ein Mann, alt und müde, schläft.", "Zwei Hunde rennen.", "Nein!"]
TOKENISED = ["ein mann , alt und müde , schläft .", "zwei hunde rennen .", "nein !"]


@pytest.mark.parametrize(
    ("sources", "targets", "expected"),
    [
        (["aardema", "cat", "a"], PHONES, ("wer", "per")),
        (["c a t", "d o g", "a"], PHONES, ("wer", "per")),
        (["адэхъу", "абзацщ"], ["aː d a χʷ", "aː b z aː t͡s ɕ"], ("wer", "per")),
        (["spełnić", "iść się", "być"], ["niespełniła", "idą się", "jest"], ("accuracy", "cer")),
        (["ſeind", "auſz"], ["sind", "aus"], ("accuracy", "cer")),
        (["on the mark", "Gary"], ["온더마크", "가리"], ("accuracy", "cer")),
        (PHONES, ["aardema", "cat", "a"], ("accuracy", "cer")),
        (["a b", "c"], ["", ""], ("accuracy", "cer")),
        (["A man sleeps.", "Two dogs run.", "No!"], SENTENCES, ("bleu", "chrf")),
        (["a man sleeps .", "two dogs run .", "no !"], TOKENISED, ("bleu-tok", "chrf")),
        (["How are you?", "He left."], ["Comment ça va ?", "Il est parti."], ("bleu", "chrf")),
        (["It cost 3,000 .", "So ."], ["es kostet 3,000 .", "also gut ."], ("bleu-tok", "chrf")),
        (["no marks here", "none"], ["hier ist keines", "gar keines"], ("bleu", "chrf")),
        (["He left.", "Two dogs run."], ["他走了。", "两只狗在跑。"], ("chrf", "cer")),
        (["I am", "we are", "you go"], ["ik ben", "wij zijn", "jij gaat"], ("bleu", "chrf")),
    ],
)
def test_task_is_judged_from_the_text(sources, targets, expected):
    assert suitable(sources, targets) == expected
    assert set(expected) <= set(METRICS)


def test_many_different_symbols_are_words():
    sources = [f"w{index}" for index in range(400)]
    words = [f"{index:03d} {index:03d}" for index in range(400)]
    assert suitable(sources, words) == ("bleu", "chrf")
    assert suitable(sources[:200], words[:200]) == ("wer", "per")


def test_a_few_attached_marks_do_not_untokenise():
    tokenised = ["das ist gut ."] * 19 + ["etc. usw."]
    assert suitable(["that is good"] * 20, tokenised) == ("bleu-tok", "chrf")
    mixed = ["das ist gut ."] * 15 + ["das ist gut."] * 5
    assert suitable(["that is good"] * 20, mixed) == ("bleu", "chrf")


def test_pairs_are_needed():
    with pytest.raises(DataError, match="Give at least one pair"):
        suitable([], [])
    with pytest.raises(ValueError, match="2 sources but 1 targets"):
        suitable(["a", "b"], ["x"])

"""What a model wrote on a data set: each source once, every line where asked for, and its ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from seq2see.api.evaluation import Answers
from seq2see.api.model import Model, load
from seq2see.data.pairs import Pair
from seq2see.decode.translate import Translator
from seq2see.errors import DataError


@pytest.fixture(scope="module")
def model(trained: Path) -> Model:
    return load(trained)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """Every source that a translator is given."""
    seen: list[tuple[str, tuple[str, ...]]] = []
    real = Translator.translate

    def translate(self: Translator, pairs: list[Pair], *more: object) -> object:
        seen.extend((pair.source, pair.features) for pair in pairs)
        return real(self, pairs, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Translator, "translate", translate)
    return seen


def test_every_line_counts_against_its_own_target(model: Model) -> None:
    right, wrong = model.translate(["abc"])[0], "never"
    pairs = [Pair("abc", right), Pair("abc", wrong), Pair("abc", wrong), Pair("edc", wrong)]
    grouped = model.evaluate(pairs, ["accuracy"])
    each = model.evaluate(pairs, ["accuracy"], each_line=True)
    assert (grouped["accuracy"].value, grouped["accuracy"].sources) == (50.0, 2)
    assert (each["accuracy"].value, each["accuracy"].sources) == (25.0, 4)
    assert len(grouped.outputs) == 2
    assert each.outputs == (right, right, right, model.translate(["edc"])[0])


def test_the_signature_says_what_counted(model: Model) -> None:
    pairs = [Pair("abc", "x"), Pair("abc", "y"), Pair("edc", "z")]
    for each_line, ours, theirs in (
        (False, "any|unit:text|n:2", "var"),
        (True, "1|unit:text|n:3", "1"),
    ):
        found = model.evaluate(pairs, ["accuracy", "bleu"], each_line=each_line)
        assert found["accuracy"].signature.startswith(f"nrefs:{ours}|")
        assert found["bleu"].signature.startswith(f"nrefs:{theirs}|")


def test_a_source_is_decoded_once(model: Model, decoded: list[tuple[str, tuple[str, ...]]]) -> None:
    pairs = [Pair("abc", "x"), Pair("edc", "y"), Pair("abc", "y"), Pair("abc", "x", ("N",))]
    model.evaluate(pairs, ["accuracy"], each_line=True, against=model)
    assert decoded == [("abc", ()), ("edc", ()), ("abc", ("N",))] * 2


def test_models_are_compared_line_by_line(model: Model) -> None:
    pairs = [Pair("abc", "x"), Pair("abc", "y"), Pair("edc", "z")]
    (found,) = model.evaluate(pairs, ["cer"], against=model, each_line=True).comparisons
    assert (found.difference, found.p_value, found.second.sources) == (0, 1, 3)
    assert found.second.signature.startswith("nrefs:1|")


def test_answers_stand_in_the_order_of_their_lines(model: Model) -> None:
    sources = [Pair(text, "") for text in ("abc", "", "edc", "abc", "aΩ")]
    found = Answers.of(model.translator(), sources)
    assert found.texts == model.translate([pair.source for pair in sources])
    assert found.unknown_share == 1 / (3 + 0 + 3 + 3 + 2)
    assert Answers.of(model.translator(), []).unknown_share == 0


def test_outputs_that_did_not_end_are_counted(model: Model) -> None:
    pairs = [Pair("abc", "abc"), Pair("abc", "abd"), Pair("", ""), Pair("edc", "edc")]
    assert model.evaluate(pairs, max_length=1, beam=1).unfinished == 2
    assert model.evaluate(pairs, max_length=1, beam=1, each_line=True).unfinished == 3
    expected = sum(not nbest[0].finished for nbest in model.search(["abc", "", "edc"]))
    assert model.evaluate(pairs).unfinished == expected


def test_pairs_without_text_are_counted_and_not_scored(model: Model) -> None:
    pairs = [Pair("abc", "never"), Pair("", ""), Pair("", "")]
    found = model.evaluate(pairs, ["accuracy"], each_line=True)
    assert (found["accuracy"].value, found["accuracy"].sources, found.blank) == (0.0, 1, 2)
    with pytest.raises(DataError, match="no output to score"):
        model.evaluate(pairs[1:])

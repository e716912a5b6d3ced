"""The figures that the automatic choices rest on, computed by hand."""

from __future__ import annotations

import pytest

from seq2see.data.pairs import Pair
from seq2see.recipe import survey as survey_module
from seq2see.recipe.survey import survey


def test_figures_by_hand() -> None:
    found = survey([Pair("ab", "A B", ("N",)), Pair("abcd", "A", ("PL", "N")), Pair("ab", "AB C")])
    assert found.pairs == 3
    assert found.features == ("N", "PL")
    source, target = found.source, found.target
    assert source.characters == pytest.approx(8 / 3)
    assert (source.words, source.symbols, source.spaced) == (1.0, 2, 0.0)
    assert target.words == pytest.approx(5 / 3)
    assert target.symbols == 4
    assert target.symbol_length == pytest.approx(6 / 5)
    assert target.spaced == pytest.approx(2 / 3)
    assert source.alphabet == frozenset("abcd")
    assert target.alphabet == frozenset("ABC ")


@pytest.mark.parametrize(
    ("source", "target", "share"),
    [("abc", "abc", 1.0), ("abc", "cab", 2 / 3), ("abc", "xyz", 0.0), ("walk", "walked", 4 / 6)],
)
def test_copied_characters_keep_their_order(source: str, target: str, share: float) -> None:
    assert survey([Pair(source, target)]).copied == pytest.approx(share)


def test_hangul_is_found_unless_composing_would_change_a_text() -> None:
    assert survey([Pair("han", "한국")]).target.hangul
    assert not survey([Pair("han", "han")]).target.hangul
    assert not survey([Pair("han", "한국"), Pair("a", "\N{ANGSTROM SIGN}")]).target.hangul


def test_large_corpora_are_sampled_but_keep_every_feature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey_module, "_SAMPLE", 10)
    pairs = [Pair("ab", "AB", (f"F{i}",)) for i in range(100)]
    found = survey(pairs)
    assert (found.pairs, len(found.features)) == (100, 100)
    assert found.source.characters == 2.0

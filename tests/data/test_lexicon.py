from __future__ import annotations

import numpy as np
import pytest

from seq2see.data import lexicon as module
from seq2see.data.lexicon import EMPTY, Lexicon

WORDS = {5: 15, 6: 16, 7: 17, 8: 18}


def corpus(seed: int = 0, extra: int = 20) -> tuple[list[list[int]], list[list[int]]]:
    """Texts translated word by word in another order, with a word that nothing stands for."""
    draw = np.random.default_rng(seed)
    sources = [draw.permutation([*WORDS])[: draw.integers(1, 4)].tolist() for _ in range(200)]
    targets = [[*(WORDS[word] for word in reversed(source)), extra] for source in sources]
    return sources, targets


def table(found: Lexicon) -> dict[tuple[int, int], float]:
    couples = zip(found.source.tolist(), found.target.tolist(), strict=True)
    return dict(zip(couples, found.probability.tolist(), strict=True))


def test_words_find_their_translations_and_the_empty_word_the_rest() -> None:
    found = table(Lexicon.learn(*corpus(), rounds=20))
    for source, target in WORDS.items():
        assert found[source, target] > 0.9
    assert found[EMPTY, 20] > 0.8


def test_probabilities_of_a_source_token_sum_to_one() -> None:
    found = Lexicon.learn(*corpus())
    assert np.bincount(found.source, found.probability)[[EMPTY, *WORDS]] == pytest.approx(1)


def test_one_round_by_hand() -> None:
    # Each target token is shared evenly by its source's tokens and the empty word.
    found = table(Lexicon.learn([[5, 5], [5, 6]], [[9], [9, 8]], rounds=1))
    thirds = {(5, 9): 1 / 2 + 1 / 3, (5, 8): 1 / 3, (6, 9): 1 / 3, (6, 8): 1 / 3}
    assert found[5, 9] == pytest.approx(thirds[5, 9] / (thirds[5, 9] + thirds[5, 8]))
    assert found[6, 9] == found[6, 8] == pytest.approx(1 / 2)
    assert found[EMPTY, 9] == pytest.approx(found[5, 9])


def test_few_couples_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Lexicon.learn(*corpus())
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    parts = Lexicon.learn(*corpus())
    assert np.array_equal(whole.source, parts.source)
    assert np.array_equal(whole.target, parts.target)
    assert parts.probability == pytest.approx(whole.probability)


def test_no_pairs_and_empty_targets_teach_nothing() -> None:
    assert len(Lexicon.learn([], []).source) == 0
    assert len(Lexicon.learn([[5, 6]], [[]]).source) == 0

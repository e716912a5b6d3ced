"""The networks are those that training would choose, and their data have realistic lengths."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from bench_samples import small

from seq2see.bench.subjects import NAMES, SENTENCES, WORDS, Subject, subject
from seq2see.data.tokenizers import END, SPECIALS
from seq2see.recipe.choose import choose
from seq2see.recipe.draft import PRESETS, draft


@pytest.fixture(scope="module", params=NAMES)
def one(request: pytest.FixtureRequest) -> Subject:
    return subject(request.param)


@pytest.mark.parametrize("name", ["tiny", "small", "base"])
def test_a_preset_has_its_sizes(name: str) -> None:
    found = vars(subject(name).settings)
    assert {key: found[key] for key in PRESETS[name]["model"]} == PRESETS[name]["model"]


def test_the_recurrent_one_is_the_default_for_words() -> None:
    default, _ = choose(draft(None, []), WORDS.survey)
    assert subject("bilstm+additive").recipe == default


def test_sentences_are_cut_into_subwords_and_words_into_characters_and_phones() -> None:
    assert subject("small").recipe.data.source == subject("small").recipe.data.target == "bpe"
    words = subject("bilstm+additive")
    assert (words.recipe.data.source, words.recipe.data.target) == ("characters", "words")
    assert (words.sizes.source, words.sizes.target) == (len(SPECIALS) + 27, len(SPECIALS) + 39)


def test_settings_may_differ() -> None:
    assert subject("tiny", "model.d_ff=64").settings == small("tiny").settings.__class__(
        **{**vars(subject("tiny").settings), "d_ff": 64}
    )


def test_lengths_are_those_of_the_corpus(one: Subject) -> None:
    corpus = WORDS if one.name == "bilstm+additive" else SENTENCES
    store = one.batches.store
    assert len(store) == corpus.survey.pairs
    for side, mean in ((store.source, corpus.source), (store.target, corpus.target)):
        assert side.lengths.min() >= 2
        assert side.lengths.mean() == pytest.approx(mean, rel=0.02)
        assert 0.3 < side.lengths.std() / mean < 0.5
    assert np.corrcoef(store.source.lengths, store.target.lengths)[0, 1] > 0.8


def test_ids_are_pieces_and_an_end_mark_comes_last(one: Subject) -> None:
    store = one.batches.store
    for side, size in ((store.source, one.sizes.source), (store.target, one.sizes.target)):
        last = side.offsets[1:] - 1
        pieces = np.delete(side.ids, last)
        assert set(side.ids[last]) == {END}
        assert len(SPECIALS) <= pieces.min() < pieces.max() == size - 1


def test_the_typical_batch_is_full_and_of_middling_length(one: Subject) -> None:
    lengths = np.stack([side.lengths[one.typical] for side in (
        one.batches.store.source, one.batches.store.target
    )])  # fmt: skip
    tokens = one.recipe.train.batch_tokens
    assert tokens - lengths.max() < lengths.shape[1] * lengths.max() <= tokens
    median = np.median(one.batches.store.target.lengths)
    assert abs(lengths[1].mean() - median) < 0.25 * median


def test_the_same_subject_is_drawn_twice() -> None:
    first, second = subject("tiny"), subject("tiny")
    assert first.typical == second.typical
    assert np.array_equal(first.batches.store.source.ids, second.batches.store.source.ids)
    weights = [each.network("float32").output.weight for each in (first, second)]
    assert torch.equal(*weights)


def test_a_network_is_drawn_in_the_precision_asked_for() -> None:
    network = small("tiny").network("bfloat16")
    assert {p.dtype for p in network.parameters()} == {torch.bfloat16}
    assert network.training

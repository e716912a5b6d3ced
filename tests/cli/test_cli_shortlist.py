"""`seq2see shortlist`, and the searches that use what it learnt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import seq2see as s2s
from seq2see.cli.shortlist import Frequent, Likely
from seq2see.decode.shortlist import FREQUENT, LIKELY


@pytest.fixture
def model(bundle: Path, tmp_path: Path) -> Path:
    shutil.copytree(bundle, tmp_path / "model")
    return tmp_path / "model"


def test_a_shortlist_is_put_into_the_model_and_used(seq2see, model: Path, pairs: Path) -> None:
    before = seq2see("translate", model, stdin=b"abcd\n").out
    ran = seq2see("shortlist", model, pairs, "--frequent", 2, "--likely", 1)
    assert (ran.code, ran.out) == (0, "")
    assert "learnt from " in ran.err and "--shortlist" in ran.err
    found = s2s.load(model).bundles[0].shortlist
    assert found is not None and found.likely.shape[1] == 1
    fast = seq2see("translate", model, "--shortlist", "--scores", stdin=b"abcd\n\n")
    assert (fast.code, len(fast.out.splitlines())) == (0, 2)
    assert seq2see("translate", model, stdin=b"abcd\n").out == before
    ran = seq2see("evaluate", model, pairs, "--shortlist", "--beam", 2)
    assert (ran.code, "accuracy" in ran.out or "wer" in ran.out) == (0, True)


def test_another_folder_may_take_it(seq2see, model: Path, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "fast"
    assert seq2see("shortlist", model, pairs, "--frequent", 3, "--out", out).code == 0
    assert s2s.load(model).bundles[0].shortlist is None
    assert s2s.load(out).bundles[0].shortlist is not None


def test_none_was_learnt(seq2see, model: Path, pairs: Path) -> None:
    for ran in (
        seq2see("translate", model, "--shortlist", stdin=b"ab\n"),
        seq2see("evaluate", model, pairs, "--shortlist"),
    ):
        assert ran.code == 2
        assert "the model has no shortlist. Learn one from pairs, with `seq2see sho" in ran.err


def test_one_of_the_whole_vocabulary_is_refused(seq2see, model: Path, pairs: Path) -> None:
    ran = seq2see("shortlist", model, pairs)
    assert ran.code == 2
    assert "frequent: 1,000 tokens for every source, out of " in ran.err
    assert s2s.load(model).bundles[0].shortlist is None


def test_an_ensemble_is_saved_by_nobody(seq2see, model: Path, pairs: Path) -> None:
    ran = seq2see("shortlist", f"{model},{model}", pairs, "--frequent", 2)
    assert ran.code == 2
    assert "an ensemble is no single model" in ran.err


def test_an_ensemble_searches_by_the_list_of_its_first(model: Path, pairs: Path) -> None:
    both = s2s.load(model, model).learn_shortlist(str(pairs), frequent=2, likely=1)
    alone = s2s.load(model).learn_shortlist(str(pairs), frequent=2, likely=1)
    words = ["abcd", "ba", "ccab"]
    assert both.translate(words, shortlist=True) == alone.translate(words, shortlist=True)


def test_the_help_tells_the_defaults() -> None:
    for option, default in ((Frequent, FREQUENT), (Likely, LIKELY)):
        assert f"(default: {default})" in option.__metadata__[0].help  # type: ignore[attr-defined]

"""`seq2see look`: where the report goes, what is said, and what is refused."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest


def test_a_report_is_written_beside_the_model(seq2see, copied: Path) -> None:
    ran = seq2see("look", copied, "--pairs", "2", "--scored", "20")
    assert ran.code == 0
    assert "Card: A network of" in ran.out
    assert f"{copied / 'report.html'}: " in ran.out
    text = (copied / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and text.rstrip().endswith("</html>")


def test_pairs_may_be_named(seq2see, recurrent: Path, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "look.html"
    ran = seq2see("look", recurrent, pairs, "--out", out, "--pairs", "2", "--scored", "20")
    assert ran.code == 0
    assert str(pairs) in out.read_text(encoding="utf-8")


def test_a_model_without_its_training_asks_for_pairs(seq2see, copied: Path) -> None:
    shutil.rmtree(copied / "training")
    ran = seq2see("look", copied)
    assert ran.code == 2
    assert "Name a data file" in ran.err


def test_an_ensemble_is_refused(seq2see, bundle: Path, tmp_path: Path) -> None:
    ran = seq2see("look", f"{bundle},{bundle}", "--out", tmp_path / "x.html")
    assert ran.code == 2
    assert "one by one" in ran.err


def test_a_missing_package_is_named(seq2see, bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, *rest):
        return None if name == "altair" else find_spec(name, *rest)

    monkeypatch.setattr("seq2see.cli.look.find_spec", without)
    ran = seq2see("look", bundle)
    assert ran.code == 2
    assert "altair" in ran.err and "seq2see[look]" in ran.err

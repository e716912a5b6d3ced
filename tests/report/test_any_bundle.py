"""Every bundle gives a report, however little it has learnt and however much was pruned."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from report_samples import EXTENT, Made

from fixtures import TINY, easy, write_tsv
from seq2see.look.removal import attentions
from seq2see.report.compose import compose, kind
from seq2see.report.html import render
from seq2see.report.pages import alignment, lens, wall
from seq2see.report.subject import Subject, open_subject

KINDS = {
    "transformer": (*TINY, "model.encoder_layers=2", "model.decoder_layers=2"),
    "lstm": ("model.kind=lstm", "model.attention=none", "model.encoder_layers=2",
             "model.decoder_layers=2", "model.d_embedding=8", "model.d_hidden=8"),
    "rnn": ("model.kind=rnn", "model.attention=dot", "model.d_embedding=8", "model.d_hidden=8"),
}  # fmt: skip
ONE_STEP = ("train.steps=1", "train.validations=1", "train.precision=float32", "train.rate=1e-9")


def subject_of(folder: Path, *settings: str) -> Subject:
    """Trains for one step, and looks at few pairs."""
    from seq2see.api.training import train

    data = write_tsv(folder / "pairs.tsv", easy())
    model = train(data, *settings, *ONE_STEP, out=folder / "model")
    extent = replace(EXTENT, pairs=2, scored=30, averaged=10)
    return open_subject(model, folder / "model", str(data), "", extent)


@pytest.mark.parametrize("name", KINDS)
def test_a_model_that_has_learnt_nothing_gives_a_report(name: str, tmp_path: Path) -> None:
    subject = subject_of(tmp_path, *KINDS[name])
    report = compose(subject)
    assert render(report).startswith("<!doctype html>")
    for page in report.pages:
        assert page.answer.endswith(".") and re.search(r"\d|One|one", page.answer), page.answer
    cell = {"lstm": "LSTM without attention", "rnn": "RNN with attention"}.get(name, "Transformer")
    assert kind(subject).startswith(cell)


def test_no_token_that_is_right_settles_in_no_layer() -> None:
    logits = torch.zeros(1, 2, 3, 5)
    logits[..., 1] = 1.0
    found = lens.Lens(logits, torch.tensor([[2, 3, 4]]), (("a", "b", "c"),), ())
    shares = lens.first_right(found)
    assert shares == [0.0, 0.0]
    answer = lens._answer(found, shares)
    assert (
        answer
        == "Of 3 target tokens it finds none the most probable one, so that no layer settles any."
    )


def test_two_layers_are_not_named_twice() -> None:
    found = SimpleNamespace(target=(("a",),))
    two, three = lens._answer(found, [0.72, 1.0]), lens._answer(found, [0.2, 0.72, 1.0])
    assert two.count("%") == 1 and "before the last" not in two
    assert "20 % are settled after layer 0 of the decoder and 72 % before the last" in three


def pruned(subject: Subject, at: str, gone: int) -> Subject:
    """The same with so many heads cut out of attentions of that name."""
    total = sum(attentions(subject.network).values())
    return replace(subject, model=subject.model.prune(total - gone, by="magnitude", at=at))


def test_attentions_without_heads_say_so(transformer: Made) -> None:
    fewer = pruned(pruned(transformer.subject, "*.cross", 4), "decoder.0.self", 2)
    page = wall.page(fewer)
    assert page.figures[0].drawing.data["largest"]["decoder.0.self"] == []
    assert "All heads that looked at the source were pruned" in alignment.page(fewer).why
    assert list(wall.patterns(fewer)["attentions"]) == ["encoder.0.self", "decoder.1.self"]
    figures = [figure for page in compose(fewer).pages for figure in page.figures]
    assert {"wall-maps", "head-card", "reaches"} <= {figure.name for figure in figures}


def test_a_model_without_any_head_gives_a_report(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, *TINY)
    report = compose(pruned(subject, "*", 6))
    why = {one.title: one.why for one in report.absent}
    assert why["Head wall"] == "All heads were pruned."
    assert "pruned" in why["Head card"] and "pruned" in why["Alignment"]
    assert render(report)

"""Without its taps a network computes the same by the same operators; what they cost is kept."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

import quality
import watching
from helpers import network, recurrent_settings, tokens, transformer_settings
from seq2see.bench.subjects import subject
from seq2see.nn.settings import Settings
from seq2see.nn.tap import Tap

REAL = torch.ones(2, 5, dtype=torch.bool)


@pytest.mark.parametrize(
    "settings",
    [transformer_settings(), recurrent_settings("lstm"), recurrent_settings("rnn")],
    ids=["transformer", "lstm", "rnn"],
)
def test_a_tap_that_nobody_watches_adds_no_operator(settings: Settings) -> None:
    tapped = network(settings)
    untapped = copy.deepcopy(tapped)
    watching.without_taps(untapped)
    assert any(isinstance(module, Tap) for module in tapped.modules())
    assert not any(isinstance(module, Tap) for module in untapped.modules())
    (loss, operators), (other_loss, others) = map(learn, (tapped, untapped))
    assert torch.equal(loss, other_loss)
    assert operators == others


def learn(one: nn.Module) -> tuple[torch.Tensor, list[str]]:
    """Goes forwards and backwards; returns the loss and the names of the operators, in order."""
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        loss = one(tokens(2, 5), REAL, tokens(2, 6, seed=1)).square().mean()
        loss.backward()
    return loss, [event.name for event in seen.events()]


def test_what_taps_cost_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ("model.d_model=16", "model.heads=2", "model.d_ff=16", "train.batch_tokens=64")
    monkeypatch.setattr(watching, "subject", lambda name: subject(name, *small))
    monkeypatch.setattr(quality, "RESULTS", tmp_path)
    monkeypatch.setattr(watching, "NAMES", ("tiny", "base"))  # all but the largest unless named
    with pytest.raises(SystemExit):
        watching.main(["huge"])
    watching.main(["--windows", "4"])
    facts = json.loads((tmp_path / "watching.json").read_text(encoding="utf-8"))["tiny"]
    assert facts["windows"] == 4
    # Of a step so small, calls are a visible part.
    assert 0 < facts["calls_percent"] < 50
    layers = subject("tiny", *small).settings
    assert facts["calls"] > 10 * (layers.encoder_layers + layers.decoder_layers)
    assert "tiny" in capsys.readouterr().out

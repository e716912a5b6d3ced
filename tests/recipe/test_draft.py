"""What a person writes down: presets, architecture names, files and assignments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from seq2see.bundle.folder import network_settings
from seq2see.config import parse
from seq2see.errors import ConfigError
from seq2see.nn.network import Network, Sizes
from seq2see.nn.settings import RecurrentSettings, TransformerSettings
from seq2see.recipe.draft import PRESETS, architecture, draft
from seq2see.recipe.sections import DataSettings, DecodeSettings
from seq2see.train.schedule import factor
from seq2see.train.settings import TrainSettings


def model(preset: str) -> Any:
    return network_settings(draft(None, [f"preset={preset}"])["model"])


def training(preset: str) -> TrainSettings:
    return parse(TrainSettings, draft(None, [f"preset={preset}"])["train"], "train")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_made_of_known_settings(preset: str) -> None:
    tree = draft(None, [f"preset={preset}"])
    assert tree.pop("preset") == preset
    readers = {"data": DataSettings, "train": TrainSettings, "decode": DecodeSettings}
    for section, table in tree.items():
        if section == "model":
            network_settings(table)
        else:
            parse(readers[section], table, section)


@pytest.mark.parametrize(
    ("preset", "layers", "width", "inner", "heads"),
    [
        ("tiny", 2, 128, 512, 4),
        ("small", 3, 256, 1024, 4),
        ("base", 6, 512, 2048, 8),
        ("paper", 6, 512, 2048, 8),
        ("paper-big", 6, 1024, 4096, 16),
    ],
)
def test_sizes(preset: str, layers: int, width: int, inner: int, heads: int) -> None:
    settings = model(preset)
    assert (settings.encoder_layers, settings.decoder_layers) == (layers, layers)
    assert (settings.d_model, settings.d_ff, settings.heads) == (width, inner, heads)


@pytest.mark.parametrize(("preset", "dropout"), [("paper", 0.1), ("paper-big", 0.3)])
def test_the_paper_s_network(preset: str, dropout: float) -> None:
    settings = model(preset)
    assert isinstance(settings, TransformerSettings)
    assert settings.norm_place == "after"
    assert (settings.norm, settings.positions, settings.feedforward) == (
        "layer", "sinusoidal", "relu"
    )  # fmt: skip
    assert settings.tied == "all"  # section 3.4: both embeddings and the projection are one matrix
    assert (settings.head_sizes.d_key, settings.head_sizes.d_value) == (64, 64)
    assert settings.scaled
    assert settings.projections
    assert settings.residual
    assert settings.dropout == dropout
    assert settings.attention_dropout == settings.feedforward_dropout == 0.0
    assert settings.head_sizes.kv_heads == settings.heads


@pytest.mark.parametrize(("preset", "millions"), [("paper", 65e6), ("paper-big", 213e6)])
def test_the_paper_s_parameter_counts(preset: str, millions: float) -> None:
    with torch.device("meta"):
        network = Network(model(preset), Sizes(37_000, 37_000))
    assert network.parameter_count == pytest.approx(millions, rel=0.04)


@pytest.mark.parametrize(
    ("preset", "steps", "last"), [("paper", 100_000, 5), ("paper-big", 300_000, 20)]
)
def test_the_paper_s_training(preset: str, steps: int, last: int) -> None:
    settings = training(preset)
    assert (settings.schedule, settings.warmup, settings.steps) == ("inverse-sqrt", 4000, steps)
    assert (settings.beta1, settings.beta2, settings.epsilon) == (0.9, 0.98, 1e-9)
    assert settings.label_smoothing == 0.1
    assert settings.batch_tokens == 25_000
    assert (settings.weight_decay, settings.clip) == (0.0, 0.0)
    assert (settings.average, settings.last) == ("last", last)


@pytest.mark.parametrize(("preset", "width"), [("paper", 512), ("paper-big", 1024)])
@pytest.mark.parametrize("step", [1, 4000, 100_000])
def test_the_paper_s_learning_rate(preset: str, width: int, step: int) -> None:
    settings = training(preset)
    rate = settings.rate * factor(settings, step, step / settings.steps)
    assert rate == pytest.approx(width**-0.5 * min(step**-0.5, step * 4000**-1.5), rel=1e-9)


@pytest.mark.parametrize("preset", ["paper", "paper-big"])
def test_the_paper_s_data_and_search(preset: str) -> None:
    tree = draft(None, [f"preset={preset}"])
    assert (tree["data"]["source"], tree["data"]["target"]) == ("bpe", "bpe")
    assert (tree["data"]["joint"], tree["data"]["vocabulary"]) == (True, 37_000)
    assert tree["decode"] == {"beam": 4, "length_penalty": 0.6}


@pytest.mark.parametrize(
    ("name", "kind", "both_ways", "attention"),
    [
        ("rnn", "rnn", False, "none"),
        ("gru", "gru", False, "none"),
        ("lstm", "lstm", False, "none"),
        ("birnn", "rnn", True, "none"),
        ("bilstm", "lstm", True, "none"),
        ("bigru+additive", "gru", True, "additive"),
        ("bilstm+general", "lstm", True, "general"),
        ("lstm+dot", "lstm", False, "dot"),
    ],
)
def test_architecture_names(name: str, kind: str, both_ways: bool, attention: str) -> None:
    table = architecture(name)
    assert table == {"kind": kind, "bidirectional": both_ways, "attention": attention}
    assert isinstance(network_settings(table), RecurrentSettings)


@pytest.mark.parametrize("name", ["rnn+attention", "bigru+attention", "bilstm+attention"])
def test_plain_attention_is_one_of_the_kinds(name: str) -> None:
    assert architecture(name)["attention"] in ("general", "additive")
    assert network_settings(architecture(name)).bidirectional == name.startswith("bi")


def test_the_transformer_s_name() -> None:
    assert architecture("transformer") == {"kind": "transformer"}


@pytest.mark.parametrize(
    "name", ["", "bi", "bitransformer", "tree", "lstm+", "lstm+attn", "LSTM", "gru+none", "rnn rnn"]
)
def test_an_unknown_architecture_shows_the_grammar(name: str) -> None:
    with pytest.raises(ConfigError, match=r"\[bi\]rnn\|gru\|lstm") as caught:
        architecture(name)
    assert caught.value.where == "model.kind"
    assert repr(name) in caught.value.found


def test_what_is_written_beside_a_short_name_wins() -> None:
    tree = draft(
        None, ["model.kind=bilstm+additive", "model.attention=general", "model.d_hidden=7"]
    )
    assert tree["model"] == {
        "kind": "lstm", "bidirectional": True, "attention": "general", "d_hidden": 7
    }  # fmt: skip


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_a_short_name_means_the_same_in_a_recipe(name: str) -> None:
    written = network_settings(draft(None, [f"model.kind={name}"])["model"])
    assert written == network_settings(architecture(name))


def test_a_resolved_table_stays_as_it_is() -> None:
    resolved = vars(network_settings(architecture("bigru+additive")))
    tree = draft(None, [f"model.{key}={str(value).lower()}" for key, value in resolved.items()])
    assert network_settings(tree["model"]) == network_settings(resolved)


def test_assignments_win_over_the_file_and_the_file_over_the_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'preset = "tiny"\nseed = 4\n[model]\nheads = 2\nd_model = 64\n[train]\nsteps = 10\n',
        encoding="utf-8",
    )
    tree = draft(path, ["model.heads=8", "train.rate=0.1"])
    assert (tree["preset"], tree["seed"]) == ("tiny", 4)
    assert tree["model"] == {**PRESETS["tiny"]["model"], "d_model": 64, "heads": 8}
    assert tree["train"] == {"steps": 10, "rate": 0.1}


def test_drafts_do_not_change_the_presets() -> None:
    before = {name: {k: dict(v) for k, v in tree.items()} for name, tree in PRESETS.items()}
    draft(None, ["preset=paper", "model.heads=2", "train.steps=3"])["model"]["d_model"] = 3
    assert before == PRESETS


@pytest.mark.parametrize(
    ("assignment", "where", "near"),
    [
        ("trian.steps=3", "trian", "train"),
        ("modle.kind=gru", "modle", "model"),
        ("sed=3", "sed", "seed"),
        ("preset=papper", "papper", "paper"),
        ("preset=smal", "smal", "small"),
    ],
)
def test_did_you_mean(assignment: str, where: str, near: str) -> None:
    with pytest.raises(ConfigError) as caught:
        draft(None, [assignment])
    assert caught.value.where == where
    assert f"Did you mean {near}?" in caught.value.mend


def test_nothing_near_lists_all_presets() -> None:
    with pytest.raises(ConfigError) as caught:
        draft(None, ["preset=xyz"])
    assert all(name in caught.value.mend for name in PRESETS)


@pytest.mark.parametrize("assignment", ["model=transformer", "data=3", "train=3", "decode=beam"])
def test_a_section_has_to_be_a_table(assignment: str) -> None:
    with pytest.raises(ConfigError, match="a section with settings") as caught:
        draft(None, [assignment])
    section = assignment.partition("=")[0]
    assert caught.value.where == section
    assert caught.value.mend.startswith(f"Write {section}.NAME=VALUE")

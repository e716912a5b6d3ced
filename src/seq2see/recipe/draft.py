"""What a person wrote down: presets, a TOML file, key=value; not yet a whole recipe."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from seq2see.config import Tree, nearest, override, read_toml
from seq2see.errors import ConfigError

SECTIONS = ("data", "model", "train", "decode", "seed", "preset")

_PAPER: Tree = {
    "data": {"source": "bpe", "target": "bpe", "joint": True, "vocabulary": 37000, "copies": 0},
    "model": {
        "kind": "transformer", "encoder_layers": 6, "decoder_layers": 6, "d_model": 512,
        "d_ff": 2048, "heads": 8, "feedforward": "relu", "positions": "sinusoidal",
        "norm": "layer", "norm_place": "after", "tied": "all", "dropout": 0.1,
    },
    "train": {
        "steps": 100_000, "batch_tokens": 25_000, "schedule": "inverse-sqrt", "warmup": 4000,
        "rate": 512**-0.5 * 4000**-0.5, "optimizer": "adamw", "beta1": 0.9, "beta2": 0.98,
        "epsilon": 1e-9, "weight_decay": 0.0, "clip": 0.0, "label_smoothing": 0.1,
        "average": "last", "last": 5,
    },
    "decode": {"beam": 4, "length_penalty": 0.6},
}  # fmt: skip

PRESETS: dict[str, Tree] = {
    "auto": {},
    "tiny": {"model": {"kind": "transformer", "encoder_layers": 2, "decoder_layers": 2,
                       "d_model": 128, "d_ff": 512, "heads": 4}},
    "small": {"model": {"kind": "transformer", "encoder_layers": 3, "decoder_layers": 3,
                        "d_model": 256, "d_ff": 1024, "heads": 4}},
    "base": {"model": {"kind": "transformer", "encoder_layers": 6, "decoder_layers": 6,
                       "d_model": 512, "d_ff": 2048, "heads": 8}},
    "paper": _PAPER,
    "paper-big": {
        **_PAPER,
        "model": {**_PAPER["model"], "d_model": 1024, "d_ff": 4096, "heads": 16, "dropout": 0.3},
        "train": {**_PAPER["train"], "steps": 300_000, "last": 20,
                  "rate": 1024**-0.5 * 4000**-0.5},
    },
}  # fmt: skip
"""`paper` is the base model of Vaswani et al. 2017, table 3, `paper-big` its last row; the others
are sizes."""

_ARCHITECTURE = re.compile(r"(?P<bi>bi)?(?P<cell>rnn|gru|lstm)(\+(?P<attention>\w+))?")
_SCORES = {"attention": "additive", "dot": "dot", "general": "general", "additive": "additive"}


def architecture(name: str) -> Tree:
    """Turns an architecture's short name into a `model` table.

    `transformer`; `rnn`, `gru`, `lstm`: one-directional, without attention; `bi` in front:
    bi-directional; `+attention` behind (or `+dot`, `+general`, `+additive`): with attention.

    Raises:
        ConfigError: no such architecture; the message shows the grammar.
    """
    if name == "transformer":
        return {"kind": "transformer"}
    match = _ARCHITECTURE.fullmatch(name)
    if match is None or (match["attention"] or "attention") not in _SCORES:
        raise ConfigError(
            f"found {name!r}",
            expected="transformer, or [bi]rnn|gru|lstm, followed by +attention, +dot, +general or"
            " +additive if wanted",
            where="model.kind",
        )
    attention = _SCORES[match["attention"]] if match["attention"] else "none"
    return {"kind": match["cell"], "bidirectional": bool(match["bi"]), "attention": attention}


def draft(path: Path | None, assignments: Iterable[str]) -> Tree:
    """Joins preset, file and assignments, the later ones winning, into one tree of tables.

    Raises:
        ConfigError: an unknown section or preset (the nearest right one is named), a section that
            is no table, or bad syntax.
    """
    written = override(read_toml(path) if path else {}, assignments)
    for key in written:
        if key not in SECTIONS:
            hint = nearest(key, SECTIONS)
            raise ConfigError("unknown section of a recipe", where=key, mend=hint)
        if key not in ("seed", "preset") and not isinstance(written[key], dict):
            raise ConfigError(
                f"found {written[key]!r}", expected="a section with settings", where=key,
                mend=f"Write {key}.NAME=VALUE{', as model.kind=gru' * (key == 'model')}",
            )  # fmt: skip
    preset = str(written.get("preset", "auto"))
    if preset not in PRESETS:
        raise ConfigError("unknown preset", where=preset, mend=nearest(preset, PRESETS))
    tree = {k: dict(v) for k, v in PRESETS[preset].items()}
    for key, value in written.items():
        if isinstance(value, dict):
            tree[key] = {**tree.get(key, {}), **(_spelt_out(value) if key == "model" else value)}
        else:
            tree[key] = value
    return tree


def _spelt_out(model: Tree) -> Tree:
    """Replaces an architecture's short name by its settings; those written out beside it win."""
    if "kind" not in model:
        return model
    return {**architecture(str(model["kind"])), **{k: v for k, v in model.items() if k != "kind"}}

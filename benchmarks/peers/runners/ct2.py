"""CTranslate2 with seq2see's weights."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerSpec

from peers.runners.decoding import Weights, decoding, sinusoids, weights
from peers.runners.ids import Ids
from peers.runners.serve import Job, Ready, serve

MARKS = ["<pad>", "<unk>", "<s>", "</s>"]
POSITIONS = 1024
BATCH = {1: 2048, 5: 1024}
"""Tokens side by side, by beam."""


def specification(shape: dict[str, Any], found: Weights) -> TransformerSpec:
    """Carries the weights over; the norm stands after the addition, as in 2017."""
    spec = TransformerSpec.from_config(shape["layers"], shape["heads"], pre_norm=False)
    table = found["source.table.weight"]
    codes = sinusoids(POSITIONS, shape["d_model"])
    for side, embeddings in (
        (spec.encoder, spec.encoder.embeddings[0]),
        (spec.decoder, spec.decoder.embeddings),
    ):
        embeddings.weight = table
        side.scale_embeddings = True
        side.position_encodings.encodings = codes
    for i, layer in enumerate(spec.encoder.layer):
        _self_attention(layer.self_attention, found, f"encoder.{i}")
        _feedforward(layer.ffn, found, f"encoder.{i}")
    for i, layer in enumerate(spec.decoder.layer):
        _self_attention(layer.self_attention, found, f"decoder.{i}")
        _cross_attention(layer.attention, found, f"decoder.{i}")
        _feedforward(layer.ffn, found, f"decoder.{i}")
    spec.decoder.projection.weight = table
    pieces = [*MARKS, *(str(i) for i in range(len(MARKS), len(table)))]
    spec.register_source_vocabulary(pieces)
    spec.register_target_vocabulary(pieces)
    return spec


def _self_attention(layer: Any, found: Weights, block: str) -> None:
    _linear(layer.linear[0], found, *(f"{block}.self.{name}" for name in ("query", "key", "value")))
    _linear(layer.linear[1], found, f"{block}.self.output")
    _norm(layer.layer_norm, found, f"{block}.around_self")


def _cross_attention(layer: Any, found: Weights, block: str) -> None:
    _linear(layer.linear[0], found, f"{block}.cross.query")
    _linear(layer.linear[1], found, f"{block}.cross.key", f"{block}.cross.value")
    _linear(layer.linear[2], found, f"{block}.cross.output")
    _norm(layer.layer_norm, found, f"{block}.around_cross")


def _feedforward(layer: Any, found: Weights, block: str) -> None:
    _linear(layer.linear_0, found, f"{block}.feedforward.widen")
    _linear(layer.linear_1, found, f"{block}.feedforward.narrow")
    _norm(layer.layer_norm, found, f"{block}.around_feedforward")


def _linear(spec: Any, found: Weights, *names: str) -> None:
    spec.weight = np.concatenate([found[f"{name}.weight"] for name in names])
    spec.bias = np.concatenate([found[f"{name}.bias"] for name in names])


def _norm(spec: Any, found: Weights, name: str) -> None:
    spec.gamma, spec.beta = found[f"{name}.norm.norm.weight"], found[f"{name}.norm.norm.bias"]


def prepare(job: Job) -> Ready:
    """Sets up decoding."""
    options = job["options"]
    spec = specification(job["shape"], weights(job))
    spec.validate()
    spec.optimize()
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model"
        saved.mkdir()
        spec.save(str(saved))
        translator = ctranslate2.Translator(
            str(saved),
            compute_type=job["precision"],
            inter_threads=options["inter_threads"],
            intra_threads=options["intra_threads"],
        )

    def decode(sources: Sequence[Ids]) -> list[list[int]]:
        rows = [[MARKS[i] if i < len(MARKS) else str(i) for i in row] for row in sources]
        found = translator.translate_batch(
            rows,
            beam_size=options["beam"],
            max_decoding_length=job["limit"],
            max_batch_size=BATCH[options["beam"]],
            batch_type="tokens",
        )
        return [_ids(each.hypotheses[0]) for each in found]

    return decoding(job, decode, "ctranslate2")


def _ids(pieces: Sequence[str]) -> list[int]:
    return [MARKS.index(piece) if piece in MARKS else int(piece) for piece in pieces]


if __name__ == "__main__":
    serve(prepare)

"""transformers: MarianMTModel, trained from a configuration, or decoding seq2see's weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import MarianConfig, MarianMTModel

from peers.runners.corpus import Batch, pad
from peers.runners.decoding import Weights, decoding, sinusoids, until_end, weights
from peers.runners.ids import END, PAD, START, Ids
from peers.runners.serve import Job, Ready, serve
from peers.runners.training import cross_entropy, plain_loop, training

PACKAGE = "transformers"
POSITIONS = 1024
BATCH = {1: 128, 5: 64}
"""Sentences side by side, by beam."""

_LOOK = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
NAMES: dict[str, dict[str, str]] = {
    "self": {name: f"self_attn.{there}" for name, there in _LOOK.items()},
    "cross": {name: f"encoder_attn.{there}" for name, there in _LOOK.items()},
    "feedforward": {"widen": "fc1", "narrow": "fc2"},
    "around_self": {"norm": "self_attn_layer_norm"},
    "around_cross": {"norm": "encoder_attn_layer_norm"},
    "around_feedforward": {"norm": "final_layer_norm"},
}
"""By what stands in a block of seq2see's and by its part: the part of Marian's layer."""


def configuration(shape: dict[str, float]) -> MarianConfig:
    """Describes a Marian model of a shape, with the ids that seq2see's marks have."""
    return MarianConfig(
        vocab_size=shape["vocabulary"],
        d_model=shape["d_model"],
        encoder_layers=shape["layers"],
        decoder_layers=shape["layers"],
        encoder_attention_heads=shape["heads"],
        decoder_attention_heads=shape["heads"],
        encoder_ffn_dim=shape["d_ff"],
        decoder_ffn_dim=shape["d_ff"],
        dropout=shape["dropout"],
        attention_dropout=0.0,
        activation_dropout=0.0,
        activation_function="relu",
        scale_embedding=True,
        share_encoder_decoder_embeddings=True,
        tie_word_embeddings=True,
        max_position_embeddings=POSITIONS,
        pad_token_id=PAD,
        bos_token_id=START,
        eos_token_id=END,
        decoder_start_token_id=START,
        forced_eos_token_id=None,
    )


def prepare(job: Job) -> Ready:
    """Sets up the job's task."""
    model = MarianMTModel(configuration(job["shape"]))
    if job["task"] in ("decoding", "latency"):
        return generating(job, model)

    def loss(batch: Batch) -> Tensor:
        found = model(
            input_ids=batch.source,
            attention_mask=batch.real.long(),
            decoder_input_ids=batch.target,
        )
        return cross_entropy(found.logits, batch)

    return training(job, model, plain_loop(job, model, loss), PACKAGE)


def generating(job: Job, model: MarianMTModel) -> Ready:
    """Sets up `generate` on sentences of similar length side by side."""
    torch.set_num_threads(job["threads"])
    carry_over(weights(job), model)
    model.eval()
    beam = job["options"]["beam"]
    size = BATCH[beam]

    @torch.inference_mode()
    def decode(sources: Sequence[Ids]) -> list[list[int]]:
        order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
        outputs: list[list[int]] = [[] for _ in sources]
        for begin in range(0, len(order), size):
            rows = order[begin : begin + size]
            source = pad([sources[i] for i in rows])
            found = model.generate(
                input_ids=source,
                attention_mask=(source != PAD).long(),
                num_beams=beam,
                max_new_tokens=job["limit"],
                do_sample=False,
                use_cache=True,
            )
            for i, row in zip(rows, found.tolist(), strict=True):
                outputs[i] = until_end(row[1:])  # the first is the start mark
        return outputs

    return decoding(job, decode, PACKAGE, "torch")


@torch.no_grad()
def carry_over(found: Weights, model: MarianMTModel) -> None:
    """Copies seq2see's weights to where Marian has them; every one of them has its place."""
    codes = torch.from_numpy(sinusoids(POSITIONS, model.config.d_model))
    model.model.encoder.embed_positions.weight.copy_(codes)
    model.model.decoder.embed_positions.weight.copy_(codes)
    there = dict(model.named_parameters())
    for name, value in found.items():
        there[marian_name(name)].copy_(torch.from_numpy(value))


def marian_name(name: str) -> str:
    """Translates a weight's name, such as `decoder.0.cross.key.bias`."""
    if name == "source.table.weight":
        return "model.shared.weight"
    side, layer, place, *rest = name.split(".")
    return ".".join(["model", side, "layers", layer, NAMES[place][rest[0]], rest[-1]])


if __name__ == "__main__":
    serve(prepare)

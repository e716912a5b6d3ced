"""transformers: MarianMTModel, trained from a configuration, or decoding seq2see's weights."""

from __future__ import annotations

from torch import Tensor
from transformers import MarianConfig, MarianMTModel

from peers.runners.corpus import END, PAD, START, Batch
from peers.runners.serve import Job, Ready, serve
from peers.runners.training import cross_entropy, plain_loop, training

PACKAGE = "transformers"


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
        max_position_embeddings=1024,
        pad_token_id=PAD,
        bos_token_id=START,
        eos_token_id=END,
        decoder_start_token_id=START,
        forced_eos_token_id=None,
        use_cache=False,
    )


def prepare(job: Job) -> Ready:
    """Sets up the job's task."""
    model = MarianMTModel(configuration(job["shape"]))

    def loss(batch: Batch) -> Tensor:
        found = model(
            input_ids=batch.source,
            attention_mask=batch.real.long(),
            decoder_input_ids=batch.target,
        )
        return cross_entropy(found.logits, batch)

    return training(job, model, plain_loop(job, model, loss), PACKAGE)


if __name__ == "__main__":
    serve(prepare)

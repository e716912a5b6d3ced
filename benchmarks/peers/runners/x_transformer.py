"""x-transformers: an encoder and a decoder of its parts, with one matrix for all tables."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from x_transformers import Decoder, Encoder, TransformerWrapper

from peers.runners.corpus import Batch
from peers.runners.serve import Job, Ready, serve
from peers.runners.training import cross_entropy, plain_loop, training

POSITIONS = 512


class Model(nn.Module):
    """What `XTransformer` joins, whose output matrix cannot be told to be the embedding's."""

    def __init__(self, shape: dict[str, Any]) -> None:
        super().__init__()
        common = {
            "dim": shape["d_model"],
            "depth": shape["layers"],
            "heads": shape["heads"],
            "attn_dim_head": shape["d_model"] // shape["heads"],
            "ff_mult": shape["d_ff"] // shape["d_model"],
            "ff_dropout": shape["dropout"],
        }
        table = {
            "num_tokens": shape["vocabulary"],
            "max_seq_len": POSITIONS,
            "emb_dropout": shape["dropout"],
            "scaled_sinu_pos_emb": True,
        }
        self.encoder = TransformerWrapper(**table, attn_layers=Encoder(**common))
        self.decoder = TransformerWrapper(
            **table, tie_embedding=True, attn_layers=Decoder(**common, cross_attend=True)
        )
        self.encoder.to_logits = None  # of which an encoder has no use
        self.encoder.token_emb = self.decoder.token_emb

    def forward(self, batch: Batch) -> Tensor:
        """Returns the logits `[row, target, vocabulary]`."""
        memory = self.encoder(batch.source, mask=batch.real, return_embeddings=True)
        logits: Tensor = self.decoder(batch.target, context=memory, context_mask=batch.real)
        return logits


def prepare(job: Job) -> Ready:
    """Sets up training."""
    model = Model(job["shape"])
    step = plain_loop(job, model, lambda batch: cross_entropy(model(batch), batch))
    return training(job, model, step, "x-transformers")


if __name__ == "__main__":
    serve(prepare)

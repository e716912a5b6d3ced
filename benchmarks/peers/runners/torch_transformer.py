"""torch.nn.Transformer between embeddings and an output matrix of its user's making."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from peers.runners.corpus import Batch
from peers.runners.ids import PAD
from peers.runners.serve import Job, Ready, serve
from peers.runners.training import cross_entropy, plain_loop, training


class Model(nn.Module):
    """What PyTorch's own tutorial puts around `nn.Transformer`, with one matrix for all tables."""

    codes: Tensor

    def __init__(self, shape: dict[str, Any], positions: int = 1024) -> None:
        super().__init__()
        width = shape["d_model"]
        self.table = nn.Embedding(shape["vocabulary"], width)
        nn.init.normal_(self.table.weight, std=width**-0.5)
        self.core = nn.Transformer(
            width,
            shape["heads"],
            shape["layers"],
            shape["layers"],
            shape["d_ff"],
            shape["dropout"],
            batch_first=True,
        )
        self.dropout = nn.Dropout(shape["dropout"])
        rates = torch.exp(-math.log(10000.0) * torch.arange(0, width, 2) / width)
        angles = torch.arange(positions)[:, None] * rates
        codes = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
        self.register_buffer("codes", codes)

    def embed(self, ids: Tensor) -> Tensor:
        """Looks up, scales, and adds sinusoids."""
        x = self.table(ids) * math.sqrt(self.table.embedding_dim)
        return self.dropout(x + self.codes[: ids.shape[1]])

    def forward(self, batch: Batch) -> Tensor:
        """Returns the logits `[row, target, vocabulary]`."""
        hidden = self.core(
            self.embed(batch.source),
            self.embed(batch.target),
            tgt_mask=nn.Transformer.generate_square_subsequent_mask(batch.target.shape[1]),
            src_key_padding_mask=additive(batch.source == PAD),
            tgt_key_padding_mask=additive(batch.target == PAD),
            memory_key_padding_mask=additive(batch.source == PAD),
            tgt_is_causal=True,
        )
        return F.linear(hidden, self.table.weight)


def additive(padding: Tensor) -> Tensor:
    """Turns True at padding into minus infinity, the form of the mask beside it."""
    return torch.zeros(padding.shape).masked_fill(padding, -torch.inf)


def prepare(job: Job) -> Ready:
    """Sets up training."""
    model = Model(job["shape"])
    step = plain_loop(job, model, lambda batch: cross_entropy(model(batch), batch))
    return training(job, model, step)


if __name__ == "__main__":
    serve(prepare)

"""joeynmt: its model and loss in a plain loop; its own batches are not sorted by length."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from joeynmt.batch import Batch as JoeyBatch
from joeynmt.model import build_model
from joeynmt.vocabulary import Vocabulary
from torch import Tensor

from peers.runners.corpus import Batch
from peers.runners.serve import Job, Ready, serve
from peers.runners.training import SMOOTHING, plain_loop, training

UNKNOWN, PAD, START, END = range(4)
"""joeynmt's order: the first two change places with the contest's."""

_WIDTH = 256


def transformer(shape: dict[str, Any]) -> dict[str, Any]:
    """Describes the Transformer of a shape."""
    side = {
        "type": "transformer",
        "num_layers": shape["layers"],
        "num_heads": shape["heads"],
        "embeddings": {"embedding_dim": shape["d_model"], "scale": True},
        "hidden_size": shape["d_model"],
        "ff_size": shape["d_ff"],
        "dropout": shape["dropout"],
        "layer_norm": "post",
    }
    return {"encoder": side, "decoder": side, "tied_embeddings": True, "tied_softmax": True}


def recurrent(shape: dict[str, Any]) -> dict[str, Any]:
    """Describes the bi-directional LSTM with attention, which feeds no context back."""
    side = {
        "type": "recurrent",
        "rnn_type": "lstm",
        "num_layers": 1,
        "embeddings": {"embedding_dim": _WIDTH, "scale": True},
        "hidden_size": _WIDTH,
        "dropout": shape["dropout"],
    }
    encoder = {**side, "bidirectional": True}
    decoder = {**side, "attention": "bahdanau", "input_feeding": False, "init_hidden": "bridge"}
    decoder["hidden_dropout"] = shape["dropout"]
    return {"encoder": encoder, "decoder": decoder, "tied_embeddings": True, "tied_softmax": True}


def vocabulary(size: int) -> Vocabulary:
    """Makes a vocabulary of numbers behind the marks."""
    marks = {"unk": UNKNOWN, "pad": PAD, "bos": START, "eos": END}
    fields: dict[str, Any] = {"sep_token": None, "sep_id": None, "lang_tags": []}
    for name, i in marks.items():
        fields |= {f"{name}_token": f"<{name}>", f"{name}_id": i}
    return Vocabulary([f"{i}" for i in range(len(marks), size)], SimpleNamespace(**fields))


def prepare(job: Job) -> Ready:
    """Sets up training."""
    shape, cpu = job["shape"], torch.device("cpu")
    pieces = vocabulary(shape["vocabulary"])
    describe = recurrent if job["task"] == "recurrent" else transformer
    model = build_model(describe(shape), pieces, pieces)
    model.loss_function = ("crossentropy", SMOOTHING)

    def loss(batch: Batch) -> Tensor:
        whole = torch.cat([batch.target[:, :1], batch.wanted], dim=1)
        rows = torch.arange(len(whole))
        lengths = batch.real.sum(1)
        own = JoeyBatch(
            _renamed(batch.source), lengths, None, _renamed(whole), None, rows, cpu, PAD, END
        )
        own.sort_by_src_length()
        summed, *_ = model(return_type="loss", **vars(own))
        mean: Tensor = own.normalize(summed, "tokens")
        return mean

    return training(job, model, plain_loop(job, model, loss), "joeynmt")


def _renamed(ids: Tensor) -> Tensor:
    return torch.where(ids < START, 1 - ids, ids)


if __name__ == "__main__":
    serve(prepare)

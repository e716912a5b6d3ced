"""yoyodyne: its model and loss in a plain loop; its own batches are not sorted by length."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from yoyodyne.data.batches import Batch as YoyoBatch
from yoyodyne.data.batches import PaddedTensor
from yoyodyne.models import SoftAttentionLSTMModel, TransformerModel, modules

from peers.runners.corpus import Batch
from peers.runners.serve import Job, Ready, serve
from peers.runners.training import SMOOTHING, plain_loop, training

_LONGEST, _WIDTH = 512, 256


def transformer(shape: dict[str, Any], common: dict[str, Any]) -> TransformerModel:
    """Makes the Transformer of a shape."""
    encoder = modules.TransformerEncoder(
        attention_heads=shape["heads"],
        dropout=shape["dropout"],
        embedding_size=shape["d_model"],
        hidden_size=shape["d_ff"],
        layers=shape["layers"],
    )
    return TransformerModel(
        source_encoder=encoder,
        decoder_attention_heads=shape["heads"],
        decoder_hidden_size=shape["d_ff"],
        decoder_layers=shape["layers"],
        embedding_size=shape["d_model"],
        **common,
    )


def recurrent(shape: dict[str, Any], common: dict[str, Any]) -> SoftAttentionLSTMModel:
    """Makes the bi-directional LSTM with attention."""
    encoder = modules.LSTMEncoder(
        bidirectional=True,
        dropout=shape["dropout"],
        embedding_size=_WIDTH,
        hidden_size=_WIDTH,
        layers=1,
    )
    return SoftAttentionLSTMModel(
        source_encoder=encoder,
        decoder_hidden_size=_WIDTH,
        decoder_layers=1,
        embedding_size=_WIDTH,
        **common,
    )


def prepare(job: Job) -> Ready:
    """Sets up training."""
    shape = job["shape"]
    common = {
        "vocab_size": shape["vocabulary"],
        "target_vocab_size": shape["vocabulary"],
        "decoder_dropout": shape["dropout"],
        "label_smoothing": SMOOTHING,
        "max_source_length": _LONGEST,
        "max_target_length": _LONGEST,
        "compute_accuracy": False,
        "compute_ser": False,
    }
    make = recurrent if job["task"] == "recurrent" else transformer
    model = make(shape, common)

    def loss(batch: Batch) -> Tensor:
        source = PaddedTensor.from_tensor(batch.source)
        target = PaddedTensor.from_tensor(batch.wanted)
        logits = model(YoyoBatch(source, target=target))
        value: Tensor = model.loss_func(logits.float(), batch.wanted)
        return value

    return training(job, model, plain_loop(job, model, loss), "yoyodyne")


if __name__ == "__main__":
    serve(prepare)

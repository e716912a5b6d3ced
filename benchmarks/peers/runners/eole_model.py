"""eole: its model, loss, optimizer and treatment of a batch, without its reading of files."""

from __future__ import annotations

from typing import Any

import torch
from eole.config.run import TrainConfig
from eole.models.model import get_model_class
from eole.trainer import BatchProcessor
from eole.utils import Statistics
from eole.utils.loss import LossCompute
from eole.utils.optimizers import Optimizer

from peers.runners.corpus import Batch
from peers.runners.serve import Job, Ready, serve
from peers.runners.training import BETAS, CLIP, EPSILON, RATE, SMOOTHING, training

MARKS = {"pad_token": "<blank>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
"""eole's names, in the order of the ids."""


def configuration(job: Job) -> TrainConfig:
    """Describes the model and its training; there are no files, so none are named."""
    shape = job["shape"]
    return TrainConfig(
        src_vocab="none",
        tgt_vocab="none",
        share_vocab=True,
        data={},
        model={
            "architecture": "transformer",
            "layers": shape["layers"],
            "hidden_size": shape["d_model"],
            "heads": shape["heads"],
            "transformer_ff": shape["d_ff"],
            "embeddings": {
                "word_vec_size": shape["d_model"],
                "position_encoding_type": "SinusoidalInterleaved",
            },
            "share_embeddings": True,
            "share_decoder_embeddings": True,
        },
        training={
            "world_size": 0,
            "gpu_ranks": [],
            "compute_dtype": {"float32": "fp32", "bfloat16": "bf16"}[job["precision"]],
            "dropout": [shape["dropout"]],
            "attention_dropout": [0.0],
            "label_smoothing": SMOOTHING,
            "optim": "adamw",
            "learning_rate": RATE,
            "adam_beta1": BETAS[0],
            "adam_beta2": BETAS[1],
            "adam_eps": EPSILON,
            "max_grad_norm": CLIP,
            "param_init_method": "xavier_uniform",
        },
    )


def prepare(job: Job) -> Ready:
    """Sets up training."""
    config, size = configuration(job), job["shape"]["vocabulary"]
    pieces = {piece: i for i, piece in enumerate(MARKS.values())}
    pieces |= {f"piece{i}": i for i in range(len(pieces), size)}
    vocabularies: dict[str, Any] = {"src": pieces, "tgt": pieces, "specials": MARKS}
    kind = get_model_class(config.model)
    model = kind.for_training(config.model, vocabularies, config.training)
    model.train()
    optimizer = Optimizer.from_config(model, config)
    loss = LossCompute.from_config(config, model, vocabularies)
    processor = BatchProcessor(model, loss, optimizer, 0, "data_parallel", False, False, 0.0, 1)

    def step(batch: Batch) -> None:
        optimizer.zero_grad()
        rows = len(batch.source)
        whole = torch.cat([batch.target[:, :1], batch.wanted], dim=1)
        fields = {
            "src": batch.source,
            "srclen": batch.real.sum(1),
            "tgt": whole,
            "images": None,
            "prefix_len": None,
            "cid": ["corpus"] * rows,
            "cid_line_number": [0] * rows,
        }
        processor.process_batch(fields, batch.tokens, 1, Statistics(), Statistics())
        optimizer.step()

    return training(job, model, step, "eole")


if __name__ == "__main__":
    serve(prepare)

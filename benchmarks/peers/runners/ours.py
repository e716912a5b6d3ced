"""seq2see itself: its own update, as a run makes it between two validations, and its own search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from peers.runners.corpus import Batch
from peers.runners.decoding import decoding, until_end, weights
from peers.runners.ids import Ids
from peers.runners.serve import Job, Ready, serve
from peers.runners.training import BETAS, CLIP, EPSILON, RATE, SMOOTHING, Step, training
from seq2see.allocator import keep_freed_memory
from seq2see.bench.training import updates
from seq2see.bundle.folder import network_settings
from seq2see.bundle.weights import weights as tensors_of
from seq2see.data import batches
from seq2see.data.shortlist import Shortlist
from seq2see.decode.generate import generate
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.nn.network import Network, Sizes
from seq2see.nn.precision import cast, converted
from seq2see.train.settings import TrainSettings


def prepare(job: Job) -> Ready:
    """Sets up the job's task in a process that is set up as a command of seq2see is."""
    keep_freed_memory()
    torch.manual_seed(1)
    size = job["shape"]["vocabulary"]
    network = Network(network_settings(job["model"]), Sizes(size, size))
    if job["task"] in ("decoding", "latency"):
        return searching(job, network)
    cast(network.train(), job["precision"])
    return training(job, network, updating(network), "seq2see")


def searching(job: Job, network: Network) -> Ready:
    """Sets up the search that `seq2see translate` makes, from ids to ids."""
    torch.set_num_threads(job["options"]["threads"])
    found, wanted = weights(job), tensors_of(network)
    for name, tensor in wanted.items():
        tensor.copy_(torch.from_numpy(found[name]))
    network = converted(network.eval(), job["precision"])
    options = SearchOptions(beam=job["options"]["beam"])
    shortlist: Shortlist | None = None
    if job["options"].get("shortlist"):
        with np.load(Path(job["material"]) / "shortlist.npz") as file:
            shortlist = Shortlist(file["frequent"], file["likely"])

    def decode(sources: Sequence[Ids]) -> list[list[int]]:
        requests = [Request(source.tolist(), job["limit"]) for source in sources]
        best = generate(network, requests, options, shortlist=shortlist)
        return [until_end(hypotheses[0].ids) for hypotheses in best]

    return decoding(job, decode, "seq2see", "torch")


def updating(network: Network) -> Step:
    """Makes updates by AdamW; the average of the weights, which a run keeps, is kept here too."""
    settings = TrainSettings(
        optimizer="adamw",
        beta1=BETAS[0],
        beta2=BETAS[1],
        epsilon=EPSILON,
        clip=CLIP,
        label_smoothing=SMOOTHING,
    )
    update = updates(network, settings)

    def step(batch: Batch) -> None:
        update(_as_ours(batch), RATE)

    return step


def _as_ours(batch: Batch) -> batches.Batch:
    lines = np.zeros(len(batch.source), np.int64)
    return batches.Batch(batch.source, batch.real, batch.target, batch.wanted, batch.tokens, lines)


if __name__ == "__main__":
    serve(prepare)

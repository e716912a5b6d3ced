"""Which entries a task has: the networks of one shape, the precisions, the layouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from peers.contest import Entry

SHAPE: dict[str, Any] = {
    "layers": 3,
    "d_model": 256,
    "heads": 4,
    "d_ff": 1024,
    "dropout": 0.1,
    "vocabulary": 8000,
}
"""The Transformer of all: 7.6 million parameters with one matrix for all tables."""

MODEL: dict[str, Any] = {
    "kind": "transformer",
    "encoder_layers": SHAPE["layers"],
    "decoder_layers": SHAPE["layers"],
    "d_model": SHAPE["d_model"],
    "heads": SHAPE["heads"],
    "d_ff": SHAPE["d_ff"],
    "dropout": SHAPE["dropout"],
    "positions": "sinusoidal",
    "tied": "all",
    "norm_place": "after",
}
"""The same as seq2see writes it. The norm stands where Marian has it, so that the weights can be
carried over."""

RECURRENT: dict[str, Any] = {
    "kind": "lstm",
    "tied": "all",
    "attention": "additive",
    "dropout": SHAPE["dropout"],
}
"""One layer of a bi-directional LSTM, and one of a decoder that attends to it: 256 features a
direction and an embedding."""

PRECISIONS = ("float32", "bfloat16")
DECODES = ("decoding", "latency")
UNITS = {
    "training": "target tokens",
    "recurrent": "target tokens",
    "decoding": "sentences",
    "latency": "sentences",
}
"""What each task counts."""

_JOEYNMT = "joeynmt offers bfloat16 on GPUs alone"


def contests(task: str, threads: int) -> Iterator[list[Entry]]:
    """Yields the contests of a task: those who take turns with each other.

    Args:
        task: the task.
        threads: of every toolkit; who can share them out in more than one way is entered in each.
    """
    if task in DECODES:
        for beam in (1, 5):
            yield list(_decoding(task, beam, threads))
    else:
        for precision in PRECISIONS:
            yield list(_training(task, precision))


def _training(task: str, precision: str) -> Iterator[Entry]:
    yield Entry("seq2see", "ours", precision)
    if task == "training":
        yield Entry("torch", "torch_transformer", precision)
        yield Entry("transformers", "marian", precision)
        yield Entry("eole", "eole_model", precision)
        yield Entry("x-transformers", "x_transformer", precision)
    refusal = "" if precision == "float32" else _JOEYNMT
    yield Entry("joeynmt", "joey", precision, refusal=refusal)
    yield Entry("yoyodyne", "yoyo", precision)


def _decoding(task: str, beam: int, threads: int) -> Iterator[Entry]:
    for precision in (*PRECISIONS, "int8"):
        # Of one sentence, several threads may share the products or be a hindrance.
        shares = (threads,) if task == "decoding" else dict.fromkeys((1, threads))
        for share in shares:
            layout = {"beam": beam, "threads": share}
            yield Entry("seq2see", "ours", precision, layout)
            if precision != "bfloat16":
                yield Entry("seq2see", "ours", precision, {**layout, "shortlist": 1})
    yield Entry("transformers", "marian", options={"beam": beam})
    for precision in ("float32", "int8"):
        # Of one sentence there is nothing to share between workers.
        first = (threads, 1) if task == "decoding" else (1, 1)
        for inter, intra in dict.fromkeys([first, (1, threads)]):
            layout = {"beam": beam, "inter_threads": inter, "intra_threads": intra}
            yield Entry("ctranslate2", "ct2", precision, layout)

"""How many sentences a second a network decodes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from seq2see.bench.subjects import Subject
from seq2see.bench.timing import Figure, Work
from seq2see.data.tokenizers import END
from seq2see.decode.generate import generate
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.decode.rules import Unwritable
from seq2see.nn.precision import Arithmetic, converted

BEAMS = (1, 5)
"""Greedy search, and the default."""

SENTENCES = 64
"""Sources that are decoded a thread."""

_ENDLESS = Unwritable((*Unwritable().never, END))
"""An untrained network ends where chance has it. Here none ends before its limit, which is the
length of the pair's target, so that every run takes the same steps."""


@dataclass(frozen=True)
class Decoded:
    """How fast a network decoded.

    Args:
        network: its name.
        beam: hypotheses followed; 1 is greedy search.
        precision: it computed in.
        threads: that shared the work.
        sentences: sources a second.
    """

    network: str
    beam: int
    precision: Arithmetic
    threads: int
    sentences: Figure


def requests(subject: Subject, count: int = SENTENCES) -> list[Request]:
    """Makes requests of the first sources; each output has the length of the pair's target."""
    store = subject.batches.store
    lengths = store.target.lengths[:count].tolist()
    return [Request(store.source[i].tolist(), limit) for i, limit in enumerate(lengths)]


def searching(
    subject: Subject, beam: int, precision: Arithmetic = "float32", workers: int = 0
) -> Work:
    """Prepares a search for the best target of each source."""
    network = converted(subject.network("float32").eval(), precision)
    # As many groups as there are threads: one alone would leave the others idle.
    wanted = requests(subject, SENTENCES * torch.get_num_threads())
    options = SearchOptions(beam, workers=workers)

    def work() -> float:
        return len(generate(network, wanted, options, _ENDLESS))

    return work

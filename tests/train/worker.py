"""A training process of its own, to be killed: begins the run in a folder or takes it up.

python worker.py DATA OUT key=value ... [-- OUT key=value ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from seq2see.recipe.draft import draft
from seq2see.recipe.folder import TrainingFolder
from seq2see.recipe.run import carry_out, set_up, take_up
from seq2see.train import loop

WINDOW = 10
"""Short windows, so that there are many moments to be killed at."""


def train(data: str, out: Path, assignments: list[str]) -> None:
    """Trains to the end, from wherever the run in `out` stands."""
    begun = TrainingFolder(out).begun
    run = take_up(out) if begun else set_up(draft(None, [f"data.train={data}", *assignments]), out)
    carry_out(run, resume=begun)


def main(data: str, *arguments: str) -> None:
    """Trains one run after the other."""
    torch.set_num_threads(1)
    loop._WINDOW = WINDOW
    rest = list(arguments)
    while rest:
        end = rest.index("--") if "--" in rest else len(rest)
        train(data, Path(rest[0]), rest[1:end])
        rest = rest[end + 1 :]


if __name__ == "__main__":
    main(*sys.argv[1:])

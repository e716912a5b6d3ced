"""One run of a comparison: trained, decoded and scored, in this process or in one of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import torch

from seq2see.api.model import Model, load
from seq2see.api.record import tokens_per_second, write_lines
from seq2see.api.standings import Trial
from seq2see.config import Tree
from seq2see.files import read_lines
from seq2see.recipe.folder import TrainingFolder
from seq2see.recipe.judging import Examination
from seq2see.recipe.run import carry_out, set_up, take_up
from seq2see.train.journal import Observer

Begin = Literal["new", "resumed", "finished"]
Beginning = Callable[[Begin], Sequence[Observer]]
"""Is told how a run begins, and returns who observes its training."""


@dataclass(frozen=True)
class Cell:
    """A model and a seed that are to be trained.

    Args:
        model: short name of the architecture.
        tree: the draft, seed included.
        folder: where the run is kept.
        device: where to compute.
    """

    model: str
    tree: Tree
    folder: Path
    device: str

    @property
    def seed(self) -> int:
        """What the network is drawn from."""
        return int(self.tree["seed"])

    def run(self, examination: Examination, begin: Beginning) -> Trial:
        """Trains, unless the folder holds the trained model; decodes and scores."""
        model = self._trained(begin)
        outputs = _outputs(model, examination, self.folder / "outputs.jsonl")
        training = model.scores["training"]
        facts = {
            "parameters": model.bundles[0].network.parameter_count,
            "steps": training["steps"],
            "seconds": training["seconds"],
            "tokens_per_second": tokens_per_second(TrainingFolder(self.folder).journal),
        }
        scores = tuple(examination.score(outputs))
        return Trial(self.model, self.seed, scores, tuple(outputs), facts)

    @property
    def beginning(self) -> Begin:
        """How the run would begin now."""
        if _is_finished(self.folder):
            return "finished"
        return "resumed" if TrainingFolder(self.folder).begun else "new"

    def _trained(self, begin: Beginning) -> Model:
        state = self.beginning
        observers = begin(state)
        if state == "finished":
            return load(self.folder, device=self.device)
        begun = state == "resumed"
        run = take_up(self.folder) if begun else set_up(self.tree, self.folder, self.device)
        return Model([carry_out(run, observers, self.device, resume=begun)])


def side_by_side(
    cells: Sequence[Cell],
    examination: Examination,
    jobs: int,
    begin: Callable[[Cell, Begin], object],
) -> Iterator[Trial]:
    """Runs `jobs` cells at a time, each in a process of its own with its share of the threads.

    Yields:
        What each came to, in the order in which they end.

    Raises:
        Seq2seeError: of a run that cannot go on; those that have ended stand.
    """
    waiting, running = list(reversed(cells)), set[Future[Trial]]()
    share = max(1, torch.get_num_threads() // jobs)
    spawning = get_context("spawn")
    with ProcessPoolExecutor(jobs, spawning, torch.set_num_threads, (share,)) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    cell = waiting.pop()
                    begin(cell, cell.beginning)
                    running.add(pool.submit(cell.run, examination, _unwatched))
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for one in ended:
                    yield one.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _unwatched(_: Begin) -> Sequence[Observer]:
    return ()


def _is_finished(folder: Path) -> bool:
    """Says whether the final scores stand in a bundle; those kept while training lack a part."""
    try:
        return "training" in json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _outputs(model: Model, examination: Examination, path: Path) -> list[str]:
    """Decodes, unless the file already holds the outputs for the very same sources."""
    asked = [
        {"source": pair.source, "features": list(pair.features), "references": known}
        for pair, known in zip(examination.sources, examination.references, strict=True)
    ]
    rows = read_lines(path)
    if [{k: v for k, v in row.items() if k != "output"} for row in rows] == asked:
        return [str(row["output"]) for row in rows]
    outputs = model.translate(examination.sources)
    write_lines(path, ({**a, "output": o} for a, o in zip(asked, outputs, strict=True)))
    return outputs

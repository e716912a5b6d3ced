"""One run of a comparison: trained, decoded and scored, in this process or in one of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
        model = trained(self.tree, self.folder, self.device, begin)
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

    def run_unwatched(self, examination: Examination) -> Trial:
        """Does the same where nobody can watch, as in a process of its own."""
        return self.run(examination, lambda _: ())


def trained(tree: Tree, folder: Path, device: str, begin: Beginning) -> Model:
    """Trains into a folder: from the start, or from where it was left; or opens what is finished.

    Args:
        tree: the draft.
        folder: where the run is kept.
        device: where to compute.
        begin: is told how the run begins.
    """
    state = beginning(folder)
    observers = begin(state)
    if state == "finished":
        return load(folder, device=device)
    run = take_up(folder) if state == "resumed" else set_up(tree, folder, device)
    return Model([carry_out(run, observers, device, resume=state == "resumed")])


def beginning(folder: Path) -> Begin:
    """Tells how a run in `folder` would begin now."""
    if _is_finished(folder):
        return "finished"
    return "resumed" if TrainingFolder(folder).begun else "new"


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

"""One model of a study: its data drawn, the network trained, everything measured."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from seq2see.api.cell import beginning, trained
from seq2see.api.model import Model
from seq2see.api.record import write_text
from seq2see.api.training import write_draft
from seq2see.data.links import Link
from seq2see.data.rows import Pair
from seq2see.errors import ConfigError, DivergedError
from seq2see.study.drawn import begun
from seq2see.study.material import LINKS, supply
from seq2see.study.plan import Condition, Study
from seq2see.study.readings import FAILED, Outcome, Reading


@dataclass(frozen=True)
class Subject:
    """A trained model and what it is measured on.

    Args:
        model: the model.
        test: pairs it has not seen.
        links: which source pieces decide each target piece of each test pair; empty where that is
            not known.
        condition: what it was trained under.
        seed: what it was drawn from.
        folder: where its run is kept, with its journal.
    """

    model: Model
    test: Sequence[Pair]
    links: Sequence[tuple[Link, ...]]
    condition: Condition
    seed: int
    folder: Path

    def of(self, model: Model) -> Subject:
        """Returns another model in the place of this one, to be measured on the same."""
        return replace(self, model=model)


@dataclass(frozen=True)
class Options:
    """What a person says beside a study's name.

    Args:
        out: where all runs are kept.
        settings: `key=value` settings that all models get, over the study's own.
        minutes: time budget of each model's training; 0: as many updates as the study says.
        data: a data file in the place of the synthetic task.
        dev: held-out pairs of that file.
        device: where to compute.
    """

    out: Path
    settings: tuple[str, ...] = ()
    minutes: float = 0.0
    data: str = ""
    dev: str = ""
    device: str = "cpu"


@dataclass(frozen=True)
class Trial:
    """A condition and a seed of a study.

    Args:
        study: the study.
        condition: the combination of levels.
        seed: what network and data are drawn from.
        options: what was said beside the study's name.
    """

    study: Study
    condition: Condition
    seed: int
    options: Options

    @property
    def folder(self) -> Path:
        """Where this model is kept."""
        safe = "".join(c if c.isalnum() or c in "+-." else "_" for c in self.condition.name)
        return self.options.out / f"{safe}-seed{self.seed}"

    def run(self) -> Outcome:
        """Trains and measures, unless the folder holds the measurements.

        Raises:
            ConfigError: what stands there was asked for with other settings or data.
        """
        self._check_same()
        kept = self.folder / "readings.json"
        if kept.is_file():
            facts = json.loads(kept.read_text(encoding="utf-8"))
            readings = tuple(Reading(**reading) for reading in facts["readings"])
            return Outcome(dict(self.condition.labels), self.seed, readings, facts["seconds"])
        begin = time.perf_counter()
        readings, before = self._readings()
        seconds = round(before + time.perf_counter() - begin, 1)
        facts = {"seconds": seconds, "readings": [asdict(reading) for reading in readings]}
        write_text(kept, json.dumps(facts) + "\n")
        return Outcome(dict(self.condition.labels), self.seed, readings, seconds)

    def _readings(self) -> tuple[tuple[Reading, ...], float]:
        """Returns what was measured, and the seconds that training took before it was resumed."""
        begin = time.perf_counter()
        try:
            subject = self._subject()
        except DivergedError:
            if not self.study.may_fail:
                raise
            return (Reading(FAILED, 1.0),), 0.0
        now = time.perf_counter() - begin
        before = max(0.0, float(subject.model.scores["training"]["seconds"]) - now)
        return tuple(each for measure in self.study.measures for each in measure(subject)), before

    def _subject(self) -> Subject:
        place = self.options.out / "data" / self.folder.name
        drawn = supply(self.study.material, self.condition.sizes, self.seed, self._source(), place)
        settings = tuple(text.replace(LINKS, drawn.train_links) for text in self._settings())
        tree = write_draft(
            drawn.train, settings, dev=drawn.dev, minutes=self.options.minutes, seed=self.seed
        )
        if self.condition.begins and beginning(self.folder) == "new":
            first = place.with_name(f"{place.name}.begin")
            tree["train"]["start"] = begun(tree, self.condition.begins, first, self.options.device)
        model = trained(tree, self.folder, self.options.device, lambda _: ())
        return Subject(model, drawn.test, drawn.links, self.condition, self.seed, self.folder)

    @property
    def _stands(self) -> bool:
        """Whether a run was begun or measured here."""
        return beginning(self.folder) != "new" or (self.folder / "readings.json").is_file()

    def _check_same(self) -> None:
        """Notes what is asked for, and holds it against what was asked for before."""
        material = self.study.material.sized(self.condition.sizes)
        asked = {
            "settings": self._settings(),
            "material": asdict(material),
            "minutes": self.options.minutes,
            "own": self._source(),
        }
        text = json.dumps(asked, indent=1) + "\n"
        path = self.options.out / "data" / f"{self.folder.name}.asked.json"
        if not self._stands or not path.is_file():  # settings that were refused leave no mark
            write_text(path, text)
        elif path.read_text(encoding="utf-8") != text:
            raise ConfigError(
                "holds a model of this study with other settings or data",
                where=str(self.folder),
                mend="Choose another folder with --out",
            )

    def _settings(self) -> tuple[str, ...]:
        return (*self.study.settings, *self.condition.settings, *self.options.settings)

    def _source(self) -> tuple[str, str] | None:
        return (self.options.data, self.options.dev) if self.options.data else None


def trials(study: Study, seeds: int, options: Options) -> list[Trial]:
    """Lists a study's models, all conditions of one seed before the next seed."""
    return [
        Trial(study, condition, seed, options)
        for seed in range(1, seeds + 1)
        for condition in study.conditions()
    ]

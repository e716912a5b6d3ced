"""A study as a record: a question, what is varied, what is measured, what would answer it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from seq2see.study.material import Material
from seq2see.study.readings import Reading
from seq2see.study.verdict import Verdict

if TYPE_CHECKING:
    from seq2see.nn.network import Network
    from seq2see.report.view import Figure
    from seq2see.study.results import Results
    from seq2see.study.trial import Subject


NO_COPIES = ("data.copies=0",)
"""No marks for unknown pieces, which a synthetic task has none of."""

Begin = Callable[["Network"], None]
"""Changes a network in place, as it was drawn and before its first update."""


@dataclass(frozen=True)
class Level:
    """One value of what is varied.

    Args:
        label: how the table writes it.
        settings: `key=value` settings that make it; `{links}` in one stands for the file of the
            training pairs' links.
        sizes: changes to the material's sizes that make it.
        begin: changes the weights that training begins with; None leaves them as drawn. Of several
            levels, that of an earlier factor comes first.
    """

    label: str
    settings: tuple[str, ...] = ()
    sizes: Mapping[str, Any] = field(default_factory=dict)
    begin: Begin | None = None


@dataclass(frozen=True)
class Factor:
    """One thing that is varied.

    Args:
        name: what it is, as the table's column.
        levels: its values, in the order of the table.
    """

    name: str
    levels: tuple[Level, ...]

    @classmethod
    def setting(cls, name: str, key: str, values: Sequence[Any]) -> Factor:
        """Varies one setting of the recipe."""
        written = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
        return cls(name, tuple(Level(text, (f"{key}={text}",)) for text in written))

    @classmethod
    def size(cls, name: str, key: str, values: Sequence[Any]) -> Factor:
        """Varies one size of the task."""
        return cls(name, tuple(Level(str(value), sizes={key: value}) for value in values))


@dataclass(frozen=True)
class Condition:
    """One combination of levels.

    Args:
        labels: the level of each factor.
        settings: `key=value` settings, those of later factors last.
        sizes: changes to the task's sizes.
        begins: changes to the weights that training begins with, in their order.
    """

    labels: Mapping[str, str]
    settings: tuple[str, ...] = ()
    sizes: Mapping[str, Any] = field(default_factory=dict)
    begins: tuple[Begin, ...] = ()

    @property
    def name(self) -> str:
        """Names the condition in files and on the screen."""
        return ", ".join(f"{factor} {label}" for factor, label in self.labels.items()) or "all"


Measure = Callable[["Subject"], Iterator[Reading]]
"""Yields the readings of one trained model."""


@dataclass(frozen=True)
class Study:
    """One question and how it is answered.

    Args:
        name: what the command line calls it.
        question: one sentence.
        varied: what differs between the models.
        fixed: what is the same for all of them.
        hypothesis: what is expected, with its source; printed before anything runs.
        caution: what the outcome does not show.
        factors: what is varied; every combination of their levels is one condition.
        material: what the models are trained and measured on.
        measures: what is read off each trained model.
        claim: turns the results into a verdict.
        figures: turns the results into pictures.
        settings: `key=value` settings that all models share.
        drawn: those that suit the synthetic task alone, such as how its texts are cut; a data file
            in its place does not get them. By itself: nothing is copied past the vocabulary, and
            no piece hidden in training to learn that, since a task knows all of its pieces.
        combined: makes `key=value` settings of the levels of several factors at once, where no
            level makes them by itself.
        left_out: tells of a combination that makes no sense.
        seeds: how many models a condition gets.
        may_fail: whether a run whose loss is no longer finite counts as failed and the study goes
            on; otherwise it ends there.
        real: whether a data file may take the synthetic task's place.
    """

    name: str
    question: str
    varied: str
    fixed: str
    hypothesis: str
    caution: str
    factors: tuple[Factor, ...]
    material: Material
    measures: tuple[Measure, ...]
    claim: Callable[[Results], Verdict]
    figures: Callable[[Results], Sequence[Figure]]
    settings: tuple[str, ...] = ()
    drawn: tuple[str, ...] = NO_COPIES
    combined: Callable[[Mapping[str, str]], tuple[str, ...]] = lambda _: ()
    left_out: Callable[[Mapping[str, str]], bool] = lambda _: False
    seeds: int = 3
    may_fail: bool = False
    real: bool = False

    def conditions(self) -> list[Condition]:
        """Lists every combination of levels that makes sense, in the order of the table."""
        found = []
        for levels in product(*(factor.levels for factor in self.factors)):
            labels = {
                factor.name: level.label for factor, level in zip(self.factors, levels, strict=True)
            }
            if self.left_out(labels):
                continue
            settings = tuple(text for level in levels for text in level.settings)
            sizes = {key: value for level in levels for key, value in level.sizes.items()}
            begins = tuple(level.begin for level in levels if level.begin is not None)
            settings = (*self.drawn, *settings, *self.combined(labels))
            found.append(Condition(labels, settings, sizes, begins))
        return found

    def on_own_data(self) -> Study:
        """Returns the study as it is where a data file takes the synthetic task's place.

        What cuts or sizes the task has no meaning there: the settings `drawn` go, and so does a
        factor whose levels change any size but the number of training pairs.
        """
        kept = tuple(
            factor
            for factor in self.factors
            if all(set(level.sizes) <= {"train"} for level in factor.levels)
        )
        return replace(self, factors=kept, drawn=())

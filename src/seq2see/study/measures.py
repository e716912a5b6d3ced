"""What can be read off a trained model: measures that several studies share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from seq2see.data.links import Link
from seq2see.evaluate.metrics import metric_named
from seq2see.look.agreement import aer
from seq2see.recipe.judging import Examination
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

EXACT = "exact match (%)"
PARAMETERS = "parameters"
STEPS = "updates"


def exact_match(subject: Subject) -> Iterator[Reading]:
    """Reads the share of test sources whose output is the target, greedily decoded."""
    yield Reading(EXACT, 100 * float(np.mean(_right(subject))))


def exact_up_to(*bounds: int, besides: int = 0) -> Measure:
    """Makes a measure of the same by the length of the source, in steps.

    Args:
        bounds: at each stand the sources of at most so many words, and more than the bound before.
        besides: words of every source that do not count.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        lengths = [len(pair.source.split()) - besides for pair in subject.test]
        right = np.asarray(_right(subject))
        steps = np.searchsorted(bounds, lengths)
        for step, bound in enumerate(bounds):
            if (found := right[steps == step]).size:
                yield Reading(EXACT, 100 * float(np.mean(found)), at=bound)

    return measure


def score(metric: str) -> Measure:
    """Makes a measure of a metric of `seq2see evaluate`, over all test sources, greedily decoded.

    The reading has the metric's name and unit. A source that stands in several test pairs counts
    once, with all of their targets as references, as it does there.

    Args:
        metric: a name out of `seq2see.evaluate.metrics.METRICS`, such as `per` or `bleu`.

    Raises:
        ConfigError: there is no metric of this name; the nearest one is given.
    """
    name = metric_named(metric).name  # a wrong one is refused before anything is trained

    def measure(subject: Subject) -> Iterator[Reading]:
        examination = Examination.of(subject.test, [name])
        outputs = subject.model.translate(examination.sources, beam=1)
        [found] = examination.score(outputs, resamples=0)
        yield Reading(name, found.value)

    return measure


def size(subject: Subject) -> Iterator[Reading]:
    """Reads how many numbers were trained."""
    yield Reading(PARAMETERS, subject.model.bundles[0].network.parameter_count)


def alignment_error(**how: Any) -> Measure:
    """Makes a measure of how far alignments are from the task's own links (AER, 0 to 1).

    Args:
        how: as for `Model.align`.
    """
    name = " ".join(str(value) for value in how.values()) or "weight"

    def measure(subject: Subject) -> Iterator[Reading]:
        found = subject.model.align(subject.test, **how)
        links: list[tuple[Link, ...]] = [each.links for each in found]
        yield Reading("AER", aer(links, subject.links, subject.links), series=name)

    return measure


def _right(subject: Subject) -> list[bool]:
    outputs = subject.model.translate(subject.test, beam=1)
    return [out == pair.target for out, pair in zip(outputs, subject.test, strict=True)]

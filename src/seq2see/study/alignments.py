"""How near a model's alignments come to the links by which the task was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from seq2see.look.agreement import aer, kendall
from seq2see.look.names import sites
from seq2see.look.replace import replace
from seq2see.nn import roles
from seq2see.study.measures import EXACT, exact_match
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

AER, TAU, EVEN = "AER", "Kendall's tau", "even attention"

Ways = Mapping[str, Mapping[str, Any]]
"""Ways to align by their names: options of `Model.align`."""


def alignment_errors(ways: Ways) -> Measure:
    """Makes a measure of how far each way to align is from the known links (0 is best).

    Args:
        ways: by name, which becomes the series.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        for name, how in ways.items():
            found = [each.links for each in subject.model.align(subject.test, **how)]
            yield Reading(AER, aer(found, subject.links), series=name)

    return measure


def rank_agreement(first: str, others: tuple[str, ...]) -> Measure:
    """Makes a measure of whether two measures of alignment rank source pieces alike.

    Kendall's tau, a mean over the target pieces where both measures have an order.

    Args:
        first: a measure of `Model.align`.
        others: those that it is compared with.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        ours = subject.model.align(subject.test, by=first)
        for other in others:
            theirs = subject.model.align(subject.test, by=other)
            pairs = zip(ours, theirs, strict=True)
            taus = torch.cat([kendall(a.matrix, b.matrix) for a, b in pairs])
            if not taus.isnan().all():
                yield Reading(TAU, float(np.nanmean(taus.numpy())), series=f"{first}, {other}")

    return measure


def exact_with_even_attention(subject: Subject) -> Iterator[Reading]:
    """Reads the share of right outputs where every look at the source is made an even one.

    Source: Wiegreffe and Pinter 2019, section 3.2 (there the model is trained with it).
    """
    names = [name for name in sites(subject.model.network) if name.endswith("cross.pattern")]
    edits = [replace(name.removesuffix(".pattern"), pattern=roles.uniform()) for name in names]
    with subject.model.edit(*edits):
        for reading in exact_match(subject):
            yield Reading(EXACT, reading.value, series=EVEN)

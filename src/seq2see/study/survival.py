"""Whether a head keeps its role while the network is trained, and what it is used for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from seq2see.look.names import find_attention
from seq2see.look.removal import Head
from seq2see.look.written import written_shares
from seq2see.nn.attention import MultiHeadAttention
from seq2see.study.along import milestones
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

ABOVE = "match above an even look"
KEPT, HALF = "role kept", "half-life (updates)"
SHARE, USE = "share of what is written", "loss without the head (nats)"

LEAST = 0.05
"""A head that begins less far above an even look has no role that it could keep."""

Place = tuple[int, float]
"""Updates, and what was read there."""


@dataclass(frozen=True)
class Watched:
    """A head whose role is followed.

    Args:
        job: the role, as `seq2see.look.jobs` calls it.
        head: the attention and the head's number.
        begin: the update from which it is left to itself.
    """

    job: str
    head: Head
    begin: int = 0


def survival(others: Mapping[str, Head], pairs: int = 64) -> Measure:
    r"""Makes a measure of what becomes of roles over training; the series is the role's job.

    `match above an even look` is $(m_t - e) / (1 - e)$, with $m_t$ the head's match after t updates
    and e that of an even look (see `seq2see.look.table.Match`): 1 is the role done perfectly, 0 is
    no role. `role kept` is

    $$S(t) = (m_t - e) / (m_0 - e)$$

    with $m_0$ from where the head is left to itself: before the first update, or after the last in
    which it was guided. 1: it has kept its role; 0: it has lost it. A head that began with no role,
    or was never let go, has no S. `half-life` counts the updates from there until S first falls to
    a half, between two milestones in proportion; one that never does counts as all of them, so that
    the figure is a lower bound. Beside it: the head's share of what its attention writes (see
    `seq2see.look.written.written_shares`), and what a target token loses when the head is ablated
    by its mean, since a role that is kept need not be used. Each is read at every milestone; the
    plain readings are those of the last one.

    Args:
        others: heads to follow by their job, where a model has no roles: the control.
        pairs: test pairs that are looked at.

    Raises:
        ConfigError: the measure made does: a role is none of the jobs that heads are found to do.
        DataError: the measure made does: no milestone was kept.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        along = list(milestones(subject))
        for watched in _watched(subject, others):
            every = [(step, list(_state(model, watched, pairs))) for step, model in along]
            yield from _curves(every, watched)
            above = [(step, found[0].value) for step, found in every if step >= watched.begin]
            yield from _kept(above, watched.job)

    return measure


def kept(above: Sequence[Place]) -> list[Place]:
    """Returns S at every place, from the match above an even look; none if no role was there."""
    first = above[0][1] if above else 0.0
    return [(step, value / first) for step, value in above] if first >= LEAST else []


def half_life(curve: Sequence[Place]) -> float:
    """Returns where a curve that begins at 1 first falls to a half; its end if it never does."""
    for (before, high), (after, low) in pairwise(curve):
        if low <= 0.5:
            return float(np.interp(0.5, (low, high), (after, before)))
    return float(curve[-1][0])


def _kept(above: Sequence[Place], job: str) -> Iterator[Reading]:
    curve = kept(above)
    if not curve:
        return
    for step, value in curve:
        yield Reading(KEPT, value, at=step, series=job)
    yield Reading(KEPT, curve[-1][1], series=job)
    yield Reading(HALF, half_life(curve) - curve[0][0], series=job)


def _curves(every: Sequence[tuple[int, list[Reading]]], watched: Watched) -> Iterator[Reading]:
    for step, found in every:
        for each in found:
            yield Reading(each.measure, each.value, at=step, series=watched.job)
    yield from every[-1][1]


def _state(subject: Subject, watched: Watched, pairs: int) -> Iterator[Reading]:
    at, head = watched.head
    test = subject.test[:pairs]
    row = subject.model.heads(test, at, ablations="likelihood")[watched.head]
    assert row.change is not None
    yield Reading(ABOVE, row.match(watched.job).gain, series=watched.job)
    yield Reading(USE, -row.change.value, series=watched.job)
    yield Reading(SHARE, _share(subject, at, head, pairs), series=watched.job)


def _share(subject: Subject, at: str, head: int, pairs: int) -> float:
    _, layer = find_attention(subject.model.network, at)
    assert isinstance(layer, MultiHeadAttention)
    found = subject.model.trace(subject.test[:pairs])
    device = layer.output.weight.device
    each = [found.pair(i)[f"{at}.context"].to(device) for i in range(len(found))]
    shares = [written_shares(layer, context)[0, head] for context in each]
    return float(np.mean([float(share.mean()) for share in shares]))


def _watched(subject: Subject, others: Mapping[str, Head]) -> list[Watched]:
    roles = subject.model.network.settings.roles
    if not roles:
        return [Watched(job, head) for job, head in others.items()]
    return [
        Watched(each.role.partition("(")[0].replace("_", " "), (each.at, each.head), each.until)
        for each in roles
    ]

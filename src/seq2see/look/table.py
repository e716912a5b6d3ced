"""What is known of every head, as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from seq2see.config import nearest
from seq2see.errors import ConfigError
from seq2see.look.change import Change
from seq2see.look.jobs import APPLIES, CLOSE, LEAST, NONE


@dataclass(frozen=True)
class Match:
    """How well a head does one job.

    Args:
        job: its name.
        match: the mean over the queries that the job tells where to look: the weight on those
            places; for a job that says how much, 1 - half the L1 distance to what it says.
        even: the same of a head that looks alike at all it may see.
        weighted: the same of the head's map weighted by the norm of what each key makes it write;
            see `seq2see.look.written.written_norms`.
        applies: the share of all queries that the job tells where to look.
    """

    job: str
    match: float
    even: float
    weighted: float
    applies: float

    @property
    def gain(self) -> float:
        """Where `match` lies between an even look, 0, and the job done perfectly, 1."""
        return (self.match - self.even) / (1 - self.even) if self.even < 1 else 0.0


@dataclass(frozen=True)
class HeadRow:
    """What is known of a head.

    Args:
        at: its attention.
        head: its number there, from 0.
        matches: how well it does each job it could do.
        entropy: of its pattern, in nats: the mean over all queries.
        relative_entropy: the mean of the entropy over ln(keys allowed), where there are several: 1
            is an even look, 0 a look at one key.
        confidence: the mean of its largest weight, end marks left out. Source: Voita et al. 2019,
            section 4.
        importance: how much the loss depends on what it reads; see
            `seq2see.look.measure.importances`.
        offsets: the mean weight on the key that stands n positions after the query, over the
            queries that may see one there, for n from -k to k; NaN where none may.
        weighted_offsets: the same of the map weighted by the norm of what each key makes the head
            write.
        change: what its ablation changes; None where it was not ablated.
    """

    at: str
    head: int
    matches: tuple[Match, ...]
    entropy: float
    relative_entropy: float
    confidence: float
    importance: float
    offsets: tuple[float, ...]
    weighted_offsets: tuple[float, ...]
    change: Change | None = None

    @property
    def best(self) -> Match:
        """The job that the head does best, be it well or not.

        That with the greatest gain; of those that come close, the one with the least `even`.
        """
        often = [each for each in self.matches if each.applies >= APPLIES]
        most = max(each.gain for each in often)
        return min((each for each in often if each.gain > most - CLOSE), key=lambda each: each.even)

    @property
    def role(self) -> str:
        """The job that the head does, or `none`."""
        return self.best.job if self.best.gain >= LEAST else NONE

    def match(self, job: str) -> Match:
        """Returns how well the head does that job.

        Raises:
            ConfigError: no head of this attention could do it; the message gives the nearest job.
        """
        known = {each.job: each for each in self.matches}
        if job not in known:
            where = f"{self.at}, head {self.head}"
            raise ConfigError(f"no job {job!r}", where=where, mend=nearest(job, known))
        return known[job]

    def as_dict(self) -> dict[str, Any]:
        """Returns the row, its role and its best job as plain values; what is no number is None."""
        found = {"role": self.role, "best": self.best.job, "gain": self.best.gain}
        plain = asdict(self) | found
        return {key: _plain(value) for key, value in plain.items()}


@dataclass(frozen=True)
class HeadTable:
    """What is known of every head of a model.

    Args:
        rows: one a head, in the network's order.
        queries: by attention, how many queries were looked at.
        ablated: how heads were ablated: `zero`, `mean` or `resample`; empty: not at all.
    """

    rows: tuple[HeadRow, ...]
    queries: dict[str, int]
    ablated: str = ""

    def __iter__(self) -> Iterator[HeadRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        """Counts the heads."""
        return len(self.rows)

    def __getitem__(self, key: tuple[str, int]) -> HeadRow:
        """Returns the row of an attention's head.

        Raises:
            ConfigError: there is no such attention, or no such head of it.
        """
        known = {(row.at, row.head): row for row in self.rows}
        if key not in known:
            mend = nearest(key[0], {row.at for row in self.rows}) if self.rows else ""
            raise ConfigError("no such head", where=f"{key[0]}, head {key[1]}", mend=mend)
        return known[key]

    def sorted(self, by: str = "importance", *, rising: bool = False) -> HeadTable:
        """Orders the rows by one of their figures, largest first unless `rising`.

        Args:
            by: `importance`, `entropy`, `relative_entropy`, `confidence`, `gain` or `change`.
            rising: whether the smallest comes first. The head whose ablation does most harm to a
                metric of which more is better is the first by `change`, rising.

        Raises:
            ConfigError: there is no such figure, or the heads were not ablated.
        """
        figures = {
            "importance": lambda row: row.importance,
            "entropy": lambda row: row.entropy,
            "relative_entropy": lambda row: row.relative_entropy,
            "confidence": lambda row: row.confidence,
            "gain": lambda row: row.best.gain,
            "change": lambda row: row.change.value,
        }
        if by not in figures:
            raise ConfigError("no such figure", where=by, mend=nearest(by, figures))
        if by == "change" and not self.ablated:
            raise ConfigError("the heads were not ablated", where=by, mend="Ask for ablations")
        rows = sorted(self.rows, key=figures[by], reverse=not rising)
        return HeadTable(tuple(rows), self.queries, self.ablated)

    def as_dicts(self) -> list[dict[str, Any]]:
        """Returns the rows as plain values, ready for JSON."""
        return [row.as_dict() for row in self.rows]

    def __str__(self) -> str:
        heads = [f"{row.at} {row.head}" for row in self.rows]
        width = max(map(len, ["head", *heads]))
        title = ("match", "even", "weighted", "entropy", "conf", "import")
        lines = [f"{'head':<{width}}  {'role (best)':<17}" + "".join(f"{t:>9}" for t in title)]
        for name, row in zip(heads, self.rows, strict=True):
            best = row.best
            figures = (best.match, best.even, best.weighted, row.entropy, row.confidence)
            shown = "".join(f"{value:>9.3f}" for value in figures) + f"{row.importance:>9.2g}"
            role = best.job if row.role != NONE else f"{NONE} ({best.job})"
            lines.append(f"{name:<{width}}  {role:<17}{shown}{_shown(row.change)}")
        return "\n".join(lines)


def _shown(change: Change | None) -> str:
    if change is None:
        return ""
    return f"  {change.metric} {change.value:+.4f} ({change.low:+.4f} to {change.high:+.4f})"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value

"""The contest: everybody sets up, then each takes one window a round, turn by turn.

What slows the machine for a while, other work or heat, then meets all of them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from peers.contestant import Answer, ContestantError
from peers.install import InstallError


class Runs(Protocol):
    """What a contest needs of a contestant."""

    facts: Answer

    def window(self, number: int) -> Answer:
        """Works a window."""

    def close(self) -> None:
        """Ends."""


@dataclass(frozen=True)
class Entry:
    """One line of the table to be: a toolkit with a set of options.

    Args:
        toolkit: its name in the catalogue.
        runner: the module of `peers.runners` that runs it.
        precision: what it computes in.
        options: what else its runner is told.
        refusal: why it cannot take part, where that is known beforehand; empty where it can.
    """

    toolkit: str
    runner: str
    precision: str = "float32"
    options: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""

    @property
    def name(self) -> str:
        """How it is called: toolkit, precision, options."""
        options = (f"{key}={value}" for key, value in self.options.items())
        return ", ".join([self.toolkit, self.precision, *options])


@dataclass
class Outcome:
    """What came of an entry.

    Args:
        entry: the entry.
        facts: what it said when it was ready.
        windows: its answers, one a round.
        error: why it has no more of them; empty where nothing went wrong.
    """

    entry: Entry
    facts: Answer = field(default_factory=dict)
    windows: list[Answer] = field(default_factory=list)
    error: str = ""


def hold(
    entries: Sequence[Entry],
    rounds: int,
    enter: Callable[[Entry], Runs],
    tell: Callable[[str], object] = print,
) -> list[Outcome]:
    """Lets all entries work in turn.

    Args:
        entries: who takes part.
        rounds: windows of each.
        enter: starts an entry's process and waits until it is ready.
        tell: is told what happens.

    Returns:
        An outcome for each entry, in order. One that fails is out of the later rounds and keeps the
        reason; the others go on.
    """
    outcomes = [Outcome(entry) for entry in entries]
    running: dict[int, Runs] = {}
    try:
        for place, outcome in enumerate(outcomes):
            begun = _enter(outcome, enter, tell)
            if begun is not None:
                running[place] = begun
        for number in range(rounds):
            for place in list(running):
                outcome = outcomes[place]
                if not _take_turn(outcome, running[place], number, tell):
                    running.pop(place).close()
    finally:
        for contestant in running.values():
            contestant.close()
    return outcomes


def _enter(
    outcome: Outcome, enter: Callable[[Entry], Runs], tell: Callable[[str], object]
) -> Runs | None:
    name = outcome.entry.name
    try:
        if outcome.entry.refusal:
            raise ContestantError(outcome.entry.refusal)
        begun = enter(outcome.entry)
    except (ContestantError, InstallError) as error:
        outcome.error = str(error)
        tell(f"{name}: {error}")
        return None
    outcome.facts = begun.facts
    tell(f"{name}: ready")
    return begun


def _take_turn(
    outcome: Outcome, contestant: Runs, number: int, tell: Callable[[str], object]
) -> bool:
    name = outcome.entry.name
    try:
        answer = contestant.window(number)
    except ContestantError as error:
        outcome.error = str(error)
        tell(f"{name}: {error}")
        return False
    outcome.windows.append(answer)
    rate = answer["amount"] / answer["seconds"]
    tell(f"{name}: window {number + 1}, {rate:.1f} a second")
    return True

"""One toolkit's process: started once, asked for a window each time its turn comes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers.install import last_line

Answer = dict[str, Any]


class ContestantError(Exception):
    """A toolkit's process died or kept silent; says with which last words."""


@dataclass(frozen=True)
class Start:
    """How a process is started.

    Args:
        command: the command, job included.
        log: the file that takes what it prints to standard error.
        environment: its variables.
        patience: seconds that one answer may take.
    """

    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    patience: float = 3600.0


class Contestant:
    """A running process that speaks `peers.runners.serve`'s protocol.

    Args:
        start: how to start it.

    Raises:
        ContestantError: it did not come to be ready.
    """

    def __init__(self, start: Start) -> None:
        self.start = start
        start.log.parent.mkdir(parents=True, exist_ok=True)
        with start.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                start.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=dict(start.environment),
                text=True,
            )
        self.facts = self._answer()

    def window(self, number: int) -> Answer:
        """Asks for a window and waits for it.

        Raises:
            ContestantError: no answer came.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{number}\n")
            self.process.stdin.flush()
        except OSError as error:
            raise self._died() from error
        return self._answer()

    def close(self) -> None:
        """Ends the process, whatever state it is in."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with contextlib.suppress(OSError):  # it may be gone already
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _answer(self) -> Answer:
        assert self.process.stdout is not None
        watch = threading.Timer(self.start.patience, self.process.kill)
        watch.start()
        line = self.process.stdout.readline()
        late = not watch.is_alive()
        watch.cancel()
        if not line:
            raise self._died(late)
        answer: Answer = json.loads(line)
        return answer

    def _died(self, late: bool = False) -> ContestantError:
        self.close()
        if late:
            return ContestantError(f"no answer within {self.start.patience:g} s")
        words = last_line(self.start.log.read_text(encoding="utf-8", errors="replace"))
        return ContestantError(f"ended with {self.process.returncode}: {words}")

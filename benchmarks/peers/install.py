"""An environment of its own for each toolkit, so that none decides on the versions of another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from peers.catalogue import Toolkit

STAMP = "installed.json"
"""Written last, so that an interrupted installation is begun anew."""

Run = Callable[[list[str]], None]


class InstallError(Exception):
    """A toolkit could not be installed; says with which words of pip."""


@dataclass(frozen=True)
class Environments:
    """The folder of the environments.

    Args:
        folder: where they stand, one folder a toolkit.
        index: one more package index for pip; empty for none.
    """

    folder: Path
    index: str = ""

    def python(self, toolkit: Toolkit, run: Run | None = None) -> Path:
        """Installs a toolkit unless it stands, and returns the Python that has it.

        Args:
            toolkit: which one; without requirements it is the Python that asks.
            run: carries out a command.

        Raises:
            InstallError: a command failed.
        """
        if not toolkit.requirements:
            return Path(sys.executable)
        run = run or _run
        home = self.folder / toolkit.name
        python = home / "bin" / "python"
        wanted = {"packages": [*toolkit.requirements, *self._pins], "removed": [*toolkit.removed]}
        stamp = home / STAMP
        if stamp.exists() and json.loads(stamp.read_text(encoding="utf-8")) == wanted:
            return python
        self.folder.mkdir(parents=True, exist_ok=True)
        run([sys.executable, "-m", "venv", "--clear", str(home)])
        pins = home / "pins.txt"
        home.mkdir(exist_ok=True)
        pins.write_text("\n".join(self._pins) + "\n", encoding="utf-8")
        index = ["--extra-index-url", self.index] if self.index else []
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        run([*pip, "install", "-c", str(pins), *index, *toolkit.requirements])
        if toolkit.removed:
            run([*pip, "uninstall", "-y", *toolkit.removed])
        stamp.write_text(json.dumps(wanted), encoding="utf-8")
        return python

    @property
    def _pins(self) -> list[str]:
        """The torch that runs here is every toolkit's: another one would be another contest."""
        return [f"torch=={version('torch').partition('+')[0]}"]


def last_line(text: str) -> str:
    """Returns the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=clean_environment()
    )
    if done.returncode:
        raise InstallError(last_line(done.stderr or done.stdout))


def clean_environment() -> dict[str, str]:
    """Returns the variables of this process without those that point at its own packages."""
    ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    return {name: value for name, value in os.environ.items() if name not in ours}

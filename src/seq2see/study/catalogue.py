"""All studies by name, and those that people write themselves."""

from __future__ import annotations

import runpy
from importlib import import_module
from pathlib import Path

from seq2see.config import nearest
from seq2see.errors import ConfigError
from seq2see.study.plan import Study

NAMES = (
    "far", "bottleneck", "raw", "scale", "twins", "heads", "functions", "survive", "alignment",
    "prune", "feedforward", "norm", "warmup", "positions", "explanation", "recall",
)  # fmt: skip
"""In the order of a lecture; each is a module of `seq2see.study.lecture`."""


OWN = ":own"
"""Behind a reference: the study on a person's own data, see `Study.on_own_data`."""


def find(reference: str) -> Study:
    """Returns a study by its name, or out of a Python file that holds it as `STUDY`.

    The file is run, because the person named it.

    Args:
        reference: the name or the file; with `OWN` behind it the study is that on own data.

    Raises:
        ConfigError: there is no such study; the nearest name is given. Or the file holds none.
    """
    if reference.endswith(OWN):
        return find(reference.removesuffix(OWN)).on_own_data()
    if reference.endswith(".py"):
        if not Path(reference).is_file():
            raise ConfigError("no such file", where=reference)
        found = runpy.run_path(reference).get("STUDY")
    elif reference in NAMES:
        found = import_module(f"seq2see.study.lecture.{reference}").STUDY
    else:
        mend = f"{nearest(reference, NAMES)}; or name a Python file that defines STUDY"
        raise ConfigError("no study of that name", where=reference, mend=mend)
    if not isinstance(found, Study):
        raise ConfigError(
            "holds no study",
            where=reference,
            mend="Define STUDY = seq2see.study.plan.Study(...) in it",
        )
    return found

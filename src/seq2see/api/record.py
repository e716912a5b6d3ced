"""The files of a comparison: what was asked, what came out, and every output."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seq2see import files
from seq2see.api.standings import Contrast, Trial, stand
from seq2see.errors import BundleError, ConfigError
from seq2see.files import read_lines

NAME = "comparison.json"


@dataclass(frozen=True)
class Record:
    """The file that says what was compared and what came out; written whole or not at all.

    Args:
        out: the folder of the comparison.
        head: what was asked for.
        training: all that decides how a run is trained; runs of one folder agree in it.
    """

    out: Path
    head: dict[str, Any]
    training: dict[str, Any]

    @property
    def path(self) -> Path:
        """Where the record stands."""
        return self.out / NAME

    def check(self) -> None:
        """Makes sure that the runs in the folder, if any, belong to this comparison.

        Raises:
            ConfigError: the folder holds something else, or runs of other data or settings.
        """
        if not self.out.exists() or (self.out.is_dir() and not any(self.out.iterdir())):
            return
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))["training"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                "exists and holds no comparison",
                where=str(self.out),
                mend="Choose another folder with --out",
            ) from error
        if found != json.loads(json.dumps(self.training)):
            raise ConfigError(
                "holds a comparison with other training data, minutes or settings",
                where=str(self.out),
                mend=f"Choose another folder with --out, or remove {self.out}",
            )

    def write(self, trials: Sequence[Trial], contrasts: Sequence[Contrast] = ()) -> None:
        """Replaces the file.

        Raises:
            BundleError: the disk is full or the folder cannot be written.
        """
        write_text(self.path, json.dumps(self.content(trials, contrasts), indent=1) + "\n")

    def content(
        self, trials: Sequence[Trial], contrasts: Sequence[Contrast] = ()
    ) -> dict[str, Any]:
        """Returns what the file holds; outputs stand in files of their own, which it names."""
        runs = [{**asdict(t), "outputs": f"{t.name}/outputs.jsonl"} for t in trials]
        table = [asdict(standing) for standing in stand(trials)]
        pairs = [asdict(one) for one in contrasts]
        rest = {"runs": runs, "table": table, "contrasts": pairs, "training": self.training}
        return {**self.head, **rest}


def tokens_per_second(journal: Path) -> float:
    r"""Averages the speed of a run's updates over its journal; validations do not count.

    Every record has nearly the same number of target tokens a step, so that
    $n / \sum_i (n_i / v_i)$ is tokens over seconds, with $n_i$ steps at speed $v_i$ in record i.
    """
    steps = before = 0
    time = 0.0
    for row in read_lines(journal):
        if row["kind"] == "train":
            time += (row["step"] - before) / row["tokens_per_second"]
            steps = before = row["step"]
    return steps / time if time else 0.0


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes JSON lines; raises as `write_text`."""
    write_text(path, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_text(path: Path, text: str | Iterable[str]) -> None:
    """Replaces a file by a new one, whole or not at all.

    Raises:
        BundleError: the disk is full or the folder cannot be written.
    """
    with files.refusing(BundleError, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(path, text)

"""The training folder inside a bundle: all that `--resume` needs, so that nothing is read anew."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

import tomli_w

from seq2see.bundle import reading
from seq2see.bundle.reading import SIDES, SUMS, check_sums, sums
from seq2see.data.pairs import Pair
from seq2see.data.store import Store, Tokenizers
from seq2see.errors import BEGIN_ANEW, BundleError, ConfigError, TrainingError
from seq2see.files import refusing, sync, write_text
from seq2see.recipe.sections import Recipe

_DEV = "dev.jsonl"
TEXTS = (*SIDES, _DEV, "recipe.toml")
INDEX = ("store/source.offsets.npy", "store/target.offsets.npy", "store/lines.npy")
LINKS = "store/links.offsets.npy"
"""What stands under checksums. The ids are too many to be read at every start: `Store.open` holds
their number against the offsets."""

_MILESTONES = "milestones"


@dataclass(frozen=True)
class TrainingFolder:
    """Paths and files of one run.

    Args:
        bundle: the folder the finished model goes to.
    """

    bundle: Path

    @property
    def root(self) -> Path:
        """Where the files of the run stand."""
        return self.bundle / "training"

    @property
    def state(self) -> Path:
        """The checkpoint."""
        return self.root / "state"

    @property
    def start(self) -> Path:
        """The model that the run goes on from, where it goes on from one."""
        return self.root / "start"

    @property
    def milestones(self) -> dict[int, Path]:
        """The models kept at milestones, by the updates behind them, fewest first."""
        found = (self.root / _MILESTONES).glob("*")
        return dict(sorted((int(each.name), each) for each in found if each.name.isdecimal()))

    def milestone(self, step: int) -> Path:
        """Where the model is kept as it is after that many updates."""
        return self.root / _MILESTONES / str(step)

    @property
    def journal(self) -> Path:
        """Losses and validations as JSON lines."""
        return self.root / "metrics.jsonl"

    @property
    def begun(self) -> bool:
        """Whether a run has been set up here."""
        return all((self.root / name).is_file() for name in ("recipe.toml", SUMS))

    @property
    def has_dev(self) -> bool:
        """Whether the pairs that judge the run are here."""
        return (self.root / _DEV).is_file()

    def dev(self) -> list[Pair]:
        """Reads the pairs that judge the run."""
        rows = (self.root / _DEV).read_text(encoding="utf-8").split("\n")
        return [_pair(json.loads(row)) for row in rows if row]

    def clear(self) -> None:
        """Removes an earlier run."""
        try:
            # First of all, so that a run half removed is none.
            (self.root / SUMS).unlink(missing_ok=True)
            shutil.rmtree(self.root, ignore_errors=True)
            self.root.mkdir(parents=True)
        except OSError as error:
            raise ConfigError(
                f"no folder can be made here ({error})",
                where=str(self.bundle),
                mend="Choose another folder with --out",
            ) from error

    def write(self, recipe: Recipe, tokenizers: Tokenizers, dev: list[Pair]) -> None:
        """Keeps what was resolved, beside the store.

        The checksums come last, when all else is on the disk, so that half a folder is not a run.

        Raises:
            TrainingError: the disk is full or the folder cannot be written.
        """
        texts = {
            SIDES[0]: tokenizers.source.to_json(),
            SIDES[1]: tokenizers.target.to_json(),
            _DEV: "".join(json.dumps(asdict(p), ensure_ascii=False) + "\n" for p in dev),
            "recipe.toml": tomli_w.dumps(recipe.as_tree()),
        }
        with refusing(TrainingError, self.root):
            for name, text in texts.items():
                write_text(self.root / name, text)
            sync(self.root)
            # The texts, which every run has, stand at the end: a truncated list lacks one of them.
            links = [LINKS] if (self.root / LINKS).exists() else []
            write_text(self.root / SUMS, sums(self.root, (*INDEX, *links, *TEXTS)))
            sync(self.root)

    def read(self) -> tuple[Recipe, Tokenizers, list[Pair], Store]:
        """Reads what `write` kept.

        Raises:
            BundleError: a file is missing or damaged; begin another run.
        """
        check_sums(self.root, TEXTS)
        try:
            listed = (self.root / SUMS).read_text(encoding="utf-8")
            # Runs begun before the index stood under checksums list the texts alone.
            check_sums(self.root, [name for name in (*INDEX, LINKS) if f"  {name}\n" in listed])
            text = (self.root / "recipe.toml").read_text(encoding="utf-8")
            recipe = Recipe.from_tree(tomllib.loads(text))
            tokenizers = reading.tokenizers(self.root)
            return recipe, tokenizers, self.dev(), Store.open(self.root / "store")
        except (OSError, EOFError, ValueError, KeyError, TypeError, ConfigError) as error:
            raise BundleError(
                f"the run cannot be resumed ({error})",
                where=str(self.root),
                mend=BEGIN_ANEW,
            ) from error


def _pair(record: dict[str, object]) -> Pair:
    return Pair(**{**record, "features": tuple(record["features"])})  # type: ignore[arg-type]

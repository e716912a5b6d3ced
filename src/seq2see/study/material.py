"""The pairs of a study: drawn from a synthetic task, or taken out of a person's own file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from seq2see.api.record import write_lines, write_text
from seq2see.data.links import Link, write_pharaoh
from seq2see.data.pairs import Columns
from seq2see.data.rows import Pair
from seq2see.data.synthetic import Linked, draw
from seq2see.errors import ConfigError, DataError
from seq2see.recipe.intake import strict_pairs

LINKS = "{links}"
"""Stands in a setting for the file of the links of the training pairs."""

_APART = 1_000_003
"""Seeds of training, held-out and test pairs lie this far apart."""


@dataclass(frozen=True)
class Material:
    """Where the pairs of a study come from: a synthetic task, unless the person gives a data file.

    Args:
        task: name of the task, see `seq2see.data.synthetic.TASKS`.
        train: pairs to train on.
        dev: held-out pairs by which the best weights are chosen.
        test: pairs that are measured.
        sizes: of the task, in training and testing.
        test_sizes: changes to them in testing alone, to see how far a model reaches.
    """

    task: str
    train: int = 2000
    dev: int = 200
    test: int = 300
    sizes: Mapping[str, Any] = field(default_factory=dict)
    test_sizes: Mapping[str, Any] = field(default_factory=dict)

    def sized(self, changes: Mapping[str, Any]) -> Material:
        """Returns the material with the sizes of a condition.

        Args:
            changes: by name: `task` is another task, `train` how many pairs are trained on; a name
                that begins with `test_` changes a size in testing alone; any other is a size of the
                task.
        """
        tested = {k.removeprefix("test_"): v for k, v in changes.items() if k.startswith("test_")}
        own = ("task", "train")
        drawn = {k: v for k, v in changes.items() if k not in own and not k.startswith("test_")}
        return Material(
            str(changes.get("task", self.task)),
            int(changes.get("train", self.train)),
            self.dev,
            self.test,
            {**self.sizes, **drawn},
            {**self.test_sizes, **tested},
        )


@dataclass(frozen=True)
class Supply:
    """What one model is trained and measured on.

    Args:
        train: file of the training pairs.
        dev: file of the held-out pairs.
        test: pairs to measure.
        links: the links of each test pair; empty where they are not known.
        train_links: file of the links of the training pairs; empty where they are not known.
    """

    train: str
    dev: str
    test: tuple[Pair, ...]
    links: tuple[tuple[Link, ...], ...]
    train_links: str = ""


def supply(
    material: Material,
    changes: Mapping[str, Any],
    seed: int,
    own: tuple[str, str] | None,
    place: Path,
) -> Supply:
    """Draws the pairs of one model and writes what it is trained on.

    Args:
        material: of the study.
        changes: sizes of the condition.
        seed: of the draw; each seed has pairs of its own.
        own: data file and held-out file that take the task's place.
        place: the files' path without their endings.

    Raises:
        ConfigError: a size is not possible, or own data are given and the study varies the task.
        DataError: a file cannot be read, or has too few held-out pairs to be parted.
    """
    sized = material.sized(changes)
    if own is not None:
        return _taken(sized, changes, seed, own, place)
    sizes = dict(sized.sizes)
    train = draw(sized.task, sized.train, seed, **sizes)
    dev = draw(sized.task, sized.dev, seed + _APART, **sizes)
    test = draw(sized.task, sized.test, seed + 2 * _APART, **sizes | dict(sized.test_sizes))
    files = [_written(place, part, _pairs(one)) for part, one in (("train", train), ("dev", dev))]
    known = place.with_name(f"{place.name}.links")
    write_text(known, "".join(f"{write_pharaoh(one.links)}\n" for one in train))
    return Supply(
        files[0], files[1], tuple(_pairs(test)), tuple(one.links for one in test), str(known)
    )


def _taken(
    material: Material, changes: Mapping[str, Any], seed: int, own: tuple[str, str], place: Path
) -> Supply:
    """Takes as many pairs of a file as the material has, by the seed's draw.

    Held-out pairs are parted as the material parts them, into those that choose and those measured.
    """
    if set(changes) - {"train"}:
        raise ConfigError(
            f"this study varies {', '.join(sorted(set(changes) - {'train'}))} of a synthetic task",
            where="--data",
            mend="Leave --data out",
        )
    every, held = (strict_pairs(path, Columns.parse("source=1,target=2")) for path in own)
    rng = np.random.default_rng(seed)
    train = [every[i] for i in sorted(rng.permutation(len(every))[: material.train])]
    wanted = material.dev + material.test
    test = [held[i] for i in sorted(rng.permutation(len(held))[:wanted])]
    # A file with fewer pairs is shared out alike, so that some are left to be measured.
    count = max(1, len(test) * material.dev // wanted)
    if len(test) <= count:
        raise DataError(
            "too few held-out pairs",
            expected="at least two: some choose the weights, the others are measured",
            where=own[1],
        )
    dev, rest = test[:count], test[count:]
    return Supply(_written(place, "train", train), _written(place, "dev", dev), tuple(rest), ())


def _pairs(drawn: Sequence[Linked]) -> list[Pair]:
    return [one.pair for one in drawn]


def _written(place: Path, part: str, pairs: Iterable[Pair]) -> str:
    path = place.with_name(f"{place.name}.{part}.jsonl")
    rows = [{"source": p.source, "target": p.target, "features": list(p.features)} for p in pairs]
    write_lines(path, rows)
    return str(path)

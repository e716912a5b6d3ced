"""The training state on disk: whole or not there at all, whenever the process dies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from seq2see.errors import BEGIN_ANEW, BundleError, TrainingError
from seq2see.files import digest, sync, write_text

TENSORS, FACTS = "state.safetensors", "state.json"
_SUM = "sha256"


def save(folder: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Replaces the state in `folder` by a new one, atomically.

    The new state is written beside the old one and synced to disk; then the two change places. A
    reader finds the old state or the new one, never half of either.

    Raises:
        TrainingError: the disk is full or the folder cannot be written; the old state stands.
    """
    fresh, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        save_file({k: v.contiguous() for k, v in tensors.items()}, fresh / TENSORS)
        for path in (fresh / TENSORS, fresh):
            sync(path)
        # The facts come last and whole: where they stand, the tensors stand too.
        write_text(fresh / FACTS, json.dumps({**facts, _SUM: digest(fresh / TENSORS)}))
        sync(fresh)
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        sync(folder.parent)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"the training state cannot be saved ({error})",
            where=str(folder),
            mend="Free space or choose another folder, then continue with --resume",
        ) from error


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Returns the newest whole state in `folder`; None where there is none.

    Raises:
        BundleError: the state is damaged; begin another run.
    """
    candidate = _whole(folder)
    if candidate is None:
        return None
    try:
        facts = json.loads((candidate / FACTS).read_text(encoding="utf-8"))
        tensors = load_file(candidate / TENSORS)
        # States saved before the checksum was kept have none.
        if facts.pop(_SUM, None) not in (None, digest(candidate / TENSORS)):
            raise ValueError(f"the checksum of {TENSORS} differs")
        return tensors, facts
    except (OSError, ValueError, SafetensorError) as error:
        raise BundleError(
            f"the training state is damaged ({error})",
            where=str(candidate),
            mend=BEGIN_ANEW,
        ) from error


def stands(folder: Path) -> bool:
    """Tells whether there is a whole state in `folder`."""
    return _whole(folder) is not None


def _whole(folder: Path) -> Path | None:
    # A process killed between the two renames of `save` leaves the new state under its own name.
    names = (folder.name, f"{folder.name}.new", f"{folder.name}.old")
    for candidate in map(folder.with_name, names):
        if (candidate / FACTS).exists() and (candidate / TENSORS).exists():
            return candidate
    return None

"""A shortlist in a file: two tables of token ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from seq2see.bundle.reading import RESTORE
from seq2see.data.lexicon import Ids
from seq2see.data.shortlist import Shortlist
from seq2see.data.store import Tokenizers
from seq2see.data.tokenizers import SPECIALS
from seq2see.errors import BundleError


def save_shortlist(shortlist: Shortlist, path: Path) -> None:
    """Writes a shortlist."""
    tables = {"frequent": shortlist.frequent, "likely": shortlist.likely}
    save_file({name: table.astype(np.int32) for name, table in tables.items()}, path)


def load_shortlist(path: Path, tokenizers: Tokenizers) -> Shortlist:
    """Reads a shortlist.

    Args:
        path: of the file.
        tokenizers: whose ids it has to hold.

    Raises:
        BundleError: the file is damaged or foreign, or made for other vocabularies.
    """
    sizes = (tokenizers.source.size, tokenizers.target.size)
    marks = np.arange(len(SPECIALS) + tokenizers.target.layout.copies)
    try:
        found = load_file(path)
        frequent, likely = (_ids(found[name], sizes[1]) for name in ("frequent", "likely"))
        if frequent.ndim != 1 or likely.shape[:1] != sizes[:1] or likely.ndim != 2:
            raise ValueError(f"tables of shapes {list(frequent.shape)} and {list(likely.shape)}")
        if not np.array_equal(frequent[: len(marks)], marks) or (np.diff(frequent) <= 0).any():
            raise ValueError("frequent ids that do not begin with the marks, or do not ascend")
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise BundleError(
            f"damaged or foreign ({error})",
            expected=f"ids below {sizes[1]:,}, a row for each of {sizes[0]:,} source tokens",
            where=str(path),
            mend=RESTORE,
        ) from error
    return Shortlist(frequent, likely)


def _ids(table: np.ndarray, size: int) -> Ids:
    if table.dtype != np.int32 or table.min(initial=0) < 0 or table.max(initial=0) >= size:
        raise ValueError(f"{table.dtype} numbers from {table.min()} to {table.max()}")
    return table.astype(np.int64)

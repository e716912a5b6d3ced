"""A bundle's shortlist is opened with it, and refused where it does not fit."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from test_folder import bundle

from seq2see.bundle.folder import SHORTLIST, SUMS, is_begun, load
from seq2see.data.shortlist import Shortlist
from seq2see.errors import BundleError
from seq2see.files import FRESH, READY

SOURCE = TARGET = bundle().tokenizers.source.size


def lists() -> Shortlist:
    return Shortlist(np.array([*range(6), 8]), np.arange(2 * SOURCE).reshape(SOURCE, 2) % TARGET)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    replace(bundle(), shortlist=lists()).save(tmp_path / "model")
    return tmp_path / "model"


def test_what_is_saved_is_what_is_opened(saved: Path) -> None:
    found = load(saved).shortlist
    assert found is not None
    assert np.array_equal(found.frequent, lists().frequent)
    assert np.array_equal(found.likely, lists().likely)
    assert found.likely.dtype == lists().likely.dtype


def test_a_model_without_one_opens_without_one(saved: Path) -> None:
    bundle().save(saved)  # over the other, whose list stays on the disk
    assert (saved / SHORTLIST).is_file()
    assert load(saved).shortlist is None


@pytest.mark.parametrize("damage", [b"", b"no tables"])
def test_a_damaged_or_missing_file_is_named(saved: Path, damage: bytes) -> None:
    (saved / SHORTLIST).write_bytes(damage)
    with pytest.raises(BundleError, match=f"{SHORTLIST}.*checksum differs"):
        load(saved)
    (saved / SHORTLIST).unlink()
    with pytest.raises(BundleError, match=f"{SHORTLIST}.*missing"):
        load(saved)


FOREIGN = {
    "a table less": {"frequent": np.zeros(3, np.int32)},
    "other rows": {"frequent": np.zeros(3, np.int32), "likely": np.zeros((2, 3), np.int32)},
    "another shape": {"frequent": np.zeros((3, 1), np.int32), "likely": np.zeros((2, 3), np.int32)},
    "fractions": {"frequent": np.zeros(3), "likely": np.zeros((SOURCE, 1), np.int32)},
    "ids beyond": {
        "frequent": np.array([TARGET], np.int32),
        "likely": np.zeros((SOURCE, 1), np.int32),
    },
    "marks that are missing": {
        "frequent": np.array([0, 1, 2, 3, 8], np.int32),
        "likely": np.zeros((SOURCE, 1), np.int32),
    },
    "an id twice": {
        "frequent": np.array([*range(6), 8, 8], np.int32),
        "likely": np.zeros((SOURCE, 1), np.int32),
    },
    "ids below 0": {
        "frequent": np.array([-1], np.int32),
        "likely": np.zeros((SOURCE, 1), np.int32),
    },
}


@pytest.mark.parametrize("tables", FOREIGN.values(), ids=FOREIGN)
def test_tables_of_other_vocabularies_are_refused(
    saved: Path, tables: dict[str, np.ndarray]
) -> None:
    before = sha256((saved / SHORTLIST).read_bytes()).hexdigest()
    save_file(tables, saved / SHORTLIST)
    after = sha256((saved / SHORTLIST).read_bytes()).hexdigest()
    sums = (saved / SUMS).read_text()
    (saved / SUMS).write_text(sums.replace(before, after))
    with pytest.raises(BundleError, match=f"{SHORTLIST}: damaged or foreign"):
        load(saved)


def test_one_that_a_death_left_unmoved_is_opened(saved: Path) -> None:
    (saved / READY).mkdir()
    for path in [path for path in saved.iterdir() if path.is_file()]:
        path.rename(saved / READY / path.name)
    assert load(saved).shortlist is not None


def test_a_first_save_that_was_interrupted_is_begun(tmp_path: Path) -> None:
    (tmp_path / FRESH).mkdir()
    (tmp_path / FRESH / SHORTLIST).write_bytes(b"")
    assert is_begun(tmp_path)

"""The training folder: what a resumed run needs, whole or refused."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures import TINY, easy, write_tsv
from seq2see.bundle.reading import SUMS
from seq2see.data.pairs import Pair
from seq2see.errors import BundleError, ConfigError, TrainingError
from seq2see.recipe.draft import draft
from seq2see.recipe.folder import TEXTS, TrainingFolder
from seq2see.recipe.run import Run, set_up, take_up

FILES = ["recipe.toml", "source.json", "target.json", "dev.jsonl", "store/lines.npy",
         "store/source.ids", "store/target.ids", "store/source.offsets.npy",
         "store/target.offsets.npy"]  # fmt: skip


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("begun")
    pairs = (Pair(p.source, p.target, ("N", "Å\u2028x")) for p in easy())
    data = write_tsv(folder / "pairs.tsv", pairs)
    columns = "data.columns=source=1,target=2,features=3"
    return set_up(draft(None, [*TINY, f"data.train={data}", columns]), folder / "model")


@pytest.mark.parametrize("name", [name for name in FILES if name != "recipe.toml"])
def test_a_missing_file_of_the_run_is_refused(begun: Run, tmp_path: Path, name: str) -> None:
    out = shutil.copytree(begun.folder.bundle, tmp_path / "model")
    (out / "training" / name).unlink()
    with pytest.raises(BundleError) as caught:
        take_up(out)
    assert str(out / "training") in caught.value.where


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_of_the_run_is_refused(
    begun: Run, tmp_path: Path, name: str, share: float
) -> None:
    out = shutil.copytree(begun.folder.bundle, tmp_path / "model")
    path = out / "training" / name
    whole = path.read_bytes()
    cut = int(len(whole) * share)
    if name in ("dev.jsonl", "recipe.toml"):  # between two lines, where what is left makes sense
        cut = whole.rfind(b"\n", 0, cut) + 1
    path.write_bytes(whole[: cut // 4 * 4 if name.endswith(".ids") else cut])
    with pytest.raises(BundleError):
        take_up(out)


def test_what_is_set_up_is_what_is_taken_up(begun: Run) -> None:
    again = take_up(begun.folder.bundle)
    assert (again.recipe, again.dev, again.folder) == (begun.recipe, begun.dev, begun.folder)
    assert again.dev[0].features == ("N", "Å\u2028x")
    assert (again.reasons, again.notes) == ((), ())
    sample = begun.dev[:5]
    assert again.tokenizers.sources(sample) == begun.tokenizers.sources(sample)
    rows = range(len(begun.store))
    assert all((again.store.source[i] == begun.store.source[i]).all() for i in rows)


def test_a_half_written_run_is_none(begun: Run, tmp_path: Path) -> None:
    out = shutil.copytree(begun.folder.bundle, tmp_path / "model")
    folder = TrainingFolder(out)
    assert folder.begun
    (folder.root / "recipe.toml").unlink()
    assert not folder.begun


def test_clearing_removes_an_earlier_run_alone(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    folder.clear()
    (folder.root / "state").mkdir()
    (tmp_path / "card.md").write_text("mine", encoding="utf-8")
    folder.clear()
    assert list(folder.root.iterdir()) == []
    assert (tmp_path / "card.md").is_file()


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(".ids")])
def test_a_changed_byte_is_refused_by_name(begun: Run, tmp_path: Path, name: str) -> None:
    out = shutil.copytree(begun.folder.bundle, tmp_path / "model")
    path = out / "training" / name
    content = path.read_bytes()
    path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    with pytest.raises(BundleError, match="checksum") as caught:
        take_up(out)
    assert caught.value.where == str(path)


def test_a_truncated_list_of_checksums_is_refused(begun: Run, tmp_path: Path) -> None:
    out = shutil.copytree(begun.folder.bundle, tmp_path / "model")
    path = out / "training" / SUMS
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(lines) == 7
    for end in range(len(lines)):
        path.write_text("".join(lines[:end]), encoding="utf-8")
        with pytest.raises(BundleError, match="checksum"):
            take_up(out)


def test_a_run_whose_index_is_not_listed_goes_on(begun: Run, tmp_path: Path) -> None:
    out = shutil.copytree(begun.folder.bundle, tmp_path / "model")
    path = out / "training" / SUMS
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "store/" not in line), encoding="utf-8")
    assert take_up(out).recipe == begun.recipe


class KilledError(BaseException):
    """Stands for SIGKILL: no `except` of the module catches it."""


def test_killed_at_any_point_a_run_is_whole_or_none(
    begun: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 0

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError
            return real(*args, **kwargs)

        return call

    folder = TrainingFolder(shutil.copytree(begun.folder.bundle, tmp_path / "model"))
    steps, seen, finished = 0, set(), False
    while not finished:
        (folder.root / SUMS).unlink(missing_ok=True)
        left = steps
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", dying(lambda handle: None))
            for name in ("write_text", "replace"):
                patch.setattr(Path, name, dying(getattr(Path, name)))
            try:
                folder.write(begun.recipe, begun.tokenizers, begun.dev)
                finished = True
            except KilledError:
                steps += 1
        seen.add(folder.begun)
        if folder.begun:
            assert take_up(folder.bundle).dev == begun.dev
    assert steps > 15
    assert seen == {True, False}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")
def test_the_checksums_come_when_all_else_is_on_the_disk(
    begun: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = TrainingFolder(shutil.copytree(begun.folder.bundle, tmp_path / "model"))
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda handle: synced.append(Path(f"/proc/self/fd/{handle}").resolve().name)
    )
    folder.write(begun.recipe, begun.tokenizers, begun.dev)
    texts = [f"{name}.partial" for name in TEXTS]
    assert synced == [*texts, "training", f"{SUMS}.partial", "training"]


@pytest.mark.parametrize(
    ("owner", "name"), [(Path, "write_text"), (Path, "replace"), (os, "fsync")]
)
def test_a_full_disk_is_one_message(
    begun: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = TrainingFolder(tmp_path)
    folder.clear()
    monkeypatch.setattr(owner, name, full)
    with pytest.raises(TrainingError, match="No space left on device") as caught:
        folder.write(begun.recipe, begun.tokenizers, begun.dev)
    assert caught.value.where == str(folder.root)
    assert "--out" in caught.value.mend
    assert not folder.begun


def test_a_run_half_removed_is_none(
    begun: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KilledError

    folder = TrainingFolder(shutil.copytree(begun.folder.bundle, tmp_path / "model"))
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(shutil, "rmtree", die)
        folder.clear()
    assert not folder.begun


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="--out"):
        TrainingFolder(tmp_path / "file").clear()

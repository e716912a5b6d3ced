"""The training folder: what a resumed run needs, whole or refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fixtures import TINY, easy, write_tsv
from seq2see.data.pairs import Pair
from seq2see.errors import BundleError
from seq2see.recipe.draft import draft
from seq2see.recipe.folder import TrainingFolder
from seq2see.recipe.run import Run, set_up, take_up

FILES = ["recipe.toml", "source.json", "target.json", "dev.jsonl", "store/lines.npy",
         "store/source.ids", "store/target.ids", "store/source.offsets.npy"]  # fmt: skip


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

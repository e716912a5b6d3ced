"""A bundle: what is saved is what is opened, and anything else is refused by the file's name."""

from __future__ import annotations

import errno
import os
import pickle
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import torch
from safetensors.torch import load_file, save_file

from fixtures import joint
from helpers import recurrent_settings, transformer_settings
from seq2see.bundle import folder as bundle_folder
from seq2see.bundle import reading
from seq2see.bundle import weights as bundle_weights
from seq2see.bundle.folder import (
    CARD,
    GUARDED,
    RECIPE,
    SCORES,
    WEIGHTS,
    Bundle,
    is_begun,
    load,
    network_settings,
)
from seq2see.bundle.reading import SUMS
from seq2see.bundle.weights import weights
from seq2see.config import as_table
from seq2see.data.pairs import Pair
from seq2see.data.store import Tokenizers
from seq2see.errors import BundleError, ConfigError
from seq2see.files import FRESH, READY
from seq2see.nn.kept import KeptHeads
from seq2see.nn.network import Network, Sizes
from seq2see.nn.plan import HeadRole
from seq2see.nn.settings import Settings

FILES = (*GUARDED, SCORES, CARD, SUMS)
SCORE = {
    "metric": "wer",
    "value": 1.5,
    "low": 1.0,
    "high": 2,
    "sources": 7,
    "signature": "é",
    "more": "is nobody's business",
}

NETWORKS = {
    "transformer": transformer_settings(tied="all"),
    "untied": transformer_settings(tied="none"),
    "batch norm": transformer_settings(norm="batch", decoder_norm="layer"),
    "learned positions": transformer_settings(positions="learned", max_positions=9),
    "pruned": transformer_settings(
        kept=(KeptHeads("encoder.0.self", ()), KeptHeads("decoder.0.cross", (1,)))
    ),
    "one map for query and key": transformer_settings(
        tied_query_key=True, kept=(KeptHeads("encoder.0.self", (1,)),)
    ),
    "identity values, few frequencies": transformer_settings(value_projection=False, frequencies=2),
    "roles": transformer_settings(
        length_ratio=1.5,
        roles=(
            HeadRole("encoder.0.self", 0, "previous", "fixed"),
            HeadRole("encoder.0.self", 1, "gaussian(1, width=2)", "init", gain=3.0),
            HeadRole("decoder.0.self", 1, "same_token", gain=4.0),
            HeadRole("decoder.0.cross", 0, "links", "guided", weight=0.1, until=7, shift=True),
        ),
    ),
    "bigru": recurrent_settings("gru"),
    "lstm": recurrent_settings("lstm", bidirectional=False, attention="none"),
}


def tokenizers() -> Tokenizers:
    return joint([Pair("abcd", "dcba", ("N", "V"))], copies=2)


def bundle(settings: Settings = NETWORKS["transformer"]) -> Bundle:
    torch.manual_seed(3)
    both = tokenizers()
    network = Network(settings, Sizes(both.source.size, both.target.size)).eval()
    for _, buffer in network.named_buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 2)
    recipe = {"seed": 1, "model": as_table(settings)}
    return Bundle(recipe, network, both, {"dev": [SCORE]}, "# Å card\n")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    bundle().save(tmp_path / "model")
    return tmp_path / "model"


def logits(network: Network) -> torch.Tensor:
    source = torch.tensor([[7, 8, 9, 3], [9, 3, 0, 0]])
    target = torch.tensor([[2, 8, 9], [2, 7, 0]])
    with torch.no_grad():
        return network.logits(network(source, source != 0, target))


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_saved_is_what_is_opened(tmp_path: Path, name: str) -> None:
    before = bundle(NETWORKS[name])
    before.save(tmp_path / "deep" / "model")
    after = load(tmp_path / "deep" / "model")
    assert (after.recipe, after.scores, after.card) == (before.recipe, before.scores, before.card)
    assert after.network.settings == before.network.settings
    assert not after.network.training
    assert torch.equal(logits(before.network), logits(after.network))
    pairs = [Pair("abΩ", "", ("V",))]
    assert after.tokenizers.sources(pairs) == before.tokenizers.sources(pairs)


@pytest.mark.parametrize("name", NETWORKS)
def test_opening_draws_no_weights(tmp_path: Path, name: str) -> None:
    bundle(NETWORKS[name]).save(tmp_path)
    before = torch.get_rng_state()
    load(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_one_vocabulary_for_both_sides_is_read_once(saved: Path, tmp_path: Path) -> None:
    shared = load(saved).tokenizers
    assert shared.source is shared.target
    other = joint([Pair("wxyz", "zyxw", ("N", "V"))], copies=2).target
    replace(bundle(), tokenizers=Tokenizers(shared.source, other)).save(tmp_path / "two")
    own = load(tmp_path / "two").tokenizers
    assert (own.source.to_json(), own.target.to_json()) == (
        shared.source.to_json(),
        other.to_json(),
    )


def test_saving_again_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    load(saved).save(tmp_path / "copy")
    for name in FILES:
        assert (tmp_path / "copy" / name).read_bytes() == (saved / name).read_bytes(), name


def test_a_bundle_is_these_files_alone(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == sorted(FILES)


def test_checksums_are_those_of_sha256sum(saved: Path) -> None:
    lines = (saved / SUMS).read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(GUARDED)
    for line, name in zip(lines, GUARDED, strict=True):
        assert re.fullmatch(rf"[0-9a-f]{{64}}  {re.escape(name)}", line)


@pytest.mark.parametrize(("tied", "tables"), [("all", 1), ("decoder", 2), ("none", 3)])
def test_a_shared_matrix_is_stored_once(tmp_path: Path, tied: str, tables: int) -> None:
    each = bundle(transformer_settings(tied=tied))
    each.save(tmp_path)
    size = each.tokenizers.source.size
    stored = load_file(tmp_path / WEIGHTS)
    assert sum(tensor.shape == (size, 8) for tensor in stored.values()) == tables
    network = load(tmp_path).network
    shared = network.output.weight is network.target.table.weight
    assert shared == (tied != "none")


def test_weights_are_plain_float32_numbers(saved: Path) -> None:
    stored = load_file(saved / WEIGHTS)
    assert {tensor.dtype for tensor in stored.values()} == {torch.float32}
    assert stored.keys() == weights(load(saved).network).keys()


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(BundleError, match="missing") as caught:
        load(saved)
    assert caught.value.where == str(saved / name)
    assert caught.value.mend


@pytest.mark.parametrize("name", GUARDED)
@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content + b"\n",
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: b"\x80\x04\x95" + content,
    ],
    ids=["truncated", "empty", "longer", "one bit", "foreign"],
)
def test_a_changed_file_is_named(saved: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    (saved / name).write_bytes(change((saved / name).read_bytes()))
    with pytest.raises(BundleError, match="checksum") as caught:
        load(saved)
    assert caught.value.where == str(saved / name)


@pytest.mark.parametrize("name", GUARDED)
def test_a_file_of_another_bundle_is_named(saved: Path, tmp_path: Path, name: str) -> None:
    other = bundle(transformer_settings(d_model=16))
    both = joint([Pair("xyz", "zyx")])
    other = replace(other, tokenizers=both, network=Network(
        other.network.settings, Sizes(both.source.size, both.target.size)
    ))  # fmt: skip
    other.save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / name, saved / name)
    with pytest.raises(BundleError) as caught:
        load(saved)
    assert caught.value.where == str(saved / name)


def reseal(saved: Path) -> None:
    """Writes the checksums anew, as one who tampers with a bundle would."""
    digests = ((sha256((saved / name).read_bytes()).hexdigest(), name) for name in GUARDED)
    lines = "".join(f"{digest}  {name}\n" for digest, name in digests)
    (saved / SUMS).write_text(lines, encoding="utf-8")


@pytest.mark.parametrize("name", GUARDED)
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"a = = 1", b"[]"])
def test_garbage_under_right_checksums_is_refused(saved: Path, name: str, content: bytes) -> None:
    (saved / name).write_bytes(content)
    reseal(saved)
    with pytest.raises(BundleError) as caught:
        load(saved)
    assert caught.value.where == str(saved / name)


@pytest.mark.parametrize(
    "model",
    [
        None,
        {"kind": "transformer", "d_modell": 8},
        {"kind": "perceptron"},
        {**vars(transformer_settings()), "d_ff": "wide"},
        3,
    ],
)  # fmt: skip
def test_a_recipe_without_a_network_is_refused(saved: Path, model: Any) -> None:
    table = {} if model is None else {"model": model}
    (saved / RECIPE).write_text(tomli_w.dumps(table), encoding="utf-8")
    reseal(saved)
    with pytest.raises(BundleError, match="no network") as caught:
        load(saved)
    assert caught.value.where == str(saved / RECIPE)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: dict(sorted(t.items())[1:]), "is missing"),
        (lambda t: {**t, "extra": torch.zeros(2)}, "extra does not belong"),
        (lambda t: {k: v.flatten() for k, v in t.items()}, r"is float32 \[\d+\]; expected"),
        (lambda t: {k: v.int() for k, v in t.items()}, "is int32"),
        (lambda t: {k: v.where(v != v.max(), torch.nan) for k, v in t.items()}, "no finite"),
        (lambda t: {k: v / 0 for k, v in t.items()}, "no finite"),
    ],
    ids=["missing", "unexpected", "misshapen", "whole numbers", "no number", "infinite"],
)
def test_tensors_of_another_network_are_named(
    saved: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], said: str
) -> None:
    save_file(change(load_file(saved / WEIGHTS)), saved / WEIGHTS)
    reseal(saved)
    with pytest.raises(BundleError, match=said) as caught:
        load(saved)
    assert caught.value.where == str(saved / WEIGHTS)


@pytest.mark.parametrize("name", [SCORES, CARD])
def test_scores_and_card_may_be_edited(saved: Path, name: str) -> None:
    (saved / name).write_text('{"mine": 1}', encoding="utf-8")
    opened = load(saved)
    assert opened.scores == {"mine": 1} or opened.card == '{"mine": 1}'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((SCORES, b"{"), (SCORES, b"3"), (SCORES, b"[]"), (SCORES, b"\xff")),
        *((SCORES, b'{"training": 3}'), (SCORES, b'{"training": {"longest_source": "x"}}')),
        *((SCORES, b'{"dev": 3}'), (SCORES, b'{"dev": [{"metric": "wer"}]}')),
        *((CARD, b"\xff"), (SUMS, b"\xff")),
    ],
)
def test_damaged_text_is_refused(saved: Path, name: str, content: bytes) -> None:
    (saved / name).write_bytes(content)
    with pytest.raises(BundleError) as caught:
        load(saved)
    assert caught.value.where == str(saved / name)


def test_no_bundle_at_all(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        load(tmp_path / "absent")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(BundleError, match="a file, not a folder"):
        load(tmp_path / "file")
    with pytest.raises(BundleError, match=r"recipe\.toml: the file is missing"):
        load(tmp_path)


def test_nothing_in_a_bundle_is_executed(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return pytest.fail, ("a pickle was run",)

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a pickle was read")

    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "loads", refuse)
    load(saved)
    bomb = pickle.dumps(Bomb())
    for name in GUARDED:
        whole = (saved / name).read_bytes()
        (saved / name).write_bytes(bomb)
        reseal(saved)
        with pytest.raises(BundleError):
            load(saved)
        (saved / name).write_bytes(whole)


@pytest.mark.parametrize("broken", ["save_file", "write_text", "replace"])
def test_on_a_full_disk_every_old_file_stands(
    saved: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = {name: (saved / name).read_bytes() for name in FILES}

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    owner = bundle_folder if broken == "save_file" else Path
    changed = load(saved)
    with monkeypatch.context() as patch:
        patch.setattr(owner, broken, full)
        with pytest.raises(BundleError, match="cannot be saved") as caught:
            changed.save(saved)
    assert caught.value.where == str(saved)
    assert {name: (saved / name).read_bytes() for name in FILES} == before
    assert sorted(path.name for path in saved.iterdir()) == sorted(FILES)  # no half model fills it
    load(saved)


class KilledError(BaseException):
    """Stands for SIGKILL: no `except` of the module catches it."""


class Reaper:
    """Kills the process at the n-th change of the file system; the dead change nothing more."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = sys.maxsize
        patch.setattr(os, "fsync", lambda handle: None)  # slow, and no process outlives the machine
        for owner, name in (
            (os, "fsync"), (Path, "replace"), (Path, "mkdir"), (Path, "rmdir"),
            (Path, "write_text"), (shutil, "rmtree"), (bundle_folder, "save_file"),
        ):  # fmt: skip
            patch.setattr(owner, name, self.guarded(getattr(owner, name)))

    def guarded(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise KilledError
            return real(*args, **kwargs)

        return call

    def dies(self, after: int, each: Bundle, folder: Path) -> bool:
        self.left = after
        try:
            each.save(folder)
        except KilledError:
            return True
        finally:
            self.left = sys.maxsize
        return False


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    return Reaper(monkeypatch)


def numbered(number: int) -> Bundle:
    """A bundle no file of which fits one with another number."""
    both = joint([Pair("abcdefgh"[: 3 + number], "dcba")], copies=2)
    settings = transformer_settings(d_ff=8 * number)
    network = Network(settings, Sizes(both.source.size, both.target.size)).eval()
    recipe = {"seed": number, "model": as_table(settings)}
    return Bundle(recipe, network, both, {"number": number}, f"# {number}\n")


def opened(folder: Path) -> int:
    """The number of the bundle in `folder`, all parts of which have to belong together."""
    found = load(folder)
    number = int(found.scores["number"])
    assert (found.recipe["seed"], found.card) == (number, f"# {number}\n")
    assert found.network.settings == transformer_settings(d_ff=8 * number)
    assert found.tokenizers.source.size == numbered(number).tokenizers.source.size
    return number


def deaths(reaper: Reaper, start: Path, each: Bundle) -> Iterator[Path]:
    """Copies of `start`, in which a save of `each` was killed one change later each time."""
    for after in count():
        folder = shutil.copytree(start, start.with_name(f"{start.name}-{after}"))
        if not reaper.dies(after, each, folder):
            break
        yield folder


def test_killed_at_any_point_of_a_save_a_whole_model_stands(tmp_path: Path, reaper: Reaper) -> None:
    first, second, third = map(numbered, (1, 2, 3))
    first.save(tmp_path / "model")
    (tmp_path / "model" / "training").mkdir()
    seen = []
    for folder in deaths(reaper, tmp_path / "model", second):
        seen.append(opened(folder))
        third.save(folder)
        assert opened(folder) == 3
        assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "training"])
    assert set(seen) == {1, 2}
    assert seen == sorted(seen)  # once the new model is seen, it stays
    assert seen.count(2) > len(FILES)  # it died before each of the moves, and behind them


def test_killed_again_while_it_mends_a_whole_model_stands(tmp_path: Path, reaper: Reaper) -> None:
    first, second, third = map(numbered, (1, 2, 3))
    first.save(tmp_path / "model")
    moving = [
        folder for folder in deaths(reaper, tmp_path / "model", second) if (folder / READY).is_dir()
    ]
    for start in moving[:: len(moving) // 2]:
        seen = [opened(folder) for folder in deaths(reaper, start, third)]
        assert set(seen) == {2, 3}
        assert seen == sorted(seen)


def test_opening_a_half_moved_bundle_changes_nothing(tmp_path: Path, reaper: Reaper) -> None:
    numbered(1).save(tmp_path / "model")
    dead = deaths(reaper, tmp_path / "model", numbered(2))
    folder = next(folder for folder in dead if (folder / READY).is_dir())
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert opened(folder) == 2
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_damaged_file_that_has_not_moved_is_named(tmp_path: Path) -> None:
    numbered(1).save(tmp_path / "model")
    numbered(2).save(tmp_path / "model" / READY)
    assert opened(tmp_path / "model") == 2
    (tmp_path / "model" / READY / WEIGHTS).write_bytes(b"\x00")
    with pytest.raises(BundleError, match="checksum") as caught:
        load(tmp_path / "model")
    assert caught.value.where == str(tmp_path / "model" / READY / WEIGHTS)


def test_a_killed_first_save_is_recognised(tmp_path: Path, reaper: Reaper) -> None:
    start = tmp_path / "model"
    start.mkdir()
    left = [folder for folder in deaths(reaper, start, numbered(1)) if any(folder.iterdir())]
    names = [{path.name for path in folder.iterdir()} for folder in left]
    assert {FRESH} in names
    assert {READY} in names
    assert all(map(is_begun, left))
    assert not is_begun(start)
    (left[0] / FRESH / ".tmpAbCdEf").touch()  # as safetensors calls what it is writing
    assert is_begun(left[0])


@pytest.mark.parametrize("name", ["thesis.tex", f"{FRESH}/thesis.tex", FRESH, ".git/config"])
def test_what_somebody_else_made_is_not_begun(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert not is_begun(tmp_path)
    assert not is_begun(tmp_path / name)


def test_a_save_in_the_middle_of_opening_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = numbered(1), numbered(2)
    real, looks = bundle_folder.standing, count()

    def standing(folder: Path, name: str) -> Path:
        if next(looks) == moment:
            both[1].save(folder)
        return real(folder, name)

    seen = []
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # slow, and nothing is lost here
    for module in (bundle_folder, reading):
        monkeypatch.setattr(module, "standing", standing)
    for moment in count(1):  # 0 would be before anything is read
        both[0].save(tmp_path)
        looks = count()
        seen.append(opened(tmp_path))
        if next(looks) <= moment:  # the moment did not come any more
            break
    assert seen == [2] * (len(seen) - 1) + [1]
    assert len(seen) > 3 * len(FILES)


def test_weights_that_move_away_while_they_are_opened_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered(1).save(tmp_path / "model")
    numbered(2).save(tmp_path / "model" / READY)
    asked: list[Path] = []

    def moved(path: Path) -> dict[str, torch.Tensor]:
        if not asked:
            numbered(3).save(tmp_path / "model")
        asked.append(path)
        return load_file(path)

    monkeypatch.setattr(bundle_weights, "load_file", moved)
    assert opened(tmp_path / "model") == 3
    assert asked == [tmp_path / "model" / READY / WEIGHTS, tmp_path / "model" / WEIGHTS]


def test_memory_that_runs_out_is_no_fault_of_the_bundle(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> None:
        raise RuntimeError("unable to mmap: Cannot allocate memory (12)")

    monkeypatch.setattr(bundle_weights, "load_file", full)
    with pytest.raises(RuntimeError, match="allocate memory"):
        load(saved)


def test_a_model_that_is_always_replaced_is_no_endless_loop(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bundle_folder._read

    def read(folder: Path) -> Bundle:
        found = real(folder)
        found.save(folder)
        return found

    monkeypatch.setattr(bundle_folder, "_read", read)
    with pytest.raises(BundleError, match="again and again") as caught:
        load(saved)
    assert caught.value.where == str(saved)


SAVER = """
import sys, time; from itertools import cycle; from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_folder import numbered
print("ready", flush=True)
for each in cycle([numbered(1), numbered(2)]):
    each.save(Path(sys.argv[1]))
    time.sleep(0.1)  # nobody could read what is replaced faster than it can be read
"""


def test_a_model_is_opened_while_another_process_saves_it(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    numbered(1).save(folder)
    places = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    command = [sys.executable, "-c", SAVER, str(folder), *places]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as saver:
        try:
            assert saver.stdout is not None
            assert saver.stdout.readline() == "ready\n"
            end = time.monotonic() + 2
            seen = []
            while time.monotonic() < end or len(seen) < 20:
                seen.append(opened(folder))
            assert saver.poll() is None
        finally:
            saver.kill()
    assert set(seen) == {1, 2}
    assert opened(folder) in (1, 2)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(BundleError, match="cannot be saved"):
        bundle().save(tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_the_kind_decides_which_settings_there_are() -> None:
    for settings in NETWORKS.values():
        assert network_settings(vars(settings)) == settings
    with pytest.raises(ConfigError, match=r"model\.d_hidden"):
        network_settings({"kind": "transformer", "d_hidden": 3})
    with pytest.raises(ConfigError, match=r"model\.heads"):
        network_settings({"kind": "gru", "heads": 3})

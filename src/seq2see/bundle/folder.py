"""A folder <-> (recipe, network, tokenizers, scores): what training writes and all others read."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from seq2see.config import Tree, parse
from seq2see.data.store import Tokenizers
from seq2see.data.tokenizers import Tokenizer
from seq2see.errors import BundleError, ConfigError, is_out_of_memory
from seq2see.files import FRESH, replace_files, standing
from seq2see.nn.network import Network, Sizes
from seq2see.nn.roles import UnknownRoleError
from seq2see.nn.settings import RecurrentSettings, Settings, TransformerSettings

RECIPE, WEIGHTS, SCORES, CARD = "recipe.toml", "model.safetensors", "scores.json", "card.md"
SUMS = "SHA256SUMS"
"""Checksums in the format of `sha256sum -c`; scores and card are free to be edited."""

GUARDED = (RECIPE, "source.json", "target.json", WEIGHTS)
FILES = (*GUARDED, SCORES, CARD, SUMS)
_RESTORE = "Restore the file from the place the model came from, or train again"
_PARTIAL = ".tmp"  # what safetensors calls the file that it is writing
_ATTEMPTS = 10
"""Saves lie seconds apart, so the second attempt succeeds unless the machine is very busy."""


@dataclass(frozen=True)
class Bundle:
    """A trained model and everything needed to use it.

    Args:
        recipe: the resolved recipe, as tables.
        network: the network, in float32.
        tokenizers: text to ids and back.
        scores: what it scored when it was made.
        card: a description for people.
    """

    recipe: Tree
    network: Network
    tokenizers: Tokenizers
    scores: dict[str, Any] = field(default_factory=dict)
    card: str = ""

    def save(self, folder: Path) -> None:
        """Writes the bundle, all its files at once.

        Whenever the process dies, `load` opens the old bundle or the new one. A folder that holds
        `.next` after such a death is whole; the next save puts its files in their places.

        Raises:
            BundleError: the disk is full or the folder cannot be written.
        """
        try:
            replace_files(folder, self._write)
        except (OSError, SafetensorError) as error:
            raise BundleError(
                f"the model cannot be saved ({error})",
                where=str(folder),
                mend="Free space or choose another folder with --out",
            ) from error

    def _write(self, folder: Path) -> None:
        for name, text in self._texts().items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        save_file(weights(self.network), folder / WEIGHTS, metadata={"format": "pt"})
        (folder / SUMS).write_text(sums(folder, GUARDED), encoding="utf-8", newline="\n")

    def _texts(self) -> dict[str, str]:
        return {
            RECIPE: tomli_w.dumps(self.recipe),
            "source.json": self.tokenizers.source.to_json(),
            "target.json": self.tokenizers.target.to_json(),
            SCORES: json.dumps(self.scores, indent=2, ensure_ascii=False) + "\n",
            CARD: self.card,
        }


def load(folder: Path, device: torch.device | str = "cpu") -> Bundle:
    """Opens a bundle. Nothing in it is executed: the files hold text and numbers only.

    A bundle may be opened while another process saves to it: what was read is read again where a
    file was replaced or moved in the meantime.

    Raises:
        BundleError: a file is missing, truncated, foreign, or does not fit the others; the message
            names it.
    """
    for _ in range(_ATTEMPTS):
        before = _places(folder)
        try:
            found = _read(folder)
        except (BundleError, OSError):
            if _places(folder) == before:  # nothing was moved, so the fault is the bundle's own
                raise
        else:
            # Files that have only moved are still the same.
            if [which for _, which in _places(folder)] == [which for _, which in before]:
                found.network.to(device)
                return found
    raise BundleError(
        "the model is being replaced again and again", where=str(folder), mend="Try again later"
    )


def _places(folder: Path) -> list[tuple[Path, tuple[int, int] | None]]:
    """Says of every file of a bundle where it stands and which file it is."""
    return [(path, _which(path)) for path in (standing(folder, name) for name in FILES)]


def _which(path: Path) -> tuple[int, int] | None:
    """Tells files apart by number and time of writing, which stay when a file moves."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _read(folder: Path) -> Bundle:
    if not folder.is_dir():
        raise BundleError(
            "no such folder" if not folder.exists() else "a file, not a folder",
            expected="a model that seq2see train wrote",
            where=str(folder),
        )
    _check_sums(folder)
    recipe = _toml(folder)
    source, target = (
        Tokenizer.from_json(_text(folder, name), str(standing(folder, name)))
        for name in ("source.json", "target.json")
    )
    network = new_network(recipe, Tokenizers(source, target), str(standing(folder, RECIPE)))
    _load_weights(network, standing(folder, WEIGHTS))
    scores = _json(folder, SCORES)
    card = _text(folder, CARD)
    return Bundle(recipe, network.eval(), Tokenizers(source, target), scores, card)


def is_begun(folder: Path) -> bool:
    """Tells whether a folder holds a model, or nothing but a first save that was interrupted."""
    if standing(folder, RECIPE).is_file():
        return True
    fresh = folder / FRESH
    # What else is called .new may be somebody's work, and the next save would remove it.
    return (
        fresh.is_dir()
        and list(folder.iterdir()) == [fresh]
        and all(path.name in FILES or path.name.startswith(_PARTIAL) for path in fresh.iterdir())
    )


def new_network(recipe: Tree, tokenizers: Tokenizers, where: str) -> Network:
    """Builds an untrained network from the `model` table of a resolved recipe.

    Raises:
        BundleError: the table is missing or does not describe a network, or a head has a role that
            nobody has defined; define it.
    """
    try:
        settings = network_settings(recipe["model"])
    except UnknownRoleError as error:
        # The file is whole; what is missing is a definition, which a model never brings along.
        raise BundleError(error.found, where=where, mend=error.mend) from error
    except (KeyError, ConfigError) as error:
        raise BundleError(
            f"no network is described ({error})", where=where, mend=_RESTORE
        ) from error
    return Network(settings, Sizes(tokenizers.source.size, tokenizers.target.size))


def network_settings(table: Tree) -> Settings:
    """Reads a `model` table: which kind it names decides which settings it may hold.

    Raises:
        ConfigError: a setting is unknown to that kind, or malformed.
    """
    if not isinstance(table, dict):
        raise ConfigError(f"found {table!r}", expected="a table of settings", where="model")
    if table.get("kind") == "transformer":
        return parse(TransformerSettings, table, "model")
    if table.get("roles"):
        raise ConfigError(
            f"a recurrent network ({table.get('kind')}) has no heads to be given roles",
            where="model.roles",
            mend="Set model.kind=transformer, or leave the roles out",
        )
    return parse(RecurrentSettings, table, "model")


def weights(network: Network) -> dict[str, Tensor]:
    """Returns parameters and running statistics by name; a shared matrix stands once."""
    named = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    return {name: tensor.detach().contiguous() for name, tensor in named.items()}


def _load_weights(network: Network, path: Path) -> None:
    _need(path)
    try:
        found = load_file(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # the second: it vanished or shrank
        if is_out_of_memory(error):
            raise
        raise BundleError(
            f"damaged or foreign ({error})", where=str(path), mend=_RESTORE
        ) from error
    wanted = weights(network)
    for name in sorted(wanted.keys() ^ found.keys()):
        state = "is missing" if name in wanted else "does not belong to this network"
        raise BundleError(f"the tensor {name} {state}", where=str(path), mend=_RESTORE)
    for name, tensor in wanted.items():
        if tensor.shape != found[name].shape:
            raise BundleError(
                f"the tensor {name} has shape {list(found[name].shape)}",
                expected=str(list(tensor.shape)),
                where=str(path),
                mend=_RESTORE,
            )
        tensor.copy_(found[name])


def sums(folder: Path, names: Iterable[str]) -> str:
    """Returns the checksums of files of a folder, a line each."""

    def line(name: str) -> str:
        with standing(folder, name).open("rb") as file:
            return f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n"

    return "".join(map(line, names))


def check_sums(folder: Path, names: Sequence[str]) -> None:
    """Compares files with the checksums that were saved beside them.

    Raises:
        BundleError: a file is missing or is not the one that was saved; the message names it.
    """
    for name in names:
        _need(standing(folder, name))
    recorded = set(_text(folder, SUMS).splitlines())
    for line in sums(folder, names).splitlines():
        if line not in recorded:
            name = line.split("  ")[1]
            raise BundleError(
                "the file is not the one that was saved (its checksum differs)",
                where=str(standing(folder, name)),
                mend=_RESTORE,
            )


def _check_sums(folder: Path) -> None:
    check_sums(folder, GUARDED)


def _need(path: Path) -> None:
    if not path.is_file():
        raise BundleError("the file is missing", where=str(path), mend=_RESTORE)


def _text(folder: Path, name: str) -> str:
    path = standing(folder, name)
    _need(path)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"unreadable ({error})", where=str(path), mend=_RESTORE) from error


def _toml(folder: Path) -> Tree:
    try:
        return tomllib.loads(_text(folder, RECIPE))
    except tomllib.TOMLDecodeError as error:
        where = str(standing(folder, RECIPE))
        raise BundleError(f"no TOML ({error})", where=where, mend=_RESTORE) from error


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        return dict(json.loads(_text(folder, name)))
    except (TypeError, ValueError) as error:
        where = str(standing(folder, name))
        raise BundleError(f"no JSON ({error})", where=where, mend=_RESTORE) from error

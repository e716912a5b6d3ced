"""A tiny trained model, and a way to run commands without starting a process."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_samples import SMALL, reversals

from seq2see.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def seq2see(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with the given standard input."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main([str(argument) for argument in arguments])
        out, err = capfdbinary.readouterr()
        return Ran(code, out.decode(), err.decode())

    return run


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "pairs.tsv"
    path.write_text(reversals(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def bundle(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained for 30 steps; not to be changed."""
    from seq2see.api.training import train

    out = tmp_path_factory.mktemp("model") / "bundle"
    train(pairs, *SMALL, "train.optimizer=adamw", out=out)
    return out


@pytest.fixture(scope="session")
def recurrent(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without attention."""
    from seq2see.api.training import train

    out = tmp_path_factory.mktemp("model") / "recurrent"
    sizes = ("model.d_embedding=16", "model.d_hidden=16", "train.steps=3")
    train(
        pairs, "train.precision=float32", *sizes, "model.kind=gru", "model.attention=none", out=out
    )
    return out


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with as many pieces as the first one, but other ones."""
    from seq2see.api.training import train

    folder = tmp_path_factory.mktemp("other")
    text = reversals().translate(str.maketrans("abcd", "efgh"))
    (folder / "pairs.tsv").write_text(text)
    train(folder / "pairs.tsv", *SMALL, "train.steps=2", out=folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def copied(bundle: Path, tmp_path: Path) -> Path:
    """The trained model once more, to be damaged."""
    return Path(shutil.copytree(bundle, tmp_path / "copied"))

"""`seq2see look`: where the report goes, what is said, and what is refused."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from seq2see.api.model import load
from seq2see.report.serve import Server


def test_a_report_is_written_beside_the_model(seq2see, copied: Path) -> None:
    ran = seq2see("look", copied, "--pairs", "2", "--scored", "20")
    assert ran.code == 0
    assert "Card: A network of" in ran.out
    assert f"{copied / 'report.html'}: " in ran.out
    text = (copied / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and text.rstrip().endswith("</html>")


def test_pairs_may_be_named(seq2see, recurrent: Path, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "look.html"
    ran = seq2see("look", recurrent, pairs, "--out", out, "--pairs", "2", "--scored", "20")
    assert ran.code == 0
    assert str(pairs) in out.read_text(encoding="utf-8")


def test_a_model_without_its_training_asks_for_pairs(seq2see, copied: Path) -> None:
    shutil.rmtree(copied / "training")
    ran = seq2see("look", copied)
    assert ran.code == 2
    assert "Name a data file" in ran.err


def test_an_ensemble_is_refused(seq2see, bundle: Path, tmp_path: Path) -> None:
    ran = seq2see("look", f"{bundle},{bundle}", "--out", tmp_path / "x.html")
    assert ran.code == 2
    assert "one by one" in ran.err


def test_a_missing_package_is_named(seq2see, bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, *rest):
        return None if name == "altair" else find_spec(name, *rest)

    monkeypatch.setattr("seq2see.cli.look.find_spec", without)
    ran = seq2see("look", bundle)
    assert ran.code == 2
    assert "altair" in ran.err and "seq2see[look]" in ran.err


# Live.


@pytest.fixture
def heeding() -> Iterator[None]:
    """A shell lets what it starts in the background ignore interrupts, and so what that starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeding")
def test_it_serves_until_it_is_interrupted(bundle: Path, pairs: Path, tmp_path: Path) -> None:
    """In a process of its own, which a Ctrl-C ends without a word."""
    out = tmp_path / "kept.html"
    command = ("look", bundle, pairs, "--serve", "--port", "0", "--pairs", "2", "--scored", "10")
    process = subprocess.Popen(
        [sys.executable, "-m", "seq2see", *map(str, command), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = next(line for line in process.stdout if "http://127.0.0.1:" in line)
        address = said.split()[0]
        with urllib.request.urlopen(address, timeout=60) as found:
            page = found.read().decode()
        question = urllib.request.Request(
            f"{address}answer", b'{"source": "abc"}', {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(question, timeout=60) as found:
            answer = json.load(found)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in err and "error" not in err
    assert 'id="live"' in page
    assert answer["trained"]["text"] == load(bundle).translate(["abc"])[0]
    assert 'id="live"' not in out.read_text(encoding="utf-8")


def test_serving_writes_no_file_unless_asked(seq2see, copied: Path, monkeypatch) -> None:
    monkeypatch.setattr(Server, "run", lambda _: None)
    ran = seq2see("look", copied, "--serve", "--port", "0", "--pairs", "2", "--scored", "10")
    assert ran.code == 0
    assert "Ctrl-C ends it" in ran.out
    assert not (copied / "report.html").exists()


def test_a_port_that_is_taken_is_said_before_anything_is_opened(seq2see, tmp_path: Path) -> None:
    with Server(0) as other:
        port = str(other.server_port)
        other.begin("", dict)
        ran = seq2see("look", tmp_path / "nothing", "--serve", "--port", port)
    assert ran.code == 2
    assert f"--port {port}" in ran.err and "0 for any that is free" in ran.err


def test_a_port_without_serving_is_refused(seq2see, bundle: Path) -> None:
    ran = seq2see("look", bundle, "--port", "8000")
    assert ran.code == 2
    assert "Add --serve" in ran.err

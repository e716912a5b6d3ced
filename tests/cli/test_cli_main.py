"""Exit codes, help and what starts how fast."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import seq2see as package
from seq2see.cli import main

COMMANDS = ("check", "train", "translate", "score", "evaluate", "compare", "bench", "demo")


def python(*arguments: str, **how: object) -> subprocess.CompletedProcess[str]:
    source = Path(package.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment, capture_output=True, text=True, check=False, **how,
    )  # fmt: skip


def test_python_m_runs_the_command_line() -> None:
    ran = python("-m", "seq2see", "--version")
    assert (ran.returncode, ran.stdout) == (0, f"seq2see {package.__version__}\n")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from seq2see.cli import main; assert main(['train', '--help']) == 0;"
        "assert not {'torch', 'numpy', 'scipy', 'sacrebleu', 'rapidfuzz'} & set(sys.modules)"
    )
    ran = python("-c", code)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_full_disk_under_the_output_is_one_message(bundle: Path, pairs: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    with Path("/dev/full").open("w") as full:
        source = str(Path(package.__file__).parents[1])
        ran = subprocess.run(
            [sys.executable, "-m", "seq2see", "check", str(pairs), "--json"],
            env={**os.environ, "PYTHONPATH": source},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 2
    assert "No space left on device" in ran.stderr and "Traceback" not in ran.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    data = tmp_path / "many.tsv"
    data.write_text("a\tb\n" * 50_000)
    code = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'seq2see', 'check',"
        f"{str(data)!r}, '--json'], stdout=subprocess.PIPE, stderr=subprocess.PIPE);"
        "p.stdout.read(1); p.stdout.close(); err = p.stderr.read(); p.wait();"
        "assert not err, err"
    )
    ran = python("-c", code)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"seq2see {command}" in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "Did you mean 'train'"),
        (["check"], "DATA"),
        (["check", "x", "--jsno"], "--json"),
    ],
)
def test_a_wrong_command_line_ends_with_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x"), 2, "error: x: No space left"),
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 2, "--batch-tokens"),
        (RuntimeError("DefaultCPUAllocator: not enough memory"), 2, "--batch-tokens"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, ""),
    ],
)
def test_what_the_machine_refuses_is_no_traceback(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("seq2see.data.doctor.examine", fail)
    monkeypatch.setattr("seq2see.cli._drop_output", lambda: None)
    assert main(["check", "x.tsv"]) == code
    printed = capfd.readouterr().err
    assert said in printed and "Traceback" not in printed


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("seq2see.data.doctor.examine", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        main(["check", "x.tsv"])

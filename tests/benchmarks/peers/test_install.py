"""An environment is made once, with the torch that runs here, and anew after an interruption."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from peers import install
from peers.catalogue import TOOLKITS, Toolkit
from peers.install import Environments, InstallError, last_line

TOOLKIT = Toolkit("name", ("torch", "name==1.0"), removed=("spoiler",))


def test_it_pins_torch_installs_and_removes(tmp_path: Path) -> None:
    ran: list[list[str]] = []
    python = Environments(tmp_path, "https://index").python(TOOLKIT, ran.append)
    assert python == tmp_path / "name" / "bin" / "python"
    make, fill, clear = ran
    assert make[1:3] == ["-m", "venv"]
    assert fill[:3] == [str(python), "-m", "pip"]
    assert fill[-2:] == ["torch", "name==1.0"]
    assert "https://index" in fill
    assert clear[-1] == "spoiler"
    pins = (tmp_path / "name" / "pins.txt").read_text(encoding="utf-8")
    assert pins == f"torch=={version('torch').partition('+')[0]}\n"


def test_what_stands_is_not_installed_again(tmp_path: Path) -> None:
    ran: list[list[str]] = []
    for _ in range(2):
        Environments(tmp_path).python(TOOLKIT, ran.append)
    assert len(ran) == 3


def test_other_requirements_are_installed_anew(tmp_path: Path) -> None:
    ran: list[list[str]] = []
    Environments(tmp_path).python(TOOLKIT, ran.append)
    Environments(tmp_path).python(Toolkit("name", ("name==2.0",)), ran.append)
    assert ran[-1][-1] == "name==2.0"


def test_an_interrupted_installation_is_begun_anew(tmp_path: Path) -> None:
    def interrupted(command: list[str]) -> None:
        if "install" in command:
            raise InstallError("the disk is full")

    with pytest.raises(InstallError):
        Environments(tmp_path).python(TOOLKIT, interrupted)
    ran: list[list[str]] = []
    Environments(tmp_path).python(TOOLKIT, ran.append)
    assert len(ran) == 3


def test_without_requirements_it_is_the_python_that_runs() -> None:
    assert Environments(Path("nowhere")).python(TOOLKITS["torch"]) == Path(sys.executable)


def test_a_failing_command_is_told_by_its_last_line() -> None:
    script = "import sys; print('a\\nb\\n', file=sys.stderr); sys.exit(1)"
    with pytest.raises(InstallError, match=r"^b$"):
        install._run([sys.executable, "-c", script])


def test_the_last_line_is_the_last_that_says_something() -> None:
    assert last_line("one\ntwo\n \n") == "two"
    assert last_line("") == "it said nothing"


def test_packages_of_this_process_are_kept_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    monkeypatch.setenv("KEPT", "yes")
    found = install.clean_environment()
    assert "PYTHONPATH" not in found
    assert found["KEPT"] == "yes"

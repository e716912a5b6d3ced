"""The benchmark script goes on where it stopped and records nothing but what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import helpers

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "quality.py"
SCORE = {"metric": "wer", "value": 20.0, "low": 18.0, "high": 23.0}


class Bench:
    """The script with a stand-in for `seq2see`, which only writes what training leaves behind."""

    def __init__(self, script: ModuleType, folder: Path) -> None:
        self.script, self.folder = script, folder
        self.calls: list[list[str]] = []
        self.broken = False

    def __call__(self, arguments: list[str], folder: Path) -> tuple[str, int]:
        self.calls.append(arguments)
        if arguments[0] == "evaluate":
            rest = {"bundle": arguments[1], "data": arguments[2], "against": None}
            rest |= {"each_line": "--each-line" in arguments, "comparisons": []}
            facts = {"scores": [SCORE], "unknown_share": 0.0, "blank": 0, "unfinished": 0}
            return json.dumps(rest | facts), 900
        out = Path(arguments[arguments.index("--out") + 1])
        (out / "training").mkdir(parents=True, exist_ok=True)
        for name in ("recipe.toml", "SHA256SUMS"):
            (out / "training" / name).touch()
        if self.broken:
            raise SystemExit("interrupted")
        facts = {"dev": [SCORE], "training": {"seconds": 90.0}}
        (out / "scores.json").write_text(json.dumps(facts), encoding="utf-8")
        return "", 300

    def run(self, *arguments: str) -> list[list[str]]:
        """Runs the script and returns the trainings it started."""
        self.calls.clear()
        self.script.main([str(self.folder), *arguments, "--out", str(self.folder / "runs")])
        return [call for call in self.calls if call[0] == "train"]

    def facts(self, task: str, key: str) -> dict[str, Any]:
        return self.script.results(task)[key]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    script = helpers.script(SCRIPT, "quality")
    (tmp_path / "results").mkdir()
    bench = Bench(script, tmp_path)
    monkeypatch.setattr(script, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(script, "seq2see", bench)
    monkeypatch.setattr(script, "revision", lambda: {"commit": "abc", "dirty": False})
    return bench


def test_a_recorded_part_is_skipped(bench: Bench) -> None:
    assert len(bench.run("sigmorphon2020", "--only", "ice")) == 1
    assert [call[1] for call in bench.run("sigmorphon2020", "--only", "ice", "rum")] == [
        "sigmorphon2020/rum_train.tsv"
    ]
    assert len(bench.run("sigmorphon2020", "--only", "ice", "--seed", "2")) == 1


def test_an_interrupted_run_goes_on(bench: Bench) -> None:
    bench.broken = True
    with pytest.raises(SystemExit, match="interrupted"):
        bench.run("cmudict")
    assert bench.script.results("cmudict") == {}
    bench.broken = False
    [call] = bench.run("cmudict")
    facts = bench.facts("cmudict", "en/seed1")
    assert call[-1] == "--resume"
    assert (facts["resumed"], facts["minutes"]) == (True, 1.5)
    assert "--resume" not in facts["command"]


def test_half_a_folder_is_begun_anew(bench: Bench) -> None:
    training = bench.folder / "runs" / "cmudict-en-1" / "training"
    training.mkdir(parents=True)
    (training / "recipe.toml").touch()  # the sums come last
    [call] = bench.run("cmudict")
    assert "--resume" not in call


def test_again_removes_the_folder_first(bench: Bench) -> None:
    bench.run("cmudict")
    left = bench.folder / "runs" / "cmudict-en-1" / "left"
    left.touch()
    [call] = bench.run("cmudict", "--again")
    assert "--resume" not in call
    assert not left.exists()
    assert not bench.facts("cmudict", "en/seed1")["resumed"]


def test_no_path_of_the_machine_is_recorded(bench: Bench) -> None:
    bench.run("inflection2022", "--only", "ang")
    facts = bench.facts("inflection2022", "ang/seed1")
    kept = {"data", "each_line", "scores", "unknown_share", "blank", "unfinished"}
    assert set(facts["test"]) == kept
    assert str(bench.folder) not in json.dumps(facts)
    assert facts["command"].endswith("--columns source=1,target=2,features=3 --seed 1")
    assert facts["peak_memory_mb"] == 300  # of the training, not of the evaluation


@pytest.mark.parametrize(("task", "each_line"), [("histnorm", True), ("cmudict", False)])
def test_running_text_is_scored_line_by_line(bench: Bench, task: str, each_line: bool) -> None:
    bench.run(task)
    [asked] = [call for call in bench.calls if call[0] == "evaluate"]
    assert ("--each-line" in asked) is each_line
    [facts] = bench.script.results(task).values()
    assert facts["test"]["each_line"] is each_line


def test_the_commit_is_read_before_training(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def revision() -> dict[str, Any]:
        seen.append(len(bench.calls))
        return {"commit": "abc", "dirty": True}

    monkeypatch.setattr(bench.script, "revision", revision)
    bench.run("cmudict")
    assert seen == [0]
    facts = bench.facts("cmudict", "en/seed1")
    assert (facts["commit"], facts["dirty"]) == ("abc", True)


@pytest.mark.parametrize("changes", ["", " M src/seq2see/config.py\n"])
def test_a_changed_source_is_dirty(changes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = helpers.script(SCRIPT, "quality")
    answers = {"rev-parse": "abc\n", "status": changes}
    asked: list[list[str]] = []

    def answer(command: list[str], **_: Any) -> str:
        asked.append(command)
        return answers[command[1]]

    monkeypatch.setattr(script.subprocess, "check_output", answer)
    assert script.revision() == {"commit": "abc", "dirty": bool(changes)}
    assert asked[1][-2:] == ["--", "src"]


def test_an_unknown_part_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.run("cmudict", "--only", "fr")
    assert "no part of cmudict: fr" in capsys.readouterr().err


def test_the_summary_has_a_row_a_score_and_the_macro_mean(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run("cmudict")
    bench.run("sigmorphon2020", "--only", "ice", "rum")
    path = bench.folder / "results" / "sigmorphon2020.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    found["rum/seed1"]["test"]["scores"][0]["value"] = 10.0
    found["rum/seed1"]["minutes"], found["ice/seed1"]["minutes"] = 2.0, 3.0
    path.write_text(json.dumps(found), encoding="utf-8")
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        bench.script.main(["--summary"])
    assert end.value.code == 0
    assert capsys.readouterr().out.splitlines() == [
        "| task | part | metric | value | 95 % interval | minutes |",
        "|---|---|---|---|---|---|",
        "| cmudict | en/seed1 | wer | 20.00 | 18.00 to 23.00 | 0.0 |",
        "| sigmorphon2020 | ice/seed1 | wer | 20.00 | 18.00 to 23.00 | 3.0 |",
        "| sigmorphon2020 | rum/seed1 | wer | 10.00 | 18.00 to 23.00 | 2.0 |",
        "| sigmorphon2020 | macro mean, 2 of 11/seed1 | wer | 15.00 | | 2.5 |",
    ]


def test_peak_memory_is_that_of_one_process() -> None:
    # In a small process of its own: a child's peak is never less than its parent's at the fork.
    code = """
import sys; from pathlib import Path; import quality
for size in (200, 1):
    child = f"block = b'x' * ({size} << 20); print(len(block) >> 20)"
    print(*quality.measured([sys.executable, "-c", child], Path(".")))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=SCRIPT.parent, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    (large, first), (small, second) = (done.stdout.split()[i : i + 2] for i in (0, 2))
    assert (large, small) == ("200", "1")
    assert int(first) >= 200
    assert int(second) < 100


def test_a_failed_command_ends_the_script() -> None:
    with pytest.raises(SystemExit, match="ended with 3"):
        helpers.script(SCRIPT, "quality").measured(
            [sys.executable, "-c", "raise SystemExit(3)"], Path()
        )


def test_a_part_may_train_on_the_first_lines_alone(bench: Bench) -> None:
    data = bench.folder / "multi30k"
    data.mkdir()
    for side in ("en", "de"):
        lines = "".join(f"{side} {number}\n" for number in range(2500))
        (data / f"train.lc.norm.tok.{side}").write_text(lines, encoding="utf-8")
    [call] = bench.run("multi30k-fixed", "--only", "fixed-2000")
    english, german = map(Path, call[1].split(","))
    assert english.read_text(encoding="utf-8").splitlines()[-1] == "en 1999"
    assert len(german.read_text(encoding="utf-8").splitlines()) == 2000
    facts = bench.facts("multi30k-fixed", "fixed-2000/seed1")
    assert facts["first_lines"] == 2000
    assert str(bench.folder) not in json.dumps(facts)
    assert facts["command"].count('how="fixed"') == 28

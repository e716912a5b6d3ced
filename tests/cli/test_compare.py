"""`seq2see compare` as people and programs see it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from seq2see.api.comparison import Outcome
from seq2see.api.record import Record
from seq2see.api.standings import Contrast, Standing, Summary
from seq2see.cli import main
from seq2see.cli.compare import comparison_table

QUICK = ["train.steps=2", "train.validations=1", "train.precision=float32", "decode.beam=1"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{a}{b}\t{b}{a}\n" for a in "abcdefgh" for b in "ijklmnop"), "utf-8")
    return path


def run(data: Path, *more: str) -> int:
    out = data.with_name("out")
    arguments = ["compare", str(data), "--models", "rnn,gru", "--out", str(out), "--device", "cpu"]
    return main([*arguments, *more, *QUICK])


def test_one_table_and_where_the_rest_is(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data) == 0
    shown = capsys.readouterr().out
    assert "run 1 of 2: rnn, seed 1\n" in shown
    lines = shown[shown.index("model ") :].splitlines()
    assert lines[0].split()[:2] == ["model", "accuracy"]
    assert [line.split()[0] for line in lines[1:3]] == ["rnn", "gru"]
    assert sum(line.rstrip().endswith("best") for line in lines[1:3]) == 1
    assert "accuracy: higher is better; interval bootstrap" in shown
    assert str(data.with_name("out") / "comparison.json") in shown
    assert run(data, "--seeds", "1") == 0
    assert "run 2 of 2: gru, seed 1, finished before" in capsys.readouterr().out


def test_json_alone_goes_to_standard_output(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "--json", "--seeds", "2", "--metrics", "cer") == 0
    found = capsys.readouterr()
    record = json.loads(found.out)
    assert record["seeds"] == [1, 2]
    assert record["command"].startswith("seq2see compare")
    assert [row["summaries"][0]["metric"] for row in record["table"]] == ["cer", "cer"]
    assert record["contrasts"][0]["p_seeds"] is not None
    assert "run 4 of 4" in found.err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--models", "rnn,perceptron"], "perceptron"),
        (["--metrics", "blue"], "blue"),
        (["--seeds", "0"], "--seeds"),
        (["model=gru"], "model"),
        (["train=5"], "train"),
        (["train.stepz=5"], "mean steps"),
        (["seed=x"], "seed: found 'x'"),
        (["--minutes", "nan"], "train.minutes: found nan"),
        (["data.train=other.tsv"], "said twice"),
        (["--device", "gpu"], "device: 'gpu'"),
    ],
)
def test_what_is_wrong_is_said_before_training(
    data: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert run(data, *more) == 2
    found = capsys.readouterr()
    assert message in found.err
    assert found.out == ""
    assert not data.with_name("out").exists()


def test_an_interruption_says_how_to_go_on(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seq2see.api.cell.carry_out", interrupted)
    monkeypatch.setattr("seq2see.api.cell.take_up", interrupted)
    monkeypatch.setattr("seq2see.api.cell.set_up", interrupted)
    assert run(data) == 130
    assert f"go on with: seq2see compare {data}" in capsys.readouterr().err


def outcome() -> Outcome:
    """Three models, of which the second is the best and the last near it."""
    scores = {"bilstm+attention": 31.25, "transformer": 22.1, "rnn": 22.5}
    standings = tuple(
        Standing(
            name,
            3,
            tuple(Summary(m, value, value - 1, value + 1, False, "s") for m in ("wer", "per")),
            {"parameters": 12_345_678, "steps": 12_000, "tokens_per_second": 123_456.0},
        )
        for name, value in scores.items()
    )
    first = Contrast("bilstm+attention", "transformer", "wer", -9.15, -11, -7, 0.0001, 0.01, True)
    second = replace(first, first="transformer", second="rnn", difference=0.4, significant=False)
    other = replace(second, metric="per", difference=7.0, significant=True)
    return Outcome((), standings, (first, second, other), Record(Path("o"), {"sources": 9}, {}))


def test_differences_are_read_from_the_best_model() -> None:
    file = io.StringIO()
    Console(file=file, width=80).print(comparison_table(outcome()))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in file.getvalue()
    assert [line.split()[-1] for line in lines] == ["best", "+9.15*", "best", "+0.40"]
    assert "30.25 to 32.25" in lines[1]
    assert "12.3 M" in lines[1]

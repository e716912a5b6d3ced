"""A whole task with fakes for toolkits: what is written, and where."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peers_samples import Fakes, environment, write_multi30k

import peers.__main__ as command
from peers import entries, material, session
from peers.catalogue import TASKS, TOOLKITS
from peers.contest import Entry, Outcome
from peers.contestant import Contestant, Start
from peers.material import Material
from peers.runners.corpus import Corpus
from peers.session import QUICK, Door, Plan, Sizes
from quality import RESULTS
from seq2see.data.batches import Batches, BatchPlan
from seq2see.data.store import Store
from seq2see.evaluate.metrics import Score


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    data = write_multi30k(tmp_path / "data")
    return Plan(
        data, "make bench-peers", tmp_path / "out", tmp_path / "home", replace(QUICK, rounds=2)
    )


def test_a_record_holds_everybody_and_how_it_was_made(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [Entry("seq2see", "fake"), Entry("eole", "fake", options={"fails": "at the start"})]
    monkeypatch.setattr(session, "contests", lambda *_: [asked])
    monkeypatch.setattr(Door, "enter", lambda _, entry: Fakes(tmp_path).enter(entry))
    session.run("training", plan)
    written = json.loads((plan.out / "peers-training.json").read_text(encoding="utf-8"))
    (contest,) = written["contests"]
    assert [row["name"].partition(",")[0] for row in contest] == ["seq2see", "eole"]
    assert len(contest[0]["windows"]) == 2
    assert contest[1]["error"].endswith("no such kernel")
    assert contest[1]["mended"]
    assert written["command"] == "make bench-peers"
    assert written["data"]["pairs"] == 40
    assert written["sizes"]["rounds"] == 2
    assert {"commit", "dirty", "machine", "shape"} <= set(written)
    assert (plan.out / "peers-training.svg").is_file()


def test_only_those_named_take_part_beside_seq2see(plan: Plan) -> None:
    some = replace(plan, only=("eole",))
    contest = next(iter(entries.contests("training", 2)))
    assert [each.toolkit for each in contest if some.takes(each)] == ["seq2see", "eole"]


def test_every_toolkit_is_entered_somewhere_and_known() -> None:
    entered = {e.toolkit for task in TASKS for c in entries.contests(task, 2) for e in c}
    assert entered == set(TOOLKITS)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("task", TASKS)
def test_every_contest_has_seq2see_and_a_runner_for_each(task: str, threads: int) -> None:
    runners = Path(session.__file__).parent / "runners"
    for contest in entries.contests(task, threads):
        assert contest[0].toolkit == "seq2see"
        assert all((runners / f"{entry.runner}.py").is_file() for entry in contest)
        assert len({entry.name for entry in contest}) == len(contest)


def test_runners_read_the_batches_that_seq2see_planned(plan: Plan) -> None:
    made = Material(plan.data, plan.home)
    made.folder.mkdir()
    facts = made.write_corpus(64)
    store = Store.open(made.folder / "store")
    ours = Batches(store, BatchPlan(64))
    theirs = Corpus(made.folder / "corpus.npz")
    groups = ours.epoch(0)
    assert facts["batches"] == len(groups) > 1
    for number, rows in enumerate([*groups, groups[0]]):
        a, b = ours.collate(rows), theirs.batch(number)
        assert torch.equal(a.source, b.source)
        assert torch.equal(a.target, b.target)
        assert torch.equal(a.wanted, b.wanted)
        assert torch.equal(a.real, b.real)
        assert a.tokens == b.tokens


def test_seq2see_itself_trains_by_the_protocol(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Material(plan.data, plan.home)
    made.folder.mkdir()
    made.write_corpus(64)
    tiny = {"kind": "transformer", "encoder_layers": 1, "decoder_layers": 1, "tied": "all"}
    monkeypatch.setattr(session, "MODEL", tiny | {"d_model": 8, "d_ff": 8, "heads": 2})
    door = Door("training", replace(plan, sizes=replace(QUICK, steps=2)), made.folder)
    job = door.job(Entry("seq2see", "ours"))
    begin = [sys.executable, "-m", "peers.runners.ours", json.dumps(job)]
    contestant = Contestant(Start(begin, plan.home / "log", environment(), 120.0))
    window = contestant.window(1)
    contestant.close()
    corpus = Corpus(made.folder / "corpus.npz")
    assert window["amount"] == corpus.batch(2).tokens + corpus.batch(3).tokens
    assert contestant.process.returncode == 0


def test_only_a_complete_run_is_written_where_the_records_stand(tmp_path: Path) -> None:
    def out(*words: str) -> Path:
        given = command.parser().parse_args([str(tmp_path), *words])
        return command.planned(given, [str(tmp_path), *words]).out

    assert out() == RESULTS
    assert out("--rounds", "7") == RESULTS
    assert out("--quick") != RESULTS
    assert out("--only", "eole") != RESULTS


def test_the_command_does_not_name_the_folder_of_the_data(tmp_path: Path) -> None:
    words = [str(tmp_path), "--task", "training", "--rounds", "7"]
    found = command.planned(command.parser().parse_args(words), words)
    assert str(tmp_path) not in found.command
    assert "--rounds 7" in found.command
    assert found.sizes == replace(Sizes(), rounds=7)


def test_a_toolkit_that_does_not_exist_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.parser().parse_args([str(tmp_path), "--only", "eloe"])
    assert "eole" in capsys.readouterr().err


def test_rows_lie_one_behind_the_other() -> None:
    found = material.flat("x", [[1, 2], [], [3]])
    assert found["x"].tolist() == [1, 2, 3]
    assert found["x_offsets"].tolist() == [0, 2, 2, 3]


def test_a_folder_without_the_data_is_told_without_a_traceback(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    with pytest.raises(SystemExit, match=r"train\.raw"):
        command.main([str(tmp_path), "--quick", "--task", "training", "--home", home])


class Judge:
    """Scores outputs by their number of ids."""

    def bleu(self, _: Path, outputs: list[list[int]]) -> Score:
        return Score("bleu", float(sum(map(len, outputs))), 0.0, 0.0, "sign", True, len(outputs))


def test_outputs_are_scored_and_compared_with_those_of_seq2see() -> None:
    given = [[[1], [2, 3]], [[1], [4, 5, 6]]]
    outcomes = [
        Outcome(Entry(name, "fake"), windows=[{"outputs": outputs}])
        for name, outputs in zip(("seq2see", "ctranslate2"), given, strict=True)
    ]
    rows: list[dict[str, Any]] = [{}, {}, {}]
    dead = Outcome(Entry("transformers", "fake"), error="died")
    session.score([*outcomes, dead], rows, Judge(), Path("model"))  # type: ignore[arg-type]
    assert rows[0] == {"bleu": 3.0, "signature": "sign", "same_as_seq2see": 1.0}
    assert rows[1] == {"bleu": 4.0, "signature": "sign", "same_as_seq2see": 0.5}
    assert rows[2] == {}

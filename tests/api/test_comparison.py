"""Several models on the same data, from the first run to the record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from seq2see.api import cell
from seq2see.api.comparison import Contest, Outcome, compare
from seq2see.api.model import load
from seq2see.api.standings import Trial
from seq2see.errors import ConfigError, DataError, TrainingError
from seq2see.train.journal import Observer, Validation, Window

QUICK = ("train.steps=4", "train.validations=2", "train.precision=float32", "decode.beam=1")


class Follower:
    """Notes what it is told; after `stop_in` it interrupts that run at its second validation."""

    def __init__(self, stop_in: str = "") -> None:
        self.stop_in, self.seen = stop_in, list[str]()
        self.notes, self.ended = list[str](), list[Trial]()

    def prepared(self, notes: Sequence[str]) -> None:
        self.notes += notes

    def begins(self, model: str, seed: int, state: str) -> Sequence[Observer]:
        self.seen.append(f"{model} {seed} {state}")
        return [Interrupter()] if model == self.stop_in else []

    def ends(self, trial: Trial) -> None:
        self.ended.append(trial)


class Interrupter:
    def window(self, record: Window) -> None: ...

    def validation(self, record: Validation) -> None:
        if record.step > 2:
            raise KeyboardInterrupt


@pytest.fixture
def contest(tmp_path: Path) -> Contest:
    pairs = [f"{a}{b}{c}\t{c}{b}{a}\tN;{a}" for a in "abcd" for b in "efgh" for c in "ijkl"]
    data = tmp_path / "pairs.tsv"
    data.write_text("\n".join(pairs) + "\n", encoding="utf-8")
    return Contest(
        str(data), ("rnn", "gru"), tmp_path / "out", QUICK, columns="source=1,target=2,features=3"
    )


def scores_of(outcome: Outcome) -> list[tuple[str, int, float]]:
    return [(t.model, t.seed, t.scores[0].value) for t in outcome.trials]


def test_every_model_and_seed_gets_one_run_on_one_split(contest: Contest) -> None:
    follower = Follower()
    outcome = compare(replace(contest, seeds=2), follower)
    assert follower.seen == ["rnn 1 new", "gru 1 new", "rnn 2 new", "gru 2 new"]
    assert follower.ended == list(outcome.trials)
    assert any("held out" in note for note in follower.notes)
    recipes = [load(contest.out / trial.name).recipe for trial in outcome.trials]
    assert [(r.model.kind, r.seed) for r in recipes] == [
        ("rnn", 1), ("gru", 1), ("rnn", 2), ("gru", 2),
    ]  # fmt: skip
    assert {r.data.dev for r in recipes} == {str(contest.out / "data" / "dev.jsonl")}
    held_out = {(contest.out / t.name / "training/dev.jsonl").read_bytes() for t in outcome.trials}
    assert len(held_out) == 1
    assert [one.seeds for one in outcome.standings] == [2, 2]
    assert [t.facts["steps"] for t in outcome.trials] == [4] * 4
    assert all(t.facts["tokens_per_second"] > 0 for t in outcome.trials)


def test_the_split_keeps_features_and_every_pair(contest: Contest) -> None:
    compare(replace(contest, models=("gru",)), Follower())
    parts = [
        [json.loads(line) for line in (contest.out / "data" / name).read_text("utf-8").splitlines()]
        for name in ("train.jsonl", "dev.jsonl")
    ]
    sources = [{row["source"] for row in part} for part in parts]
    assert len(sources[0] | sources[1]) == sum(map(len, parts)) == 64
    assert all(row["features"] == ["N", row["source"][0]] for part in parts for row in part)


def test_an_interrupted_comparison_goes_on(contest: Contest) -> None:
    with pytest.raises(KeyboardInterrupt):
        compare(contest, Follower(stop_in="gru"))
    record = json.loads((contest.out / "comparison.json").read_text("utf-8"))
    assert [run["model"] for run in record["runs"]] == ["rnn"]
    follower = Follower()
    resumed = compare(contest, follower)
    assert follower.seen == ["rnn 1 finished", "gru 1 resumed"]
    whole = compare(replace(contest, out=contest.out.with_name("whole")), Follower())
    assert scores_of(resumed) == scores_of(whole)
    assert [t.outputs for t in resumed.trials] == [t.outputs for t in whole.trials]


def test_finished_runs_are_neither_trained_nor_decoded_again(
    contest: Contest, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compare(contest, Follower())

    def never(*_: object, **__: object) -> None:
        raise AssertionError("worked again")

    monkeypatch.setattr(cell, "carry_out", never)
    monkeypatch.setattr(cell.Model, "translate", never)
    follower = Follower()
    again = compare(contest, follower)
    assert follower.seen == ["rnn 1 finished", "gru 1 finished"]
    assert (again.trials, again.standings) == (first.trials, first.standings)


def test_other_pairs_and_metrics_are_scored_without_training(contest: Contest) -> None:
    compare(contest, Follower())
    test = contest.out.with_name("test.tsv")
    test.write_text("aei\tiea\tN;a\nbfj\tjfb\tN;b\naei\tiae\tN;a\n", encoding="utf-8")
    follower = Follower()
    outcome = compare(replace(contest, test=str(test), metrics=("cer",)), follower)
    assert follower.seen == ["rnn 1 finished", "gru 1 finished"]
    assert [len(trial.outputs) for trial in outcome.trials] == [2, 2]
    assert [one.summaries[0].metric for one in outcome.standings] == ["cer", "cer"]
    rows = (contest.out / "gru-seed1" / "outputs.jsonl").read_text("utf-8").splitlines()
    assert json.loads(rows[0])["references"] == ["iea", "iae"]
    assert json.loads(rows[1])["output"] == outcome.trials[1].outputs[1]


def test_the_record_holds_what_was_asked_and_found(contest: Contest) -> None:
    outcome = compare(replace(contest, command="seq2see compare x"), Follower())
    record = json.loads(outcome.record.path.read_text("utf-8"))
    assert record["command"] == "seq2see compare x"
    assert record["training"]["draft"]["train"]["steps"] == 4
    assert [run["outputs"] for run in record["runs"]] == [
        "rnn-seed1/outputs.jsonl",
        "gru-seed1/outputs.jsonl",
    ]
    assert [row["model"] for row in record["table"]] == ["rnn", "gru"]
    assert {(c["first"], c["second"]) for c in record["contrasts"]} == {("rnn", "gru")}


def test_given_held_out_pairs_are_used_as_they_are(contest: Contest) -> None:
    dev = contest.out.with_name("dev.tsv")
    dev.write_text("aei\tiea\tN;a\nbfj\tjfb\tN;b\n", encoding="utf-8")
    outcome = compare(replace(contest, models=("gru",), dev=str(dev)), Follower())
    assert outcome.record.head["sources"] == 2
    assert not (contest.out / "data").exists()
    assert load(contest.out / "gru-seed1").recipe.data.train == contest.data


def test_runs_side_by_side_come_to_what_they_come_to_alone(contest: Contest) -> None:
    alone = compare(contest, Follower())
    follower = Follower()
    together = compare(replace(contest, jobs=2, out=contest.out.with_name("both")), follower)
    assert scores_of(together) == scores_of(alone)
    assert [t.outputs for t in together.trials] == [t.outputs for t in alone.trials]
    assert follower.seen == ["rnn 1 new", "gru 1 new"]
    assert sorted(t.model for t in follower.ended) == ["gru", "rnn"]


def test_an_error_of_a_run_in_a_process_of_its_own_is_told(contest: Contest) -> None:
    broken = replace(contest, jobs=2, assignments=(*QUICK, "train.rate=1e30"))
    with pytest.raises(TrainingError, match=r"loss is nan|weights are not finite"):
        compare(broken, Follower())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ()}, "two or more"),
        ({"models": ("gru", "gru")}, "named twice"),
        ({"models": ("gru", "perceptron")}, "perceptron"),
        ({"seeds": 0}, "1 or more"),
        ({"jobs": 0}, "1 or more"),
        ({"metrics": ("blue",)}, "blue"),
    ],
)
def test_a_wrong_question_is_refused(contest: Contest, changes: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(contest, **changes)


def test_a_setting_that_one_model_lacks_is_found_before_the_first_run(contest: Contest) -> None:
    wrong = replace(contest, models=("transformer", "gru"), assignments=("model.heads=2",))
    with pytest.raises(ConfigError, match="heads"):
        compare(wrong, Follower())
    assert not contest.out.exists()


def test_other_settings_need_another_folder(contest: Contest) -> None:
    compare(replace(contest, models=("gru",)), Follower())
    with pytest.raises(ConfigError, match="other training data, minutes or settings"):
        compare(replace(contest, assignments=("train.steps=6",)), Follower())


def test_absent_data_are_one_message(contest: Contest) -> None:
    with pytest.raises(DataError, match="absent"):
        compare(replace(contest, data="absent.tsv"), Follower())
    assert not contest.out.exists()

"""Turn by turn, with failures told and nobody held up by them."""

from __future__ import annotations

from pathlib import Path

import pytest
from peers_samples import Fakes

from peers.contest import Entry, hold
from peers.contestant import ContestantError


def fails(name: str, how: str) -> Entry:
    return Entry(name, "fake", options={"fails": how})


def test_each_takes_a_window_a_round_in_turn(tmp_path: Path) -> None:
    fakes = Fakes(tmp_path)
    outcomes = hold([Entry("one", "fake"), Entry("two", "fake")], 3, fakes.enter, str)
    assert fakes.diary() == ["one 0", "two 0", "one 1", "two 1", "one 2", "two 2"]
    assert [len(outcome.windows) for outcome in outcomes] == [3, 3]
    assert all(outcome.error == "" for outcome in outcomes)


def test_a_window_says_what_was_done_how_long_it_took_and_the_memory(tmp_path: Path) -> None:
    (outcome,) = hold([Entry("one", "fake")], 1, Fakes(tmp_path).enter, str)
    assert outcome.facts["parameters"] == 7
    assert set(outcome.facts["versions"]) == {"numpy"}
    (window,) = outcome.windows
    assert window["amount"] == 100
    assert 0.01 <= window["seconds"] < 10
    # Its own, not that of this process with torch in it.
    assert 1 < window["peak_memory_mb"] < 150


def test_one_that_does_not_start_is_told_with_its_last_line(tmp_path: Path) -> None:
    told: list[str] = []
    fakes = Fakes(tmp_path)
    entries = [fails("broken", "at the start"), Entry("two", "fake")]
    broken, two = hold(entries, 2, fakes.enter, told.append)
    assert broken.error == "ended with 1: RuntimeError: no such kernel"
    assert broken.windows == []
    assert len(two.windows) == 2
    assert any("no such kernel" in line for line in told)


def test_one_that_fails_in_between_keeps_its_windows_and_is_out(tmp_path: Path) -> None:
    fakes = Fakes(tmp_path)
    broken, two = hold([fails("broken", "in window 1"), Entry("two", "fake")], 3, fakes.enter, str)
    assert len(broken.windows) == 1
    assert broken.error == "ended with 1: ValueError: out of beans"
    assert len(two.windows) == 3
    assert fakes.diary() == ["broken 0", "two 0", "broken 1", "two 1", "two 2"]


def test_one_that_is_refused_is_never_started(tmp_path: Path) -> None:
    entry = Entry("one", "fake", "bfloat16", refusal="offers bfloat16 on GPUs alone")
    (outcome,) = hold([entry], 2, Fakes(tmp_path).enter, str)
    assert outcome.error == "offers bfloat16 on GPUs alone"
    assert not (tmp_path / "one.log").exists()


def test_one_that_keeps_silent_is_ended(tmp_path: Path) -> None:
    fakes = Fakes(tmp_path, patience=4.0)
    (outcome,) = hold([fails("mute", "by silence")], 1, fakes.enter, str)
    assert outcome.error == "no answer within 4 s"


def test_all_processes_have_ended_afterwards(tmp_path: Path) -> None:
    fakes, begun = Fakes(tmp_path), []

    def enter(entry: Entry) -> object:
        begun.append(fakes.enter(entry))
        return begun[-1]

    def interrupted(text: str) -> None:
        if "window" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hold([Entry("one", "fake"), Entry("two", "fake")], 1, enter, interrupted)  # type: ignore[arg-type]
    assert [each.process.poll() for each in begun] == [0, 0]


def test_a_process_that_is_gone_is_an_error_at_the_next_window(tmp_path: Path) -> None:
    contestant = Fakes(tmp_path).enter(Entry("one", "fake"))
    contestant.process.kill()
    contestant.process.wait()
    with pytest.raises(ContestantError, match="ended with -9"):
        contestant.window(0)


def test_an_entry_is_named_by_all_that_tells_it_apart() -> None:
    assert Entry("ct", "ct2", "int8", {"beam": 5}).name == "ct, int8, beam=5"

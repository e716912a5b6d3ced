"""The gallery is made of the records, and the records of what studies left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gallery
from seq2see.study.catalogue import NAMES
from seq2see.study.measures import EXACT
from seq2see.study.patterns import APART
from seq2see.study.single import HARM, MATTER


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gallery, "RECORDS", tmp_path / "records")
    monkeypatch.setattr(gallery, "PAGES", tmp_path / "pages")
    return tmp_path


def left_behind(folder: Path, few: float, many: float, name: str = "study-heads") -> None:
    """Writes what a finished run of `heads` leaves, with made-up readings."""

    def outcome(heads: str, seed: int) -> dict[str, object]:
        value = (many if heads == "8" else few) + 0.1 * seed
        readings = [
            {"measure": measure, "value": value, "at": None, "series": ""}
            for measure in (EXACT, APART, HARM, MATTER)
        ]
        readings += [
            {"measure": HARM, "value": value / 100, "at": None, "series": at}
            for at in ("encoder.0.self", "decoder.1.cross")
        ]
        return {"labels": {"heads": heads}, "seed": seed, "readings": readings, "seconds": 60.0}

    outcomes = [outcome(heads, seed) for heads in ("1", "2", "4", "8") for seed in (1, 2, 3)]
    run = folder / name
    run.mkdir(parents=True)
    facts = {
        "study": "heads",
        "command": f"seq2see study heads --out {run} --jobs 1",
        "verdict": {"answer": "undecided", "sentence": "As told then."},
        "outcomes": outcomes,
    }
    (run / "study.json").write_text(json.dumps(facts), encoding="utf-8")


def test_a_finished_run_becomes_a_record_and_a_page(place: Path) -> None:
    left_behind(place / "runs", few=90.0, many=95.0)
    gallery.main([str(place / "runs")])
    facts = json.loads((place / "records" / "heads.json").read_text(encoding="utf-8"))
    assert facts["seeds"] == [1, 2, 3]
    assert facts["minutes"] == 12.0
    assert facts["command"] == "seq2see study heads --jobs 1"
    assert {"commit", "dirty", "cores", "outcomes"} <= set(facts)
    home = (place / "pages" / "index.md").read_text(encoding="utf-8")
    page = (place / "pages" / "heads.md").read_text(encoding="utf-8")
    answer = next(line for line in page.split("\n") if line.startswith("**"))
    assert answer in home
    assert "seq2see study heads --jobs 1" in page
    assert (place / "pages" / "heads-accuracy.png").read_bytes()[:4] == b"\x89PNG"


def test_questions_stand_in_the_order_of_the_lecture_run_or_not(place: Path) -> None:
    left_behind(place / "runs", few=90.0, many=95.0)
    gallery.main([str(place / "runs")])
    home = (place / "pages" / "index.md").read_text(encoding="utf-8")
    heads = [line for line in home.split("\n") if line.startswith("## ")]
    assert len(heads) == len(NAMES)
    assert home.count("Not run at its full size yet") == len(NAMES) - 1


def test_what_real_data_say_stands_below_what_the_task_says(place: Path) -> None:
    left_behind(place / "runs", few=90.0, many=95.0)
    left_behind(place / "runs", few=70.0, many=60.0, name="study-heads-cmudict")
    gallery.main([str(place / "runs")])
    home = (place / "pages" / "index.md").read_text(encoding="utf-8")
    task, real = ((place / "pages" / f"{name}.md").read_text(encoding="utf-8") for name in
                  ("heads", "heads-cmudict"))  # fmt: skip
    assert "90" in task.split("\n")[2]
    assert "70" in real.split("\n")[2]
    assert home.index(task.split("\n")[2]) < home.index("On CMUdict")
    assert home.index("On CMUdict") < home.index(real.split("\n")[2])
    assert "(heads-cmudict-accuracy.png)" in real
    assert (place / "pages" / "heads-cmudict-accuracy.png").is_file()


def test_a_run_that_has_not_ended_is_no_record(place: Path) -> None:
    (place / "runs" / "study-far").mkdir(parents=True)
    gallery.main([str(place / "runs")])
    assert not (place / "records").exists()


def test_the_committed_pages_say_what_the_committed_records_say() -> None:
    keys = (f"{name}{data}" for name in NAMES for data in ("", *(f"-{d}" for d in gallery.REAL)))
    wanted = [key for key in keys if gallery.record(key) is not None]
    assert wanted
    for name in wanted:
        facts = gallery.record(name)
        assert facts is not None
        page = (gallery.PAGES / f"{name}.md").read_text(encoding="utf-8")
        assert f"**{gallery.made(name, facts).answer}**" in page, f"renew: {gallery.__doc__}"

"""All models of a study: resumed, several at a time, and out of a person's own file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from study_samples import options

from seq2see.errors import ConfigError
from seq2see.study import trial
from seq2see.study.carry_out import carry_out
from seq2see.study.catalogue import NAMES, find

OWN = """
from dataclasses import replace

from seq2see.study.lecture import bottleneck
from seq2see.study.plan import Factor

STUDY = replace(
    bottleneck.STUDY,
    name="own",
    factors=(Factor.setting("attention", "model.attention", ("none", "dot")),),
    material=replace(bottleneck.STUDY.material, train=40, dev=5, test=8),
)
"""
SMALL = ("model.d_embedding=8", "model.d_hidden=8")


def quiet(_: str) -> None:
    """Listens to nothing."""


def test_a_study_of_one_s_own_goes_on_where_it_stopped_and_gives_the_same_on_two_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN, encoding="utf-8")
    said: list[str] = []
    first = carry_out(str(file), 1, options(tmp_path, *SMALL), 1, said.append)
    assert said[0].startswith("1 of 2: attention none, seed 1: ")
    assert re.search(r" \(\d+ s\), about \d+ s left$", said[0])
    assert said[1].endswith(" s)")
    assert [one.labels for one in first.outcomes] == [{"attention": "none"}, {"attention": "dot"}]

    both = carry_out(str(file), 1, options(tmp_path / "two", *SMALL), 2, quiet)
    assert [one.readings for one in both.outcomes] == [one.readings for one in first.outcomes]

    monkeypatch.setattr(trial, "trained", lambda *_: pytest.fail("a model is trained again"))
    assert carry_out(str(file), 1, options(tmp_path, *SMALL), 1, quiet) == first
    with pytest.raises(ConfigError, match="other settings or data"):
        carry_out(str(file), 1, options(tmp_path, *SMALL, "train.rate=0.1"), 1, quiet)
    with pytest.raises(pytest.fail.Exception):  # another seed has not been trained
        carry_out(str(file), 2, options(tmp_path, *SMALL), 1, quiet)


def test_a_wrong_name_or_file_says_what_is_meant(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="heads"):
        find("haeds")
    with pytest.raises(ConfigError, match="no such file"):
        find(str(tmp_path / "none.py"))
    empty = tmp_path / "empty.py"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no study"):
        find(str(empty))
    assert find("far").name == "far" in NAMES


def test_own_data_are_refused_where_a_study_varies_the_task(tmp_path: Path) -> None:
    data = tmp_path / "pairs.tsv"
    data.write_text("a\tb\n" * 20, encoding="utf-8")
    said = replace(options(tmp_path), data=str(data), dev=str(data))
    with pytest.raises(ConfigError, match="this study varies task"):
        carry_out("bottleneck", 1, said, 1, quiet)


def test_the_time_of_training_counts_though_a_model_stands_already(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN, encoding="utf-8")
    carry_out(str(file), 1, options(tmp_path, *SMALL), 1, quiet)
    [readings] = tmp_path.rglob("*none-seed1/readings.json")
    folder = readings.parent
    (folder / "readings.json").unlink()  # stopped between training and measuring
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    scores["training"]["seconds"] = 1000.0
    (folder / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    again = carry_out(str(file), 1, options(tmp_path, *SMALL), 1, quiet)
    # To a tenth of a second; measuring may take less.
    assert 1000 <= again.outcomes[0].seconds < 1100

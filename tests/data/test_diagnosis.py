from __future__ import annotations

import json
import re
from pathlib import Path

from seq2see.data.doctor import Limits, examine


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_a_diagnosis_goes_through_json_with_stable_keys(tmp_path):
    path = write(tmp_path, "a.tsv", "\n\na\n")
    diagnosis = examine(path, against=path, limits=Limits(examples=1))
    content = json.loads(json.dumps(diagnosis.as_dict()))
    assert list(content) == ["data", "summary", "findings", "overlap", "errors"]
    assert content["data"] == str(path)
    assert content["errors"] == diagnosis.errors == 2
    empty = content["findings"]["empty"]
    assert list(empty) == ["count", "lines", "meaning", "severity", "mend"]
    assert (empty["count"], empty["lines"], empty["severity"]) == (2, [1], "warning")
    assert list(content["findings"]) == [item.name for item in diagnosis.findings]
    assert content["summary"]["source"]["longest"] == 0
    assert examine(path).as_dict()["overlap"] is None
    assert "leaked_sources" not in examine(path).as_dict()["findings"]


def test_every_finding_says_what_it_means_and_what_to_do(tmp_path):
    path = write(tmp_path, "a{b}.tsv", "a\tb\n")
    for item in examine(path, against=path).findings:
        assert item.meaning.endswith("."), item.name
        assert item.mend and not item.mend.endswith("."), item.name
        assert not re.search(r"\{(?!b\}|\"source)", item.meaning + item.mend), item.name

"""A folder laid out like a data set of the Hugging Face hub, read by the real library, offline."""

from __future__ import annotations

from pathlib import Path

import pytest

CARD = """---
configs:
- config_name: en-de
  default: true
  data_files:
  - split: train
    path: en-de/train.jsonl
  - split: dev
    path: en-de/dev.jsonl
- config_name: tagged
  data_files:
  - split: train
    path: tagged/train.jsonl
---
"""
ROWS = {
    "README.md": CARD,
    "en-de/train.jsonl": '{"translation": {"en": "a", "de": "b"}}\n'
    '{"translation": {"en": "c", "de": "d"}}\n',
    "en-de/dev.jsonl": '{"translation": {"en": "e", "de": "f"}}\n',
    "tagged/train.jsonl": '{"source": "go", "target": "went", "features": ["V", "PST"]}\n'
    '{"source": "be", "target": null, "features": []}\n',
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """DATA without configuration and split: the default one is `en-de`, the other `tagged`."""
    import datasets
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    for name, text in ROWS.items():
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return f"hf:{tmp_path / 'set'}"

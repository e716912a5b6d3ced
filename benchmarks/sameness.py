"""Whether a search finds the same however it is made fast: in batches, by workers, in precisions.

    python benchmarks/sameness.py BUNDLE --data TEST [--beam N ...]

Each source of TEST is searched alone in float32, and then side by side with others: in batches of
several sizes, in the other precisions, and by the model's shortlist if it has one. How many outputs
are the same, and what that makes of the metric, is recorded in benchmarks/results/sameness.json
under the folder's name.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import seq2see as s2s
from quality import cores, keep, results, revision
from seq2see.recipe.judging import Examination, examine_by

TASK = "sameness"
ALONE: dict[str, Any] = {"precision": "float32", "workers": 1}
WAYS: dict[str, dict[str, Any]] = {
    "float32, 512 tokens": {"precision": "float32", "batch_tokens": 512},
    "float32, 8192 tokens": {"precision": "float32", "batch_tokens": 8192},
    "float32, 65536 tokens": {"precision": "float32", "batch_tokens": 65536, "workers": 1},
    "bfloat16": {"precision": "bfloat16", "batch_tokens": 8192},
    "int8": {"precision": "int8", "batch_tokens": 8192},
}
"""What is compared with a search of each source alone."""

LISTED: dict[str, dict[str, Any]] = {
    f"{way}, shortlist": {**WAYS[name], "shortlist": True}
    for way, name in {"float32": "float32, 8192 tokens", "int8": "int8"}.items()
}
"""What else is, where the model has a shortlist."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Compares all ways for one bundle, beam by beam, and records each beam at once."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", required=True, help="what is decoded and scored")
    parser.add_argument("--beam", type=int, nargs="+", default=[1, 5])
    given = parser.parse_args(arguments)
    model, name = s2s.load(given.bundle), given.bundle.resolve().name
    examination = examine_by(model.read(given.data))
    ways = WAYS if model.bundles[0].shortlist is None else WAYS | LISTED
    for beam in given.beam:
        found = {"alone": decoded(model, examination, beam, ALONE, together=False)}
        for way, options in ways.items():
            found[way] = decoded(model, examination, beam, options)
            told = compared(found[way], found["alone"])
            print(f"{name}, beam {beam}, {way}: {told}", flush=True)
        facts = {way: compared(each, found["alone"]) for way, each in found.items()}
        about = {"data": Path(given.data.split(",")[0]).name, "cores": cores(), **revision()}
        keep(TASK, f"{name}/beam {beam}", {"ways": facts, **about})
    print(*summary(name), sep="\n")


def decoded(
    model: s2s.Model,
    examination: Examination,
    beam: int,
    options: dict[str, Any],
    *,
    together: bool = True,
) -> dict[str, Any]:
    """Decodes all sources one way, in one call or each in a call of its own."""
    translator, sources = model.translator(beam=beam, **options), examination.sources
    calls = [sources] if together else [[source] for source in sources]
    begin = time.perf_counter()
    texts = [nbest[0].text for call in calls for nbest in translator.translate(call)]
    seconds = round(time.perf_counter() - begin, 1)
    return {"outputs": texts, "score": examination.score(texts)[0], "seconds": seconds}


def compared(found: dict[str, Any], alone: dict[str, Any]) -> dict[str, Any]:
    """Tells how the outputs of one way differ from those of each source alone."""
    same = [a == b for a, b in zip(found["outputs"], alone["outputs"], strict=True)]
    return {
        "outputs": len(same),
        "different": len(same) - sum(same),
        "metric": found["score"].metric,
        "score": found["score"].value,
        "change": found["score"].value - alone["score"].value,
        "seconds": found["seconds"],
    }


def summary(name: str) -> list[str]:
    """Writes a Markdown table of one bundle's comparisons."""
    lines = ["| beam | search | different outputs | score | change |", "|--:|---|--:|--:|--:|"]
    for key, facts in results(TASK).items():
        bundle, _, beam = key.rpartition("/beam ")
        if bundle == name:
            lines += [
                f"| {beam} | {way} | {each['different']} of {each['outputs']} |"
                f" {each['metric']} {each['score']:.2f} | {each['change']:+.2f} |"
                for way, each in facts["ways"].items()
            ]
    return lines


if __name__ == "__main__":
    main()

"""Measures what a training step costs as texts, vocabularies and networks grow.

    python benchmarks/growth.py KIND [KIND ...] [--precision NAME] [--threads N]

KIND is `length` (16 to 8,192 tokens, as many of them in every batch), `vocabulary` (1,000 to 64,000
entries) or `size` (width and layers up to `base`). Each point is measured in a process of its own,
whose peak memory is then its own too, written to benchmarks/results/growth-KIND.json, and drawn
beside it.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.benchmark import set_torch_threads

from drawing import write_svg
from growth_data import memory
from quality import RESULTS, ROOT, cores, revision
from seq2see.bench.flops import Load, of_training
from seq2see.bench.peak import SQUARE, multiplying
from seq2see.bench.subjects import subject
from seq2see.bench.timing import repeat
from seq2see.bench.training import RATE, updates
from seq2see.data.batches import Batch
from seq2see.data.tokenizers import END, SPECIALS, START
from seq2see.nn.network import Network, Sizes
from seq2see.nn.precision import cast
from seq2see.report.charts import Axis, bars
from seq2see.train.settings import Precision

TOKENS = 8192
"""Target tokens of a batch where texts or networks grow: one text of the longest, and enough to
share the cost of an update that no token has (the optimizer's)."""

_PATIENCE = 600.0
"""Seconds that one point may take."""


@dataclass(frozen=True)
class Point:
    """What is measured.

    Args:
        settings: `key=value` settings over those of `small`.
        vocabulary: entries of both sides together.
        rows: texts of a batch.
        length: tokens of each, on both sides.
    """

    settings: tuple[str, ...] = ()
    vocabulary: int = 8000
    rows: int = 256
    length: int = 16


def lengths() -> dict[str, Point]:
    """Texts of 16 to 8,192 tokens; a batch has as many tokens at every length."""
    every = (16 * 2**step for step in range(10))
    return {str(each): Point(rows=TOKENS // each, length=each) for each in every}


def vocabularies() -> dict[str, Point]:
    """Vocabularies of 1,000 to 64,000 entries."""
    return {str(1000 * 2**step): Point(vocabulary=1000 * 2**step) for step in range(7)}


def sizes() -> dict[str, Point]:
    """Networks from 128 features and 3 layers on each side to those of `base`."""
    shapes = ((128, 3), (256, 3), (256, 6), (512, 3), (512, 6))
    return {
        f"{width} wide, {layers} layers": Point(
            (
                f"model.d_model={width}",
                f"model.d_ff={4 * width}",
                f"model.heads={width // 64}",
                f"model.encoder_layers={layers}",
                f"model.decoder_layers={layers}",
            ),
            rows=TOKENS // Point.length,
        )
        for width, layers in shapes
    }


KINDS: dict[str, Callable[[], dict[str, Point]]] = {
    "length": lengths,
    "vocabulary": vocabularies,
    "size": sizes,
}

DRAWN = (
    ("speed", "tokens_a_second", "target tokens a second"),
    ("memory", "memory_mb", "MB that training takes"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures the kinds named on the command line, point by point."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="+", choices=KINDS)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--point", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.point:
        point = KINDS[given.kinds[0]]()[given.point]
        with set_torch_threads(given.threads):
            print(json.dumps(measured(point, given.precision)))
        return
    for kind in given.kinds:
        curve = {}
        for name in KINDS[kind]():
            curve[name] = _apart(kind, name, given)
            print(kind, name, curve[name], flush=True)
        record(kind, curve, given)


def measured(point: Point, precision: Precision) -> dict[str, Any]:
    """Trains on one batch over and over, and says what an update costs."""
    one = subject("small", *point.settings)
    before = memory()["held_mb"]
    size = Sizes(point.vocabulary, point.vocabulary)
    network = cast(Network(one.settings, size).train(), precision)
    batch = made_up(point)
    load = Load.of(batch)
    update = updates(network, one.recipe.train)
    found = repeat(lambda: update(batch, RATE), _PATIENCE / 8, _PATIENCE)
    peak = memory()["peak_mb"]
    products = repeat(multiplying(SQUARE, precision), 1.0, _PATIENCE)
    operations = of_training(one.settings, size, load) / batch.tokens
    return {
        "tokens": batch.tokens,
        "parameters": network.parameter_count,
        "seconds_an_update": round(batch.tokens / found.value, 4),
        "tokens_a_second": round(found.value, 1),
        "slowest": round(found.low, 1),
        "fastest": round(found.high, 1),
        "updates": found.repetitions,
        "utilisation": float(f"{found.value * operations / products.value:.3g}"),
        "memory_mb": round(peak - before),
    }


def made_up(point: Point) -> Batch:
    """Draws texts of one length."""
    random = torch.Generator().manual_seed(1)
    shape = (point.rows, point.length)
    source, wanted = (
        torch.randint(len(SPECIALS), point.vocabulary, shape, generator=random) for _ in range(2)
    )
    source[:, -1], wanted[:, -1] = END, END
    target = torch.cat([torch.full((point.rows, 1), START), wanted[:, :-1]], dim=1)
    real = torch.ones(shape, dtype=torch.bool)
    return Batch(source, real, target, wanted, wanted.numel(), np.arange(point.rows))


def _apart(kind: str, name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Measures a point in a process of its own, or says why it could not."""
    command = [sys.executable, __file__, kind, "--point", name, "--precision", given.precision]
    ran = subprocess.run(
        [*command, "--threads", str(given.threads)], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        return {"error": (ran.stderr.strip().splitlines() or [f"ended with {ran.returncode}"])[-1]}
    found: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return found


def record(kind: str, curve: dict[str, Any], given: argparse.Namespace) -> None:
    """Writes a kind's curve."""
    shared = f"--precision {given.precision} --threads {given.threads}"
    facts = {
        "command": f"python benchmarks/growth.py {kind} {shared}",
        **revision(),
        "machine": f"{platform.machine()}, {cores()} cores, no GPU",
        "torch": torch.__version__,
        "points": {name: asdict(point) for name, point in KINDS[kind]().items()},
        "curve": curve,
    }
    path = RESULTS / f"growth-{kind}.json"
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    draw(kind, curve)
    print(path.relative_to(ROOT))


def draw(kind: str, curve: dict[str, Any]) -> None:
    """Draws speed and memory of every point that could be measured."""
    for name, field, title in DRAWN:
        rows = [
            {"name": point, "value": each[field]} for point, each in curve.items() if field in each
        ]
        if rows:
            chart = bars(rows, Axis("name", kind, type="nominal"), Axis("value", title, zero=True))
            write_svg(chart, RESULTS / f"growth-{kind}-{name}.svg")


if __name__ == "__main__":
    main()

"""What was trained, on what, how well it does, and with which settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from seq2see.report.charts import Axis, bars
from seq2see.report.numbers import counted, duration, fixed, percent, span, whole
from seq2see.report.subject import Subject
from seq2see.report.view import Figure, Page, table

NAMES = {
    "accuracy": "accuracy",
    "bleu": "BLEU",
    "bleu-tok": "BLEU of tokens",
    "chrf": "chrF",
    "wer": "word error rate",
    "per": "phone error rate",
    "cer": "character error rate",
}
"""How metrics are called in sentences."""

HELD = "all held-out pairs"


def page(subject: Subject) -> Page:
    """Makes the page."""
    rows = [*_recorded(subject), *_measured(subject)]
    return Page(
        "card",
        "Card",
        "What was trained, and how good is it?",
        _answer(subject, rows[0]),
        "An interval says how much the score would change with other sources of the same kind; it"
        " says nothing of other seeds or of other kinds of text.",
        (_scores(subject, rows), _parts(subject), _facts(subject), _recipe(subject)),
    )


def metric_name(metric: str) -> str:
    """Names a metric as a sentence does."""
    return NAMES.get(metric, metric)


def a_metric(metric: str) -> str:
    """Names a metric with its article."""
    name = metric_name(metric)
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _answer(subject: Subject, best: dict[str, Any]) -> str:
    training = subject.model.scores.get("training", {})
    seconds = f" in {duration(training['seconds'])}" if "seconds" in training else ""
    pairs = f" on {counted(training['pairs'], 'pair')}" if "pairs" in training else ""
    return (
        f"A network of {whole(subject.network.parameter_count)} parameters,"
        f" trained{seconds}{pairs}, has {a_metric(best['metric'])} of {fixed(best['value'])}"
        f" ({span(best['low'], best['high'])}) on {counted(best['sources'], 'source')}."
    )


def _recorded(subject: Subject) -> list[dict[str, Any]]:
    return [{**score, "on": HELD} for score in subject.model.scores.get("dev", ())]


def _measured(subject: Subject) -> list[dict[str, Any]]:
    """Scores of the sources that the report decoded."""
    drawn = len(subject.asked.sources) < len(subject.every.sources)
    where = f"{'a sample of ' if drawn else ''}{subject.data}"
    return [{**vars(score), "on": where} for score in subject.scores]


def _scores(subject: Subject, rows: list[dict[str, Any]]) -> Figure:
    heads = ("metric", "value", "95 % interval", "sources", "on", "signature")
    cells = [
        (
            metric_name(row["metric"]),
            fixed(row["value"]),
            span(row["low"], row["high"]),
            whole(row["sources"]),
            row["on"],
            row["signature"],
        )
        for row in rows
    ]
    right = sum(subject.right)
    return Figure(
        "scores",
        "Scores",
        f"Scores with their 95 % bootstrap intervals, {len(rows)} rows.",
        table=table(heads, cells, heads[1:4]),
        caption=f"{percent(right / len(subject.right), 1)} of the {whole(len(subject.right))}"
        " outputs decoded for this report equal a reference. Of error rates lower is better, of all"
        " others higher.",
        open=True,
    )


def _parts(subject: Subject) -> Figure:
    sizes = list(parameters_by_part(subject.network))
    total = sum(size for _, size in sizes)
    rows = [{"part": name, "parameters": size} for name, size in sizes]
    largest = max(sizes, key=lambda one: one[1])
    return Figure(
        "parts",
        "Parameters by part",
        f"Bars of parameters for {len(sizes)} parts; the largest is {largest[0]} with"
        f" {percent(largest[1] / total)} of them.",
        bars(rows, Axis("part", ""), Axis("parameters", "parameters", "~s", zero=True)),
        table(
            ("part", "parameters", "share"),
            [(name, whole(size), percent(size / total, 1)) for name, size in sizes],
            ("parameters", "share"),
        ),
        "A matrix that serves twice counts where it stands first.",
    )


def parameters_by_part(network: nn.Module) -> Iterator[tuple[str, int]]:
    """Counts the parameters of each part of a network, each once."""
    seen: set[int] = set()
    parts = {
        "source embedding": ("source.",),
        "target embedding": ("target.",),
        "output matrix": ("output.",),
        "encoder": ("encoder.",),
        "decoder": ("decoder.",),
    }
    for part, starts in parts.items():
        size = 0
        for name, parameter in network.named_parameters():
            if name.startswith(starts) and id(parameter) not in seen:
                seen.add(id(parameter))
                size += parameter.numel()
        if size:
            yield part, size


def _facts(subject: Subject) -> Figure:
    training = subject.model.scores.get("training", {})
    recipe, layouts = subject.model.recipe, subject.translator.tokenizers
    rows = [
        ("trained on", recipe.data.train),
        ("looked at on", f"{subject.data}: {counted(len(subject.every.sources), 'source')}"),
        ("decoded for this report", counted(len(subject.asked.sources), "source")),
        ("opened one by one", counted(len(subject.numbers), "pair")),
        ("source tokens", f"{recipe.data.source}, {counted(layouts.source.size, 'id')}"),
        ("target tokens", f"{recipe.data.target}, {counted(layouts.target.size, 'id')}"),
        *((name.replace("_", " "), _shown(value)) for name, value in training.items()),
    ]
    return Figure(
        "facts", "Facts of the run", "Facts of the run.", table=table(("fact", "value"), rows, ())
    )


def _shown(value: Any) -> str:
    return whole(value) if isinstance(value, int) else fixed(float(value))


def _recipe(subject: Subject) -> Figure:
    tree = subject.model.recipe.as_tree()
    rows = [
        (f"{section}.{name}", str(value))
        for section in ("model", "train", "decode")
        for name, value in tree.get(section, {}).items()
    ]
    return Figure(
        "recipe",
        "Recipe",
        "Every setting of network, training and search.",
        table=table(("setting", "value"), rows, ()),
    )

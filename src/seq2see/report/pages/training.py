"""The curves of training, as the run's own journal has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seq2see.evaluate.metrics import metric_named
from seq2see.report.charts import Axis, lines
from seq2see.report.numbers import counted, duration, fixed, significant, whole
from seq2see.report.pages.card import a_metric, metric_name
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Figure, Page, table

TITLE = "Training"
Rows = Sequence[dict[str, Any]]


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    windows = [row for row in subject.journal if row["kind"] == "train"]
    validations = [row for row in subject.journal if row["kind"] == "validation"]
    if not windows:
        return Absent(TITLE, "The model has lost the journal of its training.")
    scored = (_validations(validations),) if validations else ()
    return Page(
        "training",
        TITLE,
        "Did it learn, and was it still learning when it stopped?",
        _answer(windows, validations),
        "The loss is that of training, with dropout and label smoothing, so that it stays above"
        " what the finished model would have; only the validations tell what is learnt for good.",
        (_losses(windows), *scored, _rates(windows), _norms(windows)),
    )


def _answer(windows: Rows, validations: Rows) -> str:
    first, last = windows[0], windows[-1]
    text = (
        f"The loss went from {fixed(first['loss'])} to {fixed(last['loss'])} nats a target token in"
        f" {counted(last['step'], 'step')} and {duration(last['seconds'])}"
    )
    if not validations:
        return f"{text}; nothing was validated."
    best = best_of(validations)
    place = "the last of them" if best is validations[-1] else "not the last of them"
    return (
        f"{text}; of {counted(len(validations), 'validation')} the best,"
        f" {a_metric(best['metric'])} of {fixed(best['score'])}, came after step"
        f" {whole(best['step'])}, {place}."
    )


def best_of(validations: Rows) -> dict[str, Any]:
    """Returns the best validation, the first of equals."""
    sign = 1 if metric_named(validations[0]["metric"]).higher_is_better else -1
    return max(validations, key=lambda row: sign * row["score"])


def _losses(windows: Rows) -> Figure:
    named = (("loss", "loss, smoothed labels"), ("likelihood", "loss, plain"))
    rows = [
        {"step": row["step"], "nats": row[key], "kind": name}
        for key, name in named
        for row in windows
    ]
    cells = [
        (
            whole(row["step"]),
            fixed(row["epoch"]),
            fixed(row["loss"], 3),
            fixed(row["likelihood"], 3),
        )
        for row in windows
    ]
    heads = ("step", "epoch", "loss", "plain")
    low = min(windows, key=lambda row: row["likelihood"])
    return Figure(
        "loss",
        "Loss",
        f"Two lines over {counted(len(windows), 'record')}; the plain loss is lowest,"
        f" {fixed(low['likelihood'])} nats, at step {whole(low['step'])}.",
        lines(rows, Axis("step", "step", "d"), Axis("nats", "nats a target token"), series="kind"),
        table(heads, cells, heads),
        "Each point is the mean of the steps since the one before it.",
    )


def _validations(rows: Rows) -> Figure:
    name = metric_name(rows[0]["metric"])
    cells = [
        (whole(row["step"]), duration(row["seconds"]), fixed(row["score"]), "best" * row["best"])
        for row in rows
    ]
    best = best_of(rows)
    return Figure(
        "validation",
        f"Validation: {name}",
        f"{counted(len(rows), 'point')}; the best is {fixed(best['score'])} at step"
        f" {whole(best['step'])}.",
        lines(rows, Axis("step", "step", "d"), Axis("score", name), points=True),
        table(("step", "time", name, "so far"), cells, ("step", "time", name)),
        "Greedy search on a part of the held-out pairs, so these scores differ a little from the"
        " card's.",
    )


def _rates(windows: Rows) -> Figure:
    top = max(windows, key=lambda row: row["rate"])
    cells = [(whole(row["step"]), significant(row["rate"])) for row in windows]
    return Figure(
        "rate",
        "Learning rate",
        f"A line that is highest, {significant(top['rate'])}, at step {whole(top['step'])}.",
        lines(windows, Axis("step", "step", "d"), Axis("rate", "learning rate", "~g", zero=True)),
        table(("step", "rate"), cells, ("step", "rate")),
        half=True,
    )


def _norms(windows: Rows) -> Figure:
    top = max(windows, key=lambda row: row["gradient_norm"])
    cells = [(whole(row["step"]), fixed(row["gradient_norm"], 3)) for row in windows]
    return Figure(
        "gradient",
        "Gradient norm",
        f"A line that is highest, {fixed(top['gradient_norm'])}, at step {whole(top['step'])}.",
        lines(
            windows, Axis("step", "step", "d"), Axis("gradient_norm", "gradient norm", zero=True)
        ),
        table(("step", "norm"), cells, ("step", "norm")),
        "Before clipping, of the last step of each record: single steps, so it is rough.",
        half=True,
    )

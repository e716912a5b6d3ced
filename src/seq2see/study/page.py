"""A study as a page: what was asked, what came out, and how to do it again."""

from __future__ import annotations

import argparse
import math
import shlex
from typing import Any

from seq2see.errors import DataError
from seq2see.report.numbers import fixed, significant
from seq2see.report.view import Figure, Page, Report, table
from seq2see.study.plan import Study
from seq2see.study.results import Results, Summary
from seq2see.study.verdict import Verdict


def page(study: Study, results: Results, verdict: Verdict, command: str) -> Page:
    """Makes a study's page.

    Args:
        study: what was asked.
        results: what came out.
        verdict: what it says to the hypothesis.
        command: what does it again.
    """
    return Page(
        name=study.name,
        title=study.name.capitalize(),
        question=study.question,
        answer=f"{verdict.answer.capitalize()}. {verdict.sentence}",
        caution=study.caution,
        figures=(*study.figures(results), _figures(results), _conduct(study, results, command)),
    )


def report(study: Study, results: Results, verdict: Verdict, command: str) -> Report:
    """Makes a report of a study alone."""
    subtitle = f"a controlled experiment · {verdict.answer}"
    return Report(study.question, subtitle, (page(study, results, verdict, command),))


def _figures(results: Results) -> Figure:
    """Lists every plain measure of every condition."""
    conditions = list(results.conditions())
    names: list[tuple[str, str]] = []
    for outcome in results.outcomes:
        for reading in outcome.readings:
            key = (reading.measure, reading.series)
            if reading.at is None and key not in names:
                names.append(key)
    heads = [*conditions[0], *(" ".join(filter(None, key)) for key in names)]
    rows = [
        [*labels.values(), *(_cell(results, measure, series, labels) for measure, series in names)]
        for labels in conditions
    ]
    seeds = len({outcome.seed for outcome in results.outcomes})
    return Figure(
        name="figures",
        title="All figures",
        alt="A table of every measure of every condition.",
        table=table(heads, rows, heads[len(conditions[0]) :]),
        caption=f"Means over {seeds} seeds, with the 95 % interval of the mean (Student's t).",
        open=True,
    )


def _cell(results: Results, measure: str, series: str, labels: dict[str, str]) -> str:
    where: dict[str, Any] = {name.replace(" ", "_"): label for name, label in labels.items()}
    try:
        found = results.summary(measure, series=series, **where)
    except DataError:
        return "–"
    return shown(found)


def shown(summary: Summary) -> str:
    """Writes a mean with its interval."""
    if math.isnan(summary.low):
        return significant(summary.value)
    large = abs(summary.value) >= 10
    write = (lambda x: fixed(x, 1)) if large else significant
    return f"{write(summary.value)} ({write(summary.low)} to {write(summary.high)})"


def _conduct(study: Study, results: Results, command: str) -> Figure:
    seconds = sum(outcome.seconds for outcome in results.outcomes)
    rows = (
        ("hypothesis, written before the run", study.hypothesis),
        ("varied", study.varied),
        ("held fixed", study.fixed),
        ("pairs", _pairs(study, command)),
        ("models", f"{len(results.outcomes)}, in {seconds / 60:.1f} minutes of one core each"),
        ("again", command),
    )
    return Figure(
        name="conduct",
        title="How it was done",
        alt="What was varied, what was held fixed, what was expected, and the command.",
        table=table(("", "what"), rows, ()),
        open=True,
    )


def _pairs(study: Study, command: str) -> str:
    """Names the task, or the data that took its place."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    said, _ = parser.parse_known_args(shlex.split(command))
    return said.data or f"drawn by the task {study.material.task}"

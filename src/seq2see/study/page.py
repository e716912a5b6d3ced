"""A study as a page: what was asked, what came out, and how to do it again."""

from __future__ import annotations

import argparse
import shlex

from seq2see.report.view import Figure, Page, Report, table
from seq2see.study import tables
from seq2see.study.plan import Study
from seq2see.study.results import Results
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
        answer=f"{verdict.heading.capitalize()}. {verdict.sentence}",
        caution=study.caution,
        figures=(
            _asked(study, command),
            *study.figures(results),
            *tables.every(results),
            _again(results, command),
        ),
    )


def report(study: Study, results: Results, verdict: Verdict, command: str) -> Report:
    """Makes a report of a study alone."""
    subtitle = f"a controlled experiment · {verdict.answer}"
    return Report(study.question, subtitle, (page(study, results, verdict, command),))


def _asked(study: Study, command: str) -> Figure:
    rows = (
        ("varied", study.varied),
        ("held fixed", study.fixed),
        ("pairs", _pairs(study, command)),
        ("hypothesis, written before the run", study.hypothesis),
    )
    return Figure(
        name="asked",
        title="What was asked",
        alt="What was varied, what was held fixed, and what was expected.",
        table=table(("", "what"), rows, ()),
        open=True,
    )


def _again(results: Results, command: str) -> Figure:
    seconds = sum(outcome.seconds for outcome in results.outcomes)
    rows = (
        ("models", f"{len(results.outcomes)}, in {seconds / 60:.1f} minutes of one core each"),
        ("again", command),
    )
    return Figure(
        name="conduct",
        title="How it was done",
        alt="How many models there were, and the command.",
        table=table(("", "what"), rows, ()),
        open=True,
    )


def _pairs(study: Study, command: str) -> str:
    """Names the task, or those that a factor varies, or the data that took its place."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    said, _ = parser.parse_known_args(shlex.split(command))
    levels = (level for factor in study.factors for level in factor.levels)
    varied = dict.fromkeys(level.sizes["task"] for level in levels if "task" in level.sizes)
    tasks = list(varied) or [study.material.task]
    drawn = f"drawn by the task{'s' * (len(tasks) > 1)} {', '.join(tasks)}"
    return said.data or drawn

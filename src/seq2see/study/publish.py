"""What a study leaves behind: its figures as JSON, its page as HTML and as Markdown."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from seq2see.api.record import write_text
from seq2see.report.html import render
from seq2see.study import markdown
from seq2see.study.page import report
from seq2see.study.plan import Study
from seq2see.study.results import Results
from seq2see.study.verdict import Verdict


def publish(
    study: Study, results: Results, command: str, out: Path
) -> tuple[Verdict, tuple[Path, ...]]:
    """Judges a study and writes its page.

    Args:
        study: what was asked.
        results: what came out.
        command: what does it again.
        out: the study's folder.

    Returns:
        The verdict, and the files written.

    Raises:
        BundleError: the disk is full or the folder cannot be written.
    """
    verdict = study.claim(results)
    made = report(study, results, verdict, command)
    record = {
        "study": study.name,
        "command": command,
        "verdict": asdict(verdict),
        "outcomes": [asdict(outcome) for outcome in results.outcomes],
    }
    figures, html = out / "study.json", out / f"{study.name}.html"
    write_text(figures, json.dumps(record, indent=1) + "\n")
    write_text(html, render(made))
    return verdict, (html, markdown.write(made.pages[0], out), figures)

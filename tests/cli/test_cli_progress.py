"""What is shown while a model is trained."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from seq2see.cli.progress import Display, clock, seconds_left
from seq2see.train.journal import Validation, Window


def window(progress: float, seconds: float) -> Window:
    return Window(
        step=50, epoch=0.5, progress=progress, loss=1.25, likelihood=1.0, gradient_norm=2.0,
        rate=0.002, tokens_per_second=13400.4, seconds=seconds,
    )  # fmt: skip


VALIDATION = Validation(step=1500, progress=0.25, metric="wer", score=33.333, best=True, seconds=30)


def shown(terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, highlight=False)
    with Display(console) as display:
        display.window(window(0.25, 30.0))
        display.validation(VALIDATION)
        display.window(window(0.5, 60.0))
    return out.getvalue()


def test_a_file_gets_one_plain_line_a_validation() -> None:
    line = "step 1,500  wer 33.33 (best)  loss 1.250  13,400 words/s  rate 2.0e-03  1:30 left\n"
    assert shown(terminal=False) == line


def test_a_terminal_gets_a_bar_that_remembers_the_last_score() -> None:
    text = shown(terminal=True)
    assert "\x1b[" in text
    assert "50 %  loss 1.250  13,400 words/s  rate 2.0e-03  1:00 left  wer 33.33" in text


@pytest.mark.parametrize(
    ("progress", "seconds", "left"), [(0.25, 30, 90), (1.01, 60, 0), (0.0, 5, float("inf"))]
)
def test_time_left_follows_from_time_passed(progress: float, seconds: float, left: float) -> None:
    assert seconds_left(window(progress, seconds)) == pytest.approx(left)


@pytest.mark.parametrize(
    ("seconds", "text"), [(9.6, "0:10"), (3599, "59:59"), (3661, "1:01:01"), (float("inf"), "?")]
)
def test_durations(seconds: float, text: str) -> None:
    assert clock(seconds) == text

"""Draws pictures of a report's main pages, and of its live page, for the documents.

    make screenshots                     # trains a pronouncer of English for two minutes first
    make screenshots ARGS="--model M"    # or takes a model that stands

Needs Chromium and the extras `demo` and `look`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {"wall": "wall", "head": "head", "decoding": "decoding", "alignment": "alignment"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Makes a report and draws the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="the folder of a trained model")
    parser.add_argument("--out", type=Path, default=DOCS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = chosen.model or trained(Path(folder))
        report = Path(folder) / "report.html"
        run("look", model, "--out", report)
        draw(report, chosen.out)
        with served(model) as address:
            draw_live(address, chosen.out)


def trained(folder: Path) -> Path:
    """Trains a pronouncer and returns its folder."""
    run("demo", "--minutes", "2", "--out", folder / "demo", "model.kind=transformer")
    return folder / "demo"


def run(*arguments: object) -> None:
    """Runs a command of seq2see."""
    subprocess.run([sys.executable, "-m", "seq2see", *map(str, arguments)], check=True)


@contextmanager
def served(model: object) -> Iterator[str]:
    """Serves the live page of a model and gives its address."""
    command = [sys.executable, "-m", "seq2see", "look", str(model), "--serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield next(line.split()[0] for line in process.stdout if "Ctrl-C ends it" in line)
        finally:
            process.terminate()


@contextmanager
def opened(address: str, height: int = 900) -> Iterator[Any]:
    """Opens a page in Chromium."""
    from playwright.sync_api import sync_playwright

    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": height}, color_scheme="light")
        page.goto(address)
        page.wait_for_selector('html[data-ready="yes"]')
        yield page
        chromium.close()


def draw(report: Path, out: Path) -> None:
    """Draws the first figure of each page into a folder."""
    with opened(report.as_uri()) as page:
        for name, section in PAGES.items():
            figure = page.locator(f"#{section} figure.drawn").first
            figure.screenshot(path=out / f"report-{name}.png", scale="css")


def draw_live(address: str, out: Path) -> None:
    """Draws the live page with heads taken out, one after the other until the output changes."""
    with opened(address, height=2000) as page:
        page.wait_for_selector("#live .written")
        heads = page.locator("#live .changing button")
        for number in range(heads.count() - 1, -1, -1):
            with page.expect_response("**/answer"):
                heads.nth(number).click()
            page.wait_for_selector("#live [data-figure=live]:not([aria-busy])")
            if page.locator("#live .differs").count():
                break
        page.locator("#live figure.drawn").screenshot(path=out / "report-live.png", scale="css")


if __name__ == "__main__":
    main()

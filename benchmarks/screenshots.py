"""Draws pictures of a report's main pages for the documents.

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
from pathlib import Path

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


def trained(folder: Path) -> Path:
    """Trains a pronouncer and returns its folder."""
    run("demo", "--minutes", "2", "--out", folder / "demo")
    return folder / "demo"


def run(*arguments: object) -> None:
    """Runs a command of seq2see."""
    subprocess.run([sys.executable, "-m", "seq2see", *map(str, arguments)], check=True)


def draw(report: Path, out: Path) -> None:
    """Draws the first figure of each page into a folder."""
    from playwright.sync_api import sync_playwright

    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.goto(report.as_uri())
        page.wait_for_selector('html[data-ready="yes"]')
        for name, section in PAGES.items():
            figure = page.locator(f"#{section} figure.drawn").first
            figure.screenshot(path=out / f"report-{name}.png", scale="css")
        chromium.close()


if __name__ == "__main__":
    main()

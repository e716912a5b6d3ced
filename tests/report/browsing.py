"""A page opened in Chromium, with what it says and asks."""

from __future__ import annotations

from dataclasses import dataclass, field

from report_samples import Made

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass
class Opened:
    """A page and what it did beside what is seen."""

    page: object
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str):
        return getattr(self.page, name)


def opened(chromium, address: str, width: int = 1280, scheme: str = "light") -> Opened:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    one = Opened(context.new_page())
    one.page.set_default_timeout(30_000)
    one.page.on("console", lambda message: one.said.append(message.text))
    one.page.on("pageerror", lambda error: one.said.append(str(error)))
    one.page.on("dialog", lambda dialog: (one.said.append(dialog.message), dialog.dismiss()))
    one.page.on("request", lambda request: one.asked.append(request.url))
    one.page.goto(address)
    one.page.wait_for_selector('html[data-ready="yes"]')
    return one


def opened_file(chromium, made: Made, width: int = 1280, scheme: str = "light") -> Opened:
    return opened(chromium, made.file.as_uri(), width, scheme)

"""Reports and a browser that several tests use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from browsing import BROWSERS, FLAGS
from report_samples import BILSTM, TRANSFORMER, Made, Served, featured, made, served

from seq2see.report.subject import Subject


@pytest.fixture(scope="session")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("transformer"), *TRANSFORMER)


@pytest.fixture(scope="session")
def bilstm(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("bilstm"), *BILSTM)


@pytest.fixture(params=["transformer", "bilstm"])
def either(request: pytest.FixtureRequest) -> Made:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def gru(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A network without attention, whose sources carry features."""
    return featured(tmp_path_factory.mktemp("gru"))


@pytest.fixture(scope="session")
def live_transformer(transformer: Made) -> Iterator[Served]:
    with served(transformer.subject, transformer.report) as one:
        yield one


@pytest.fixture(scope="session")
def live_bilstm(bilstm: Made) -> Iterator[Served]:
    with served(bilstm.subject, bilstm.report) as one:
        yield one


@pytest.fixture(scope="session")
def live_gru(gru: Subject) -> Iterator[Served]:
    with served(gru) as one:
        yield one


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium is installed; `make browser` installs one on Debian")
    playwright = pytest.importorskip("playwright.sync_api").sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
    yield browser
    browser.close()
    playwright.stop()

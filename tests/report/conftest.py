"""Reports that several tests read."""

from __future__ import annotations

import pytest
from report_samples import BILSTM, TRANSFORMER, Made, made


@pytest.fixture(scope="session")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("transformer"), *TRANSFORMER)


@pytest.fixture(scope="session")
def bilstm(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("bilstm"), *BILSTM)


@pytest.fixture(params=["transformer", "bilstm"])
def either(request: pytest.FixtureRequest) -> Made:
    return request.getfixturevalue(request.param)

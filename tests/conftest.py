"""Checks array shapes while the tests run, when SEQ2SEE_SHAPES=1 is set.

The hook rewrites modules as they are imported, so it has to stand before the first import of
seq2see. It is off by default because every call of a checked function pays for it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

SHAPED_PACKAGES = ["seq2see.nn", "seq2see.decode", "seq2see.look", "seq2see.train"]

if os.environ.get("SEQ2SEE_SHAPES") == "1":
    from jaxtyping import install_import_hook

    early = sorted({name for name in SHAPED_PACKAGES if name in sys.modules})
    if early:
        raise RuntimeError(f"{', '.join(early)} imported before the shape check was in place")
    install_import_hook(SHAPED_PACKAGES, "beartype.beartype")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model, hardly trained; tests only read it."""
    from fixtures import train_tiny  # here, so that the shape check comes first

    return train_tiny(tmp_path_factory.mktemp("trained"))

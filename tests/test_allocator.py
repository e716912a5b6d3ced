from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from seq2see import allocator

FAULTS = """
import resource, sys
import numpy as np
from seq2see.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
np.ones(2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    a, b = np.ones(2**20), np.ones(2**20)  # 8 MB each
    del a, b
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    clean = {name: value for name, value in os.environ.items() if "MALLOC" not in name}
    clean.pop("GLIBC_TUNABLES", None)
    clean["NUMPY_MADVISE_HUGEPAGE"] = "0"  # with huge pages there are few to count
    command = [sys.executable, "-c", FAULTS, how]
    done = subprocess.run(command, env=clean, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_freed_memory_is_taken_again_and_not_asked_for_anew() -> None:
    kept, left = faults("keep"), faults("leave")
    assert kept < 6000  # both arrays once: 2 x 2,048 pages, and what numpy needs beside
    assert left > 2 * kept


def test_what_the_environment_says_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    assert not allocator.keep_freed_memory()


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not allocator.keep_freed_memory()

"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a core of its own
    os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("default", deadline=None)
settings.load_profile("default")


def pytest_configure(config: pytest.Config) -> None:
    """Keep derived files, such as the index of the shipped experience, in pytest's cache and out of the user's."""
    if config.cache is not None:
        os.environ.setdefault("DREAMGYM_CACHE", str(config.cache.mkdir("dreamgym")))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the original benchmarks' data; tests that need it are skipped where it is missing."""
    named = os.environ.get("DREAMGYM_REAL_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the original benchmarks' data in {folder}, or in the folder that DREAMGYM_REAL_DATA names")
    return folder

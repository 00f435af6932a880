"""What tests in a real browser share."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from dreamgym_env.domains.browser.chromium import find_chromium, require_packages
from dreamgym_env.errors import MissingDependencyError


def missing() -> str:
    """Return what tests in a real browser lack, as a sentence, or an empty text."""
    try:
        require_packages("miniwob", "browsergym.core", "browsergym.miniwob", "miniwob")
        find_chromium()
    except MissingDependencyError as error:
        return str(error)
    return ""


needs_browser = pytest.mark.skipif(bool(missing()), reason=missing())


def processes(folder: str) -> list[int]:
    """Return the numbers of the processes that name a folder: those of a browser, and of what drives it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                gone = "\nState:\tZ" in (entry / "status").read_text()
            except OSError:
                continue
            if folder.encode() in told and not gone:
                found.append(int(entry.name))
    return found


def wait_until_gone(folder: str, seconds: float = 10) -> list[int]:
    """Return the processes that still name a folder after so many seconds."""
    deadline = time.monotonic() + seconds
    while (left := processes(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left

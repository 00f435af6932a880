"""Finding a browser without a download, and the packages that drive it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from dreamgym_env.errors import MissingDependencyError

__all__ = ["find_chromium", "require_packages"]

_VARIABLE = "DREAMGYM_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> Path:
    """Return the program of an installed Chromium: what ``DREAMGYM_CHROMIUM`` names, or what is on the ``PATH``.

    Raises:
        MissingDependencyError: there is none.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise MissingDependencyError(
                f"{_VARIABLE} names {named!r:.200}, which is no program that can be run: set it to a Chromium's path."
            )
        return Path(named)
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    raise MissingDependencyError(
        "No Chromium was found. Install one (on Debian: apt-get install --no-install-recommends chromium), or set "
        f"{_VARIABLE} to its path. The dreams need none."
    )


def require_packages(extra: str, *names: str) -> None:
    """Check that packages are installed, without importing them.

    Args:
        extra: the extra of this library that brings them.
        names: names as in an import, for example ``"browsergym.core"``.

    Raises:
        MissingDependencyError: one is not; the message says what to install.
    """
    for name in ("playwright", *names):
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:  # its parent is missing
            found = None
        if found is None:
            raise MissingDependencyError(
                f"The real browser comes with an extra that is not installed ({name} is missing): "
                f"pip install 'dreamgym_env[{extra}]'. The dream needs none of it."
            )

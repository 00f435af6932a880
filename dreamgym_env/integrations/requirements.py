"""Whether an optional package is there, in a version that an integration was tested with."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from packaging.specifiers import SpecifierSet

from dreamgym_env.errors import MissingDependencyError

__all__ = ["require"]


def require(package: str, versions: str, extra: str) -> None:
    """Refuse to go on without a package.

    Args:
        package: its name on PyPI.
        versions: those that work, such as ``">=0.4,<0.5"``.
        extra: of ``dreamgym_env``, which brings it.

    Raises:
        MissingDependencyError: it is not installed, or in another version.
    """
    install = f'pip install "dreamgym_env[{extra}]"'
    try:
        found = version(package)
    except PackageNotFoundError as error:
        raise MissingDependencyError(
            f"This integration needs the package {package} ({versions}): {install}."
        ) from error
    if not SpecifierSet(versions).contains(found, prereleases=True):
        raise MissingDependencyError(
            f"This integration was made for {package} {versions}, and {found} is installed: {install}."
        )

"""An integration refuses versions that it was not made for, and pyproject.toml asks for those that it was."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from dreamgym_env.errors import MissingDependencyError
from dreamgym_env.integrations.requirements import require

ROOT = Path(__file__).parents[2]
EXTRAS = {
    "openenv": "openenv",
    "ray": "ray",
    "sb3": "stable-baselines3",
    "skyrl": "skyrl-gym",
    "trl": "trl",
    "verifiers": "verifiers",
    "verl": "verl",
}


def test_a_version_that_fits_is_taken():
    require("pytest", ">=1", "dev")


def test_another_version_is_refused_with_the_way_out():
    with pytest.raises(MissingDependencyError, match=r'made for pytest <1.*pip install "dreamgym_env\[dev\]"'):
        require("pytest", "<1", "dev")


def test_a_missing_package_is_named_with_the_way_out():
    with pytest.raises(MissingDependencyError, match=r'needs the package no-such-thing .*"dreamgym_env\[dev\]"'):
        require("no-such-thing", ">=1", "dev")


@pytest.mark.parametrize(("extra", "package"), EXTRAS.items())
def test_extras_ask_for_the_versions_that_integrations_take(extra, package):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {one.name: one for one in map(Requirement, project["optional-dependencies"][extra])}
    place = ROOT / "dreamgym_env" / "integrations" / extra
    source = (place / "__init__.py" if place.is_dir() else place.with_suffix(".py")).read_text()
    taken = re.search(r'^VERSIONS = "(.*)"$', source, re.MULTILINE)[1]
    assert asked[package].specifier == SpecifierSet(taken)


@pytest.mark.parametrize(("extra", "package"), EXTRAS.items())
def test_without_its_package_an_integration_says_what_to_install(extra, package):
    code = (
        "import importlib.metadata as metadata\n"
        "def version(name):\n    raise metadata.PackageNotFoundError(name)\n"
        "metadata.version = version\n"
        "from dreamgym_env.errors import MissingDependencyError\n"
        f"try:\n    import dreamgym_env.integrations.{extra}\n"
        "except MissingDependencyError as error:\n    print(error)"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert f"needs the package {package} (" in said and f'pip install "dreamgym_env[{extra}]"' in said

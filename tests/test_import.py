"""``import dreamgym_env`` is light, and nothing imports upwards (README: "layout")."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dreamgym_env

PACKAGE = Path(dreamgym_env.__file__).parent
HEAVY = (
    *("torch", "chromadb", "transformers", "tokenizers", "vllm", "httpx", "bm25s", "rapidfuzz", "Stemmer", "rich"),
    *("scipy", "sklearn"),
)


def loaded_after(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after some code."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]
    return set(subprocess.check_output(command, text=True).split())


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_after("import dreamgym_env")
    assert "dreamgym_env.envs.registration" in loaded
    assert not set(HEAVY) & loaded


def test_looking_around_loads_nothing_heavy_either():
    """The ids, the vocabulary and the errors cost no engine."""
    loaded = loaded_after(
        "import gymnasium as gym, dreamgym_env, dreamgym_env.types, dreamgym_env.errors\n"
        "gym.spec('DreamGym/WebShop-v0').to_json()"
    )
    assert not set(HEAVY) & loaded


def test_statistics_are_imported_with_the_first_figure():
    parts = ("agreement", "calibration", "distributions", "divergence", "ranking", "side_by_side", "statistics")
    loaded = loaded_after("\n".join(f"import dreamgym_env.evaluation.{part}" for part in parts))
    assert not {"scipy", "sklearn"} & loaded


def test_a_real_environment_needs_no_language_model():
    loaded = loaded_after("import gymnasium as gym, dreamgym_env\ngym.make('DreamGymReal/WebShop-v0').reset(seed=0)")
    assert not {"torch", "transformers", "tokenizers", "chromadb"} & loaded


PARTS = tuple(
    f"dreamgym_env.{path.stem}"
    for path in sorted(PACKAGE.iterdir())
    if path.stem not in ("masking", "__init__", "__pycache__")
)
LAYERS = {
    "masking.py": ("dreamgym_env.",),
    "errors.py": PARTS,  # all but masking: an error masks secrets in its message
    "types.py": ("dreamgym_env.",),
    "memory": ("gymnasium", "dreamgym_env.envs", "dreamgym_env.simulation", "dreamgym_env.world_model"),
    "world_model": ("gymnasium", "dreamgym_env.envs", "dreamgym_env.simulation"),
    "simulation": ("gymnasium", "dreamgym_env.envs", "dreamgym_env.world_model"),
    "domains": ("gymnasium", "dreamgym_env.envs", "dreamgym_env.world_model", "dreamgym_env.memory"),
    "envs": ("dreamgym_env.cli", "dreamgym_env.training", "dreamgym_env.evaluation", "torch"),
}
"""Part -> what it must not import."""
ALLOWED = {"domains": {"dreamgym_env.memory.experience"}}
"""What it may nevertheless: the file format alone, which a recorded domain is made of."""


@pytest.mark.parametrize("part", LAYERS)
def test_nothing_imports_upwards(part: str):
    path = PACKAGE / part
    for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
        for module in _imports(file):
            allowed = module in ALLOWED.get(part, ())
            assert allowed or not module.startswith(LAYERS[part]), f"{file.relative_to(PACKAGE)} imports {module}"


TRAINERS = ("stable_baselines3", "sb3_contrib", "trl", "verl", "skyrl", "ray", "verifiers", "openenv", "tensorboard")


def test_only_integrations_import_a_trainer():
    for file in sorted(PACKAGE.rglob("*.py")):
        if file.relative_to(PACKAGE).parts[0] != "integrations":
            trainers = [module for module in _imports(file) if module.partition(".")[0] in TRAINERS]
            assert not trainers, f"{file.relative_to(PACKAGE)} imports {', '.join(trainers)}"


def _imports(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found

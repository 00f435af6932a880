"""WebArena-Lite's own 165 tasks, read from the files of the package ``browsergym-webarenalite``.

The package is read, never imported: importing it downloads data for nltk.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamgym_env.domains.browser.texts import PageText
from dreamgym_env.errors import MissingDependencyError
from dreamgym_env.types import Task

__all__ = ["VARIABLES", "deployment", "official_tasks"]

VARIABLES = (
    "WA_SHOPPING",
    "WA_SHOPPING_ADMIN",
    "WA_REDDIT",
    "WA_GITLAB",
    "WA_WIKIPEDIA",
    "WA_MAP",
    "WA_HOMEPAGE",
)
"""Names of the environment variables that hold the addresses of a deployment."""
_PACKAGE = "browsergym.webarenalite"
_INSTALL = (
    "pip install --no-deps browsergym-webarenalite==0.14.3 browsergym-webarena==0.14.3 libwebarena==0.0.4 "
    "text-generation beartype==0.12.0 aiolimiter joblib nltk regex openai jiter sniffio"
)


@functools.cache
def official_tasks() -> Mapping[str, Task]:
    """Return the tasks by id, which is BrowserGym's: ``"webarenalite.4"``.

    What a start page shows is known only to the deployment: an initial state holds no more than its address.

    Raises:
        MissingDependencyError: the package is not installed.
    """
    records: list[dict[str, Any]] = json.loads((_folder() / "test_webarena_lite.raw.json").read_text(encoding="utf-8"))
    tasks = [
        Task(
            id=f"webarenalite.{record['old_task_id']}",
            domain="webarena",
            instruction=record["intent"],
            initial_state=PageText("", record["start_url"], ()).write(record["intent"]),
            split="test",
            goal={"sites": record["sites"], "eval": record["eval"], "task_id": record["old_task_id"]},
        )
        for record in records
    ]
    return {task.id: task for task in tasks}


def deployment() -> dict[str, str]:
    """Return the addresses of the deployment by placeholder: ``{"__SHOPPING__": "http://...", ...}``.

    Raises:
        MissingDependencyError: a variable is missing.
    """
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        raise MissingDependencyError(
            f"WebArena's own sites are found through seven environment variables, of which {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing: set {', '.join(VARIABLES)} to the addresses of your "
            "deployment, or use the bundled sites (sites='bundled')."
        )
    return {f"__{name.removeprefix('WA_')}__": os.environ[name].rstrip("/") for name in VARIABLES}


def _folder() -> Path:
    try:
        spec = importlib.util.find_spec(_PACKAGE)
    except ModuleNotFoundError:  # its parent is missing
        spec = None
    if spec is None or spec.origin is None:
        raise MissingDependencyError(
            f"WebArena-Lite's own tasks come with packages that are not installed: {_INSTALL}. (Without --no-deps they "
            "would replace transformers by an older version.) The bundled sites need none of them."
        )
    return Path(spec.origin).parent

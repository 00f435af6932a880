"""Where is learnt, and where is evaluated."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError
from dreamgym_env.evaluation.environments import environment_id, make_lanes
from dreamgym_env.evaluation.pairs import known_keywords
from dreamgym_env.learning.learner import find_algorithm
from dreamgym_env.learning.options import LearningOptions

__all__ = ["BUFFER_FOLDER", "open_dream", "open_evaluation", "open_real", "real_keywords"]

BUFFER_FOLDER = "buffer"
"""Of a run that enriches its memories, in the run's folder."""


def open_dream(options: LearningOptions, folder: Path) -> contextlib.closing[TextVectorEnv]:
    """Open the dream of a run; with ``enrich``, its buffer lies in the run's folder.

    Raises:
        DreamGymError: it cannot be made; the message says why.
    """
    keywords = {**options.settings, "world_model": options.world_model, "split": options.split}
    if options.anchor:
        keywords["anchor"] = options.anchor
    if options.enrich:
        keywords.update(enrich=True, buffer=str(folder / BUFFER_FOLDER))
    return _lanes(options, real=False, keywords=keywords)


def open_real(options: LearningOptions) -> contextlib.closing[TextVectorEnv]:
    """Open the real environment, to learn in it. Raises DreamGymError."""
    return _lanes(options, real=True, keywords={**real_keywords(options), "split": options.split})


def open_evaluation(options: LearningOptions) -> contextlib.closing[TextVectorEnv]:
    """Open the real environment, to be evaluated in it. Raises DreamGymError."""
    return _lanes(options, real=True, keywords={**real_keywords(options), "split": options.evaluation_split})


def real_keywords(options: LearningOptions) -> Mapping[str, Any]:
    """Return those of the settings that the real environment knows.

    Raises:
        KeywordError: neither the dream nor the real environment knows one of them.
    """
    known = {real: known_keywords(environment_id(options.domain, real=real)) or frozenset() for real in (False, True)}
    for name in options.settings:
        if name not in known[False] | known[True]:
            raise KeywordError(f"Neither the dream nor the real environment of {options.domain} knows {name!r}.")
    return {name: value for name, value in options.settings.items() if name in known[True]}


def _lanes(options: LearningOptions, *, real: bool, keywords: Mapping[str, Any]) -> contextlib.closing[TextVectorEnv]:
    mode = find_algorithm(options.algorithm).autoreset_mode
    return contextlib.closing(make_lanes(options.domain, options.lanes, real=real, autoreset_mode=mode, **keywords))

"""A curriculum: what a task is worth for learning, variations of those that are worth most, and what to play next.

::

    curriculum = Curriculum(envs.unwrapped.domain, share=0.3, seed=0)       # lambda: at most 30 % are variations
    envs.reset(seed=0, options={"tasks": curriculum, "group_size": 8})      # ... and whenever episodes begin anew
    curriculum.observe([TaskResult.from_info(info, total_reward), ...])  # as episodes end
    json.dumps(curriculum.state())                                          # restore() goes on from it
"""

from __future__ import annotations

from dreamgym_env.curriculum.clusters import InstructionClusters
from dreamgym_env.curriculum.curriculum import Curriculum, count_variations
from dreamgym_env.curriculum.generated import GeneratedVariator
from dreamgym_env.curriculum.strings import variator_from_string
from dreamgym_env.curriculum.values import TaskResult, TaskValues
from dreamgym_env.curriculum.variations import RuleVariator, TaskVariator, Variation

__all__ = [
    "Curriculum",
    "GeneratedVariator",
    "InstructionClusters",
    "RuleVariator",
    "TaskResult",
    "TaskValues",
    "TaskVariator",
    "Variation",
    "count_variations",
    "variator_from_string",
]

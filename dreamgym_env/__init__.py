"""dreamgym_env: Gymnasium environments that a world model dreams, grounded in real experience.

Importing the package registers the environment ids; everything heavy is imported where it is used.
"""

from __future__ import annotations

from dreamgym_env.envs.registration import register_envs

__version__ = "0.1.0"

register_envs()

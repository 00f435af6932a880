"""The plugin that verifiers finds by the id ``dreamgym-verifiers``; see :mod:`dreamgym_env.integrations.verifiers`."""

from dreamgym_env.integrations.verifiers import DreamEnv, DreamHarness, DreamTaskset

__all__ = ["DreamEnv", "DreamHarness", "DreamTaskset"]

"""Agents for somebody else's environment: those of a recorded one."""

from dreamgym_env.domains.recorded.agents import AGENTS

__all__ = ["AGENTS"]

"""The real WebShop as a backend: the same episodes, answered by the shop's engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.domains.webshop.engine import ObservationMode, Session, StepResult, WebShopEngine
from dreamgym_env.domains.webshop.goals import goal_of
from dreamgym_env.domains.webshop.observation import SEARCH_TEMPLATE
from dreamgym_env.simulation.episode import Episode, Outcome, episode_name, stop_reason
from dreamgym_env.types import AnsweredBy, StopReason, Task, Turn

__all__ = ["RealWebShop"]


@dataclass(frozen=True, slots=True)
class _Visit:
    """A session and what it shows."""

    session: Session
    shown: StepResult


class RealWebShop:
    """Advances episodes in the shop's own engine."""

    OPTIONS = ("observation_mode",)
    """Keywords of ``gym.make`` that are the real environment's alone."""

    def __init__(self, domain: WebShop, observation_mode: ObservationMode = "text") -> None:
        """Open the shop of a domain.

        Args:
            domain: whose shop it is.
            observation_mode: ``"text"`` joins a page's visible texts by ``[SEP]``, as the dream does; ``"text_rich"``
                writes one a line and marks buttons and what was clicked.
        """
        self._domain = domain
        self._engine = WebShopEngine(domain.shop.products, domain.shop.search, observation_mode)

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        """Start one session a task.

        Raises:
            ResetOptionError: a task's goal lacks what the shop needs to grade an order.
        """
        episodes = []
        for task, seed in zip(tasks, seeds, strict=True):
            session = self._engine.start(goal_of(task))
            shown = self._engine.view(session)
            name = episode_name(task, seed)
            episodes.append(Episode(task, name, seed, shown.observation, session=_Visit(session, shown)))
        return episodes

    def advance(
        self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None
    ) -> list[Outcome]:
        """Take one action in each session."""
        return [self._advance(episode, action, step_limit) for episode, action in zip(episodes, actions, strict=True)]

    def available_actions(self, episode: Episode) -> tuple[str, ...]:
        """Return what the page offers; nothing after the episode's end."""
        if episode.stop is not StopReason.RUNNING:
            return ()
        offered = episode.session.shown.clickables
        return tuple(SEARCH_TEMPLATE if value == "search" else f"click[{value}]" for value in offered)

    def close(self) -> None:
        """Nothing to release: the engine is plain memory."""

    def _advance(self, episode: Episode, action: str, step_limit: int | None) -> Outcome:
        session, result = self._engine.step(episode.session.session, action)
        score = min(result.reward, 1.0)
        success = result.done and score >= 1.0
        transition = episode.real_transition(
            action, result.observation, success=success, terminated=result.done, score=score, valid=result.valid
        )
        episode.history.append(Turn(episode.state, action))
        episode.state = result.observation
        episode.session = _Visit(session, result)
        episode.stop = stop_reason(episode.step, step_limit, success=success, terminated=result.done)
        return Outcome(transition, AnsweredBy.REAL, episode.stop)

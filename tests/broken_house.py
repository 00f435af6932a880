"""A real house whose engine can be lost: ``say crash`` ends its episode, as a killed process does."""

from __future__ import annotations

from toy_domain import RealToyHouse

from dreamgym_env.simulation.episode import Episode, Outcome
from dreamgym_env.types import AnsweredBy, StopReason, Turn

LOST = "The process of the house was killed."


class BrokenHouse(RealToyHouse):
    """The real house, until somebody says ``crash``; keeps the batches that it was asked."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.batches: list[int] = []

    def advance(self, episodes: list[Episode], actions: list[str], step_limit: int | None = None) -> list[Outcome]:  # type: ignore[override]
        self.batches.append(len(episodes))
        return super().advance(episodes, actions, step_limit)

    def _advance(self, episode: Episode, action: str, step_limit: int | None) -> Outcome:
        if action != "say crash":
            return super()._advance(episode, action, step_limit)
        lost = episode.real_transition(action, episode.state, success=False, terminated=False, valid=True)
        episode.history.append(Turn(episode.state, action))
        episode.stop = StopReason.ENGINE_FAILURE
        return Outcome(lost, AnsweredBy.REAL, episode.stop, failure=LOST)

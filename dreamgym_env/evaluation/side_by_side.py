"""Closed loop, side by side: the same agent, tasks and seeds in a dream and in the real environment.

A dream is worth what it transfers.  Three rollouts say how much that is: the agent in the dream, the agent in the real
environment, and the actions that it took in the dream taken again in the real one; a fourth, on request, takes those of
the real environment again in the dream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import ComparisonError
from dreamgym_env.evaluation.agents import AgentFactory
from dreamgym_env.evaluation.agreement import Agreement, agreement_table
from dreamgym_env.evaluation.rollout import EpisodeResult, Rollout, plan_episodes, play, replay_actions
from dreamgym_env.simulation.simulator import Simulator

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["SideBySide", "compare"]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What came of :func:`compare`; the n-th episode of each rollout is of the same task and the same seed."""

    agent: str
    seed: int
    dream: Rollout
    """The agent in the dream."""
    real: Rollout
    """The agent in the real environment."""
    replayed: Rollout
    """The dream's actions, taken again in the real environment."""
    redreamt: Rollout | None = None
    """The real environment's actions, taken again in the dream; None where nobody asked."""

    @property
    def agreement(self) -> Agreement:
        """In which of the two the agent solved which task."""
        return agreement_table(
            [episode.success for episode in self.dream.episodes], [episode.success for episode in self.real.episodes]
        )

    @property
    def consistency(self) -> float | None:
        """Tasks that the dream's actions solve in the real environment ÷ tasks solved by acting there.

        1 means that what is found in the dream works as well as what is found in the real environment; None where the
        agent solves nothing there.  The measure is that of Word2World.
        """
        return self.replayed.solved / self.real.solved if self.real.solved else None

    def to_json(self) -> dict[str, Any]:
        """Return all figures and one row a task, as JSON values; each figure stands under its environment's id."""
        return {
            "agent": self.agent,
            "seed": self.seed,
            "tasks": len(self.dream.episodes),
            "dream": _figures(self.dream),
            "real": _figures(self.real),
            "dream_actions_in_real": _figures(self.replayed),
            "agreement": self.agreement.to_json(),
            "consistency_ratio": None if self.consistency is None else round(self.consistency, 4),
            "episodes": [
                {
                    "task_id": dreamt.task.id,
                    "dream": _row(dreamt),
                    "real": _row(real),
                    "dream_actions_in_real": _row(again),
                }
                for dreamt, real, again in zip(
                    self.dream.episodes, self.real.episodes, self.replayed.episodes, strict=True
                )
            ],
        }

    def sentences(self) -> list[str]:
        """Say what the figures mean, for people."""
        agreement, tasks = self.agreement, len(self.dream.episodes)
        said = [
            f"Same outcome in both: {agreement.both + agreement.neither} of {tasks} tasks ({agreement.share:.0%}): "
            f"{agreement.both} solved in both, {agreement.neither} in neither; "
            f"{agreement.dream_only} in the dream only, {agreement.real_only} in the real environment only."
        ]
        if self.consistency is not None:
            said.append(
                f"Consistency ratio {self.consistency:.2f}: the dream's actions solve {self.replayed.solved} tasks in "
                f"{self.replayed.env_id}, where acting solves {self.real.solved}."
            )
        if self.real.steps_per_second > self.dream.steps_per_second:
            said.append(
                "A step of this real environment is faster than a dreamt one: a dream pays where real steps are slow, "
                "costly or cannot be run at once."
            )
        return said

    def table(self) -> Table:
        """Return the figures as a table for people; each column is headed by its environment's id."""
        from rich.table import Table

        table = Table(
            title=f"Agent {self.agent}, {len(self.dream.episodes)} tasks, seed {self.seed}", title_justify="left"
        )
        table.add_column("")
        for rollout, what in ((self.dream, ""), (self.real, ""), (self.replayed, "\ndream's actions again")):
            table.add_column(f"{rollout.env_id}{what}", justify="right")
        columns = (self.dream, self.real, self.replayed)
        for label, write in _ROWS.items():
            table.add_row(label, *(write(rollout) for rollout in columns))
        return table


def compare(
    dream: TextVectorEnv,
    real: TextVectorEnv,
    agents: Mapping[str, AgentFactory],
    agent: str,
    task_ids: Sequence[str],
    seed: int,
    *,
    both_ways: bool = False,
    progress: Callable[[EpisodeResult], object] | None = None,
) -> SideBySide:
    """Play the same tasks with the same agent and seeds in a dream and in the real environment.

    Args:
        dream: a dream made with ``evaluation=True``: it must retrieve nothing recorded under the tasks it is tested on.
        real: its real counterpart.
        agents: makes agents by name.
        agent: which of them plays.
        task_ids: n tasks.
        seed: of all episodes.
        both_ways: whether the real environment's actions are taken again in the dream, too.
        progress: called with each of the 3 n episodes, or 4 n where it goes both ways.

    Raises:
        ComparisonError: the dream was not made for evaluation.
        UnknownTaskError: no such task.
        WorldModelError: the world model as a whole cannot answer.
    """
    if isinstance(dream.backend, Simulator) and not dream.backend.options.evaluation:
        raise ComparisonError(
            "A dream is compared with evaluation=True, so that it never answers from the test's own tasks."
        )
    plans = plan_episodes(task_ids, agent, seed)
    dreamt = play(dream, agents, plans, progress=progress)
    played = play(real, agents, plans, progress=progress)
    replayed = replay_actions(real, dreamt.episodes, progress=progress)
    redreamt = replay_actions(dream, played.episodes, progress=progress) if both_ways else None
    return SideBySide(agent, seed, dreamt, played, replayed, redreamt)


def _figures(rollout: Rollout) -> dict[str, Any]:
    return {
        "env_id": rollout.env_id,
        "solved": rollout.solved,
        "episodes": len(rollout.episodes),
        "mean_score": round(rollout.mean_score, 4),
        "steps": rollout.steps,
        "steps_per_second": round(rollout.steps_per_second, 2),
        "episodes_at_once": rollout.lanes,
        "answered_by": dict(rollout.answered_by),
        "model_failures": rollout.failures,
    }


def _row(episode: EpisodeResult) -> dict[str, Any]:
    return {
        "success": episode.success,
        "score": round(episode.score, 4),
        "steps": episode.steps,
        "stop": str(episode.stop),
        "failure": episode.failure,
        "actions": list(episode.actions),
    }


def _answered(rollout: Rollout) -> str:
    return ", ".join(f"{stage} {count}" for stage, count in sorted(rollout.answered_by.items())) or "-"


_ROWS: Mapping[str, Callable[[Rollout], str]] = {
    "tasks solved": lambda rollout: f"{rollout.solved} of {len(rollout.episodes)}",
    "mean score": lambda rollout: f"{rollout.mean_score:.2f}",
    "env steps": lambda rollout: f"{rollout.steps:,}",
    "env steps a second": lambda rollout: f"{rollout.steps_per_second:,.1f}",
    "answered by": _answered,
    "model failures": lambda rollout: str(rollout.failures),
}

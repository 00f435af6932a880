"""Many agents, many seeds, two environments: what a comparison plays, and when it refuses to.

:mod:`~dreamgym_env.evaluation.findings` says what came of it in figures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import ComparisonError, DreamGymError
from dreamgym_env.evaluation.agents import AgentFactory, Metered, TaskBound
from dreamgym_env.evaluation.rollout import EpisodeResult
from dreamgym_env.evaluation.side_by_side import SideBySide, compare
from dreamgym_env.evaluation.usage import AgentUsage
from dreamgym_env.masking import mask_secrets
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.shadow.backend import ShadowedBackend
from dreamgym_env.simulation.anchors import AnchoredBackend
from dreamgym_env.simulation.simulator import Simulator
from dreamgym_env.types import Domain

__all__ = ["Comparison", "EpisodeRow", "compare_agents", "known_test_tasks", "refuse_unfair"]


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One task, agent and seed, in every way that it was played."""

    seed: int
    dream: EpisodeResult
    """The agent in the dream."""
    real: EpisodeResult
    """The agent in the real environment."""
    replayed: EpisodeResult
    """The dream's actions, taken again in the real environment."""
    redreamt: EpisodeResult
    """The real environment's actions, taken again in the dream."""

    @property
    def task_id(self) -> str:
        """Id of the task."""
        return self.dream.task.id

    @property
    def failed(self) -> bool:
        """Whether a model or an engine failed in any of the four: then none of them says what the agent can do."""
        return any(episode.failed for episode in self._all)

    @property
    def failure(self) -> str:
        """What the first of these failures was; empty where there was none."""
        return next((episode.failure or str(episode.stop) for episode in self._all if episode.failed), "")

    @property
    def _all(self) -> tuple[EpisodeResult, ...]:
        return self.dream, self.real, self.replayed, self.redreamt


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of :func:`compare_agents`."""

    domain: Domain
    """Splits texts and names kinds of actions."""
    dream_id: str
    real_id: str
    runs: Mapping[str, Sequence[SideBySide]]
    """Agent, without secrets in its name -> one run a seed, all on the same tasks."""
    known_tasks: frozenset[str] = frozenset()
    """Tasks that the dream's buffer holds experience of; only where that was allowed."""
    usage: Mapping[str, AgentUsage] = field(default_factory=dict)
    """What agents that ask a language model have used up in all, in both environments together."""
    broken_off: Mapping[str, str] = field(default_factory=dict)
    """Agents whose comparison broke off, for a model as a whole did not answer any more, the real environment could not
    begin a task, or the agent could not play one -> why; they are not among the runs."""

    def rows(self, agent: str) -> Iterator[EpisodeRow]:
        """Yield an agent's episodes, seed by seed, in the order of the tasks."""
        for run in self.runs[agent]:
            assert run.redreamt is not None
            for four in zip(
                run.dream.episodes, run.real.episodes, run.replayed.episodes, run.redreamt.episodes, strict=True
            ):
                yield EpisodeRow(run.seed, *four)

    def sound_rows(self) -> Iterator[EpisodeRow]:
        """Yield the episodes of all agents that no failure cut short."""
        for agent in self.runs:
            yield from (row for row in self.rows(agent) if not row.failed)


def compare_agents(
    dream: TextVectorEnv,
    real: TextVectorEnv,
    agents: Mapping[str, AgentFactory],
    task_ids: Sequence[str],
    seeds: Sequence[int],
    *,
    allow_test_tasks: bool = False,
    progress: Callable[[EpisodeResult], object] | None = None,
) -> Comparison:
    """Play the same tasks with the same agents and seeds in two environments, and the actions of each in the other.

    Args:
        dream: the environment that is judged; a dream of this library must be made with ``evaluation=True``.
        real: the environment that it is judged by.
        agents: name -> what makes the agent.
        task_ids: n tasks that both have.
        seeds: of agents and environments.
        allow_test_tasks: whether experience of these very tasks may lie in the dream's buffer.
        progress: called with each of the 4 x n x agents x seeds episodes.

    Raises:
        ComparisonError: the comparison would not be a fair one; see :func:`refuse_unfair`.  Or there is no agent, task
            or seed, or two agents whose names differ in a secret alone.
        UnknownTaskError: no such task, or an agent that plays a file does not know one.
        DreamGymError: no agent could be compared to the end, for a model as a whole cannot answer (WorldModelError),
            the real environment cannot begin a task (GameError), or an agent cannot play one; it is the first of these.
    """
    names = {agent: mask_secrets(agent) for agent in agents}
    if not (names and task_ids and seeds):
        raise ComparisonError("There is nothing to compare: name at least one agent, one task and one seed.")
    if len(set(names.values())) < len(names):
        raise ComparisonError(
            "Two agents' names differ in a secret alone, which no report may show: give them other names."
        )
    for factory in agents.values():
        if isinstance(factory, TaskBound):
            factory.check_tasks(task_ids)
    seen = refuse_unfair(dream, task_ids, allow_test_tasks=allow_test_tasks)
    runs: dict[str, list[SideBySide]] = {}
    broken: dict[str, DreamGymError] = {}
    for agent, name in names.items():
        try:
            runs[name] = [
                compare(dream, real, agents, agent, task_ids, seed, both_ways=True, progress=progress) for seed in seeds
            ]
        except DreamGymError as error:  # what the others have played stands
            broken[name] = error
    if not runs:
        raise next(iter(broken.values()))
    usage = {names[agent]: made.usage for agent, made in agents.items() if isinstance(made, Metered)}
    first = next(iter(runs.values()))[0]
    return Comparison(
        dream.domain,
        first.dream.env_id,
        first.real.env_id,
        runs,
        frozenset(seen),
        usage,
        {name: str(error) for name, error in broken.items()},
    )


def refuse_unfair(dream: TextVectorEnv, task_ids: Collection[str], *, allow_test_tasks: bool = False) -> set[str]:
    """Refuse a dream that may answer from the test itself, or that learns while it is tested.

    Returns:
        The tasks that its buffer holds experience of, where that is allowed.

    Raises:
        ComparisonError: the dream's buffer is not frozen, or holds experience of the tasks that are compared; or the
            real environment plays a part in the dream.
    """
    if isinstance(dream.backend, AnchoredBackend | ShadowedBackend):
        raise ComparisonError(
            "This dream has the real environment in it (anchor=, or a shadow), so that comparing it with that would "
            "flatter it: make it without, and with evaluation=True."
        )
    if not isinstance(dream.backend, Simulator):
        return set()
    buffer = dream.backend.buffer
    if not (buffer.frozen or buffer.read_only):
        raise ComparisonError(
            "The dream's replay buffer is not frozen, so that what it knows may change while it is tested: call "
            "freeze() on it, or let the environment open it (buffer=FOLDER), which then reads only."
        )
    seen = known_test_tasks(buffer, task_ids)
    if seen and not allow_test_tasks:
        raise ComparisonError(
            f"The dream's replay buffer holds experience of {len(seen)} of the {len(set(task_ids))} tasks that are to "
            f"be compared, such as {min(seen)!r}: it would be tested on what it was taught. Take other tasks (another "
            "split) or another buffer, or allow it on purpose (allow_test_tasks=True, --allow-test-tasks); the report "
            "then says so."
        )
    return seen


def known_test_tasks(buffer: ReplayBuffer, task_ids: Collection[str]) -> set[str]:
    """Return the tasks that a buffer holds transitions of, or of variations of them."""
    wanted = set(task_ids)
    return {step.family for step in buffer.experience()} & wanted

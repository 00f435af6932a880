"""Many agents, many seeds, two environments: what a comparison plays, and when it refuses to.

:mod:`~dreamgym_env.evaluation.findings` says what came of it in figures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import ComparisonError, DreamGymError
from dreamgym_env.evaluation.agents import AgentFactory, Metered, TaskBound
from dreamgym_env.evaluation.rollout import EnvironmentLostError, EpisodeResult
from dreamgym_env.evaluation.side_by_side import SideBySide, compare
from dreamgym_env.evaluation.usage import AgentUsage
from dreamgym_env.masking import mask_secrets
from dreamgym_env.shadow.backend import ShadowedBackend
from dreamgym_env.simulation.anchors import AnchoredBackend
from dreamgym_env.simulation.simulator import Simulator
from dreamgym_env.types import Domain

__all__ = ["Comparison", "EpisodeRow", "compare_agents", "refuse_unfair"]


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
    """Agent, without secrets in its name -> one run a seed, all on the same tasks; each agent has one at least."""
    known_tasks: frozenset[str] = frozenset()
    """Tasks that the dream's buffer holds experience of; only where that was allowed."""
    usage: Mapping[str, AgentUsage] = field(default_factory=dict)
    """What agents that ask a language model have used up in all, in both environments together."""
    broken_off: Mapping[str, str] = field(default_factory=dict)
    """Agents whose comparison broke off, for a model as a whole did not answer any more, the real environment could not
    begin a task, the agent could not play one, or the comparison was interrupted -> why.  Only the seeds that were
    finished before are among the runs."""
    interrupted: bool = False
    """Whether somebody stopped it before its end."""

    def rows(self, agent: str) -> Iterator[EpisodeRow]:
        """Yield an agent's episodes, seed by seed, in the order of the tasks."""
        for run in self.runs[agent]:
            assert run.redreamt is not None
            for four in zip(
                run.dream.episodes, run.real.episodes, run.replayed.episodes, run.redreamt.episodes, strict=True
            ):
                yield EpisodeRow(run.seed, *four)

    def seeds(self, agent: str) -> list[int]:
        """Return the seeds that an agent has finished."""
        return [run.seed for run in self.runs[agent]]

    def rows_of_all(self) -> Iterator[Mapping[str, EpisodeRow]]:
        """Yield agent -> its episode, for each task and seed that all agents have finished."""
        shared = set.intersection(*(set(self.seeds(agent)) for agent in self.runs))
        rows = ([row for row in self.rows(agent) if row.seed in shared] for agent in self.runs)
        yield from (dict(zip(self.runs, episodes, strict=True)) for episodes in zip(*rows, strict=True))

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
    keep_interrupted: bool = False,
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
        keep_interrupted: whether a KeyboardInterrupt is the end of it, and what was finished before is returned, where
            there is any; else it is raised.
        progress: called with each of the 4 x n x agents x seeds episodes.

    Returns:
        What was played to the end: an agent's seeds up to the first that failed.  Where the world model of an
        environment as a whole does not answer any more, agents that have not begun are not begun.

    Raises:
        ComparisonError: the comparison would not be a fair one; see :func:`refuse_unfair`.  Or there is no agent, task
            or seed, a task or seed is named twice, or two agents' names differ in a secret alone.
        UnknownTaskError: no such task, or an agent that plays a file does not know one.
        DreamGymError: no agent finished a seed, for a model as a whole cannot answer (WorldModelError), the real
            environment cannot begin a task (GameError), or an agent cannot play one; it is the first of these.
        KeyboardInterrupt: it was interrupted, and nothing is to be kept.
    """
    names = _checked(agents, task_ids, seeds)
    seen = refuse_unfair(dream, task_ids, allow_test_tasks=allow_test_tasks)

    def play(agent: str, seed: int) -> SideBySide:
        return compare(dream, real, agents, agent, task_ids, seed, both_ways=True, progress=progress)

    played = _play_all(play, names, seeds, keep_interrupted=keep_interrupted)
    usage = {names[agent]: made.usage for agent, made in agents.items() if isinstance(made, Metered)}
    first = next(iter(played.runs.values()))[0]
    return Comparison(
        domain=dream.domain,
        dream_id=first.dream.env_id,
        real_id=first.real.env_id,
        runs=played.runs,
        known_tasks=frozenset(seen),
        usage=usage,
        broken_off=played.broken,
        interrupted=played.interrupted,
    )


@dataclass(slots=True)
class _Played:
    """What was played to the end, and what was not."""

    runs: dict[str, list[SideBySide]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False


def _play_all(
    play: Callable[[str, int], SideBySide], names: Mapping[str, str], seeds: Sequence[int], *, keep_interrupted: bool
) -> _Played:
    """Play each agent with each seed, and keep what is finished. Raises the first error if nothing is."""
    played, first, over = _Played(), None, ""
    for agent, name in names.items():
        if over:
            played.broken[name] = over
            continue
        try:
            for seed in seeds:
                run = play(agent, seed)
                played.runs.setdefault(name, []).append(run)
        except DreamGymError as error:  # what was played before stands
            first, played.broken[name] = first or error, str(error)
            if isinstance(error, EnvironmentLostError):  # each further agent would wait for it in vain
                over = f"Not begun, for before its turn the world model had failed: {error}"
        except KeyboardInterrupt:
            if not (keep_interrupted and played.runs):
                raise
            played.broken[name], played.interrupted, over = "Interrupted.", True, "Interrupted before its turn."
    if not played.runs:
        assert first is not None
        raise first
    return played


def _checked(agents: Mapping[str, AgentFactory], task_ids: Sequence[str], seeds: Sequence[int]) -> dict[str, str]:
    """Return agent -> its name without secrets, if all can be compared. Raises ComparisonError, UnknownTaskError."""
    names = {agent: mask_secrets(agent) for agent in agents}
    if not (names and task_ids and seeds):
        raise ComparisonError("There is nothing to compare: name at least one agent, one task and one seed.")
    if len(set(names.values())) < len(names):
        raise ComparisonError(
            "Two agents' names differ in a secret alone, which no report may show: give them other names."
        )
    for what, named in (("task", task_ids), ("seed", seeds)):
        if len(set(named)) < len(named):
            raise ComparisonError(f"A {what} is named twice, which would make each figure look surer than it is.")
    for factory in agents.values():
        if isinstance(factory, TaskBound):
            factory.check_tasks(task_ids)
    return names


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
    seen = buffer.known(task_ids)
    if seen and not allow_test_tasks:
        raise ComparisonError(
            f"The dream's replay buffer holds experience of {len(seen)} of the {len(set(task_ids))} tasks that are to "
            f"be compared, such as {min(seen)!r}: it would be tested on what it was taught. Take other tasks (another "
            "split) or another buffer, or allow it on purpose (allow_test_tasks=True, --allow-test-tasks); the report "
            "then says so."
        )
    return seen

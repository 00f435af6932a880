"""Recording experience: a mix of agents plays tasks, and every step becomes a line of a transitions file.

A recording follows from its settings alone: the n-th episode's task, agent and randomness depend on the seed and on n,
so that an interrupted recording continues to the very file that an uninterrupted one gives, and a longer recording
begins with a shorter one.  Until it is complete it lies beside the file that was asked for, under the name
``<file>.partial``.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from dreamgym_env.evaluation.agent_names import split_names, split_share
from dreamgym_env.evaluation.agents import open_agents
from dreamgym_env.evaluation.environments import environment_id, make_lanes
from dreamgym_env.evaluation.rollout import EpisodePlan, EpisodeResult, play_each
from dreamgym_env.masking import mask_secrets
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.training.unfinished import UnfinishedFile
from dreamgym_env.types import Transition

__all__ = ["AgentReport", "AgentShare", "RecordReport", "parse_agent_shares", "record_experience"]

_NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class AgentShare:
    """An agent and how often it plays, relative to the others."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class AgentReport:
    """What one agent did in a recording."""

    episodes: int
    solved: int
    transitions: int


@dataclass(frozen=True, slots=True)
class RecordReport:
    """What a recording holds."""

    path: str
    env_id: str
    """Id of the environment that was recorded; every figure here comes from it."""
    episodes: int
    transitions: int
    invalid: int
    """Transitions whose action the state did not offer."""
    agents: Mapping[str, AgentReport]
    bytes: int
    """Size of the file."""
    resumed_at: int
    """Number of the first episode that this run played; those before it were there."""
    seconds: float
    """What this run took."""

    def to_json(self) -> dict[str, Any]:
        """Return all figures as JSON values."""
        return {
            **{name: getattr(self, name) for name in self.__slots__ if name != "agents"},
            "agents": {
                name: {"episodes": agent.episodes, "solved": agent.solved, "transitions": agent.transitions}
                for name, agent in self.agents.items()
            },
        }


def parse_agent_shares(text: str) -> tuple[AgentShare, ...]:
    """Read ``"oracle:0.3,noisy-oracle(0.5):0.7"``; a name without a number counts 1.

    Raises:
        ValueError: a share is not a number above 0, a name is missing or given twice, or brackets do not match.
    """
    shares = []
    for part in split_names(text):
        name, number = split_share(part)
        try:
            share = float(number) if name != part else 1.0
        except ValueError:
            share = math.nan
        if not name or not 0 < share < math.inf:
            raise ValueError(f"{part!r} is not an agent and its share: write for example oracle:0.3,random:0.7.")
        shares.append(AgentShare(name, share))
    if len({share.name for share in shares}) < len(shares):
        raise ValueError(f"An agent is named twice in {text!r}.")
    return tuple(shares)


def record_experience(
    domain: str,
    path: str | Path,
    *,
    agents: Sequence[AgentShare],
    episodes: int,
    split: str = "train",
    seed: int = 0,
    real: bool = True,
    resume: bool = True,
    lanes: int = 64,
    settings: Mapping[str, Any] = _NO_SETTINGS,
    progress: bool = True,
) -> RecordReport:
    """Record episodes of a mix of agents to a transitions file.

    Args:
        domain: name of the domain.
        path: file to write; gzip if it ends in ``.gz``. It appears when the recording is complete.
        agents: who plays, and how often.
        episodes: how many episodes; tasks come from the split in an order that the seed shuffles, all of them before
            one comes again.
        split: of the tasks.
        seed: of everything.
        real: record the real environment, or the dream.
        resume: continue what an earlier run with the same settings left; else begin anew, replacing the file.
        lanes: how many episodes run at once; makes no difference to the file of a real environment.
        settings: keywords of the environment, such as ``products`` or ``world_model``.
        progress: show a progress bar (on a terminal only).

    Raises:
        UnknownDomainError, UnknownAgentError, UnknownTaskError: no such domain, agent or split.
        ExperienceFormatError: ``path`` is there and was recorded with other settings, or is something else.
        DreamGymError: another process records to ``path``, or the environment cannot be made.
    """
    if episodes < 1 or not agents:
        raise ValueError("A recording needs at least one episode and one agent.")
    began = time.perf_counter()
    recording = _Recording(Path(path), _header(domain, agents, split, seed, real, settings))
    with recording.file.claim():
        done = recording.open(resume=resume)
        if done < episodes:
            env = make_lanes(domain, min(lanes, episodes - done), real=real, split=split, **settings)
            try:
                plans = _plans(env.domain.task_ids(split), agents, seed, range(done, episodes))
                with open_agents(env.domain, [agent.name for agent in agents]) as players:
                    played = play_each(env, players, plans)
                    recording.write(enumerate(played, start=done), episodes, show=progress)
            finally:
                env.close()
        transitions = recording.finish()
    return _report(recording, transitions, done, time.perf_counter() - began)


def _plans(task_ids: Sequence[str], agents: Sequence[AgentShare], seed: int, numbers: range) -> Iterator[EpisodePlan]:
    """Yield the plans of some episodes; each depends on the seed and its number alone."""
    weights = np.array([agent.share for agent in agents])
    for epoch, group in itertools.groupby(numbers, key=lambda number: number // len(task_ids)):
        order = np.random.default_rng([seed, epoch, 0]).permutation(len(task_ids))
        for number in group:
            rng = np.random.default_rng([seed, number, 1])
            agent = agents[int(rng.choice(len(agents), p=weights / weights.sum()))]
            yield EpisodePlan(task_ids[order[number % len(task_ids)]], agent.name, int(rng.integers(2**63)))


def _header(
    domain: str, agents: Sequence[AgentShare], split: str, seed: int, real: bool, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the first line says of how the file was recorded: all that its episodes follow from, no secrets."""
    return {
        "domain": domain,
        "recorded": {
            "env_id": environment_id(domain, real=real),
            "split": split,
            "seed": seed,
            "agents": [[mask_secrets(agent.name), agent.share] for agent in agents],
            "settings": {name: mask_secrets(str(value)) for name, value in sorted(settings.items())},
        },
    }


class _Recording:
    """The file of a recording, complete or partial."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.file = UnfinishedFile(path, header, "recorded")
        self._seed = header["recorded"]["seed"]

    def open(self, *, resume: bool) -> int:
        """Return how many episodes are there already; they are in the partial file, or all of them in the final one."""
        found = self.file.find(resume=resume)
        if found is None:
            return 0
        transitions = read_transitions(found)
        count = _number(transitions[-1]) + 1 if transitions else 0
        if not self.file.complete:
            count = max(0, count - 1)  # the last one may lack steps, and playing it again gives the same ones
        self.file.keep([step for step in transitions if _number(step) < count])
        return count

    def write(self, played: Iterator[tuple[int, EpisodeResult]], total: int, *, show: bool) -> None:
        """Append numbered episodes as they end."""
        from tqdm import tqdm

        with (
            self.file.writer() as writer,
            tqdm(total=total, unit="episode", desc="recording", disable=None if show else True) as bar,
        ):
            for number, episode in played:
                bar.update(number + 1 - bar.n)
                name = f"{self._seed}/{number}/{mask_secrets(episode.agent)}"
                for outcome in episode.outcomes:
                    if not outcome.failure:  # what a world model failed to answer is no experience
                        writer.write(replace(outcome.transition, episode=name))
                writer.flush()

    def finish(self) -> list[Transition]:
        """Put the complete file in its place and return what it holds."""
        found = self.file.find(resume=True)
        # no header was written where the world model answered nothing at all
        transitions = read_transitions(found) if found is not None else []
        if not self.file.complete:
            self.file.finish(transitions)
        return transitions


def _number(transition: Transition) -> int:
    """Return the number of a recorded episode, from its name ``<seed>/<number>/<agent>``."""
    return int(transition.episode.split("/", 2)[1])


def _report(recording: _Recording, transitions: Sequence[Transition], done: int, seconds: float) -> RecordReport:
    steps: dict[str, list[Transition]] = {}
    for transition in transitions:
        steps.setdefault(transition.episode.split("/", 2)[2], []).append(transition)
    return RecordReport(
        path=str(recording.file.path),
        env_id=recording.file.header["recorded"]["env_id"],
        episodes=len({transition.episode for transition in transitions}),
        transitions=len(transitions),
        invalid=sum(not transition.valid for transition in transitions),
        agents={
            name: AgentReport(
                episodes=len({step.episode for step in taken}),
                solved=sum(step.terminated and step.reward > 0 for step in taken),
                transitions=len(taken),
            )
            for name, taken in sorted(steps.items())
        },
        bytes=recording.file.path.stat().st_size,
        resumed_at=done,
        seconds=round(seconds, 2),
    )

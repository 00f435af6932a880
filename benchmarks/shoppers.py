"""Shoppers that keep environments busy: all lanes of a vector environment at once, or single ones in turn."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.evaluation.agents import Agent, agent_factory
from dreamgym_env.simulation.episode import Backend
from dreamgym_env.types import Domain

__all__ = ["Run", "run_async", "run_one_by_one", "run_vector"]

_KINDS = ("noisy-oracle", "random", "lazy", "noisy-oracle")


@dataclass(slots=True)
class Run:
    """What came of some steps."""

    steps: int = 0
    """Environment steps: lanes times vector steps."""
    seconds: float = 0.0
    """Wall time inside ``step``; what the shoppers think does not count."""
    cpu_seconds: float = 0.0
    """Processor time of this process inside ``step``, all its threads together."""
    answered_by: Counter[str] = field(default_factory=Counter)
    failures: int = 0

    @property
    def rate(self) -> float:
        """Environment steps per second."""
        return self.steps / self.seconds if self.seconds else 0.0

    def share(self, stage: str) -> float:
        """Return the share of the steps that a stage answered."""
        return self.answered_by[stage] / max(self.steps, 1)

    def add(self, steps: int, seconds: float, cpu_seconds: float) -> None:
        """Add what some steps took."""
        self.steps += steps
        self.seconds += seconds
        self.cpu_seconds += cpu_seconds

    def note(self, answered_by: str, failure: str) -> None:
        """Add who answered one step."""
        self.answered_by[answered_by] += 1
        self.failures += bool(failure)


class _Shoppers:
    """One shopper a lane."""

    def __init__(self, domain: Domain, lanes: int, seed: int) -> None:
        self._domain = domain
        self._agents: list[Agent] = [agent_factory(domain, _KINDS[lane % len(_KINDS)])() for lane in range(lanes)]
        self._rngs = [np.random.default_rng([seed, lane]) for lane in range(lanes)]

    def begin(self, lane: int, task_id: str) -> None:
        self._agents[lane].begin(self._domain.task(task_id), self._rngs[lane])

    def act(self, lane: int, state: str, available_actions: Sequence[str]) -> str:
        action = self._agents[lane].act(state, available_actions)
        assert action is not None  # shoppers go on to the end
        return action


def run_vector(envs: TextVectorEnv, *, steps: int, seconds: float, seed: int = 0) -> Run:
    """Step a vector environment (same-step autoreset) at most ``steps`` times, or until ``seconds`` are over."""
    shoppers = _Shoppers(envs.domain, envs.num_envs, seed)
    observations, infos = envs.reset(seed=seed)
    for lane in range(envs.num_envs):
        shoppers.begin(lane, infos["task_id"][lane])
    run = Run()
    for _ in range(steps):
        offered = infos["available_actions"]
        actions = [shoppers.act(lane, observations[lane], offered[lane]) for lane in range(envs.num_envs)]
        began, cpu_began = time.perf_counter(), time.process_time()
        observations, _, _, _, infos = envs.step(actions)
        took, cpu_took = time.perf_counter() - began, time.process_time() - cpu_began
        for lane in range(envs.num_envs):
            info = _ended(infos, lane)
            if info is not None:
                shoppers.begin(lane, infos["task_id"][lane])
            source = infos if info is None else info
            run.note(source["answered_by"][lane], source["failure"][lane])
        run.add(envs.num_envs, took, cpu_took)
        if run.seconds > seconds:
            break
    return run


def run_async(envs: TextVectorEnv, *, seconds: float, seed: int = 0) -> Run:
    """Keep every lane of a vector environment (same-step autoreset) under way: who has an answer acts at once.

    What is measured begins when as many answers have come as there are lanes, so that it begins and ends in full flow.
    The time is that of the whole loop, what the shoppers think included.
    """
    shoppers = _Shoppers(envs.domain, envs.num_envs, seed)
    observations, infos = envs.reset(seed=seed)
    lanes = list(range(envs.num_envs))
    for lane in lanes:
        shoppers.begin(lane, infos["task_id"][lane])
    run, arrived = Run(), 0
    began, cpu_began = time.perf_counter(), time.process_time()
    while not run.steps or time.perf_counter() < began + seconds:
        offered = infos["available_actions"]
        envs.send([shoppers.act(lane, observations[at], offered[at]) for at, lane in enumerate(lanes)], lanes)
        observations, _, _, _, infos = envs.recv()
        lanes = infos["env_id"].tolist()
        for at, lane in enumerate(lanes):
            info = _ended(infos, at)
            if info is not None:
                shoppers.begin(lane, infos["task_id"][at])
            source = infos if info is None else info
            if arrived >= envs.num_envs:
                run.note(source["answered_by"][at], source["failure"][at])
        if arrived < envs.num_envs:
            began, cpu_began = time.perf_counter(), time.process_time()
        else:
            run.steps += len(lanes)
        arrived += len(lanes)
    run.add(0, time.perf_counter() - began, time.process_time() - cpu_began)
    return run


def run_one_by_one(domain: Domain, backend: Backend, lanes: int, *, split: str, seconds: float, seed: int = 0) -> Run:
    """Step single environments one after the other until ``seconds`` are over.

    One question, one call, as a plain loop over ``gym.make`` does.
    """
    shoppers = _Shoppers(domain, lanes, seed)
    singles = [TextEnv(domain, backend, split) for _ in range(lanes)]
    shown: list[tuple[str, dict[str, Any]]] = [env.reset(seed=seed + lane) for lane, env in enumerate(singles)]
    for lane, (_, info) in enumerate(shown):
        shoppers.begin(lane, info["task_id"])
    run = Run()
    for lane in itertools.cycle(range(lanes)):
        observation, info = shown[lane]
        action = shoppers.act(lane, observation, info["available_actions"])
        began, cpu_began = time.perf_counter(), time.process_time()
        observation, _, terminated, truncated, info = singles[lane].step(action)
        run.add(1, time.perf_counter() - began, time.process_time() - cpu_began)
        run.note(info["answered_by"], info["failure"])
        if terminated or truncated:
            observation, info = singles[lane].reset()
            shoppers.begin(lane, info["task_id"])
        shown[lane] = observation, info
        if run.seconds > seconds:
            break
    return run


def _ended(infos: dict[str, Any], lane: int) -> dict[str, Any] | None:
    """Return the final infos of all lanes if this lane ended, else None."""
    if "final_info" not in infos or not infos["_final_info"][lane]:
        return None
    ended: dict[str, Any] = infos["final_info"]
    return ended

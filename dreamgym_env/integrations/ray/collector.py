"""The driver's side of collecting: actors are started, given units, heard, and replaced where they die."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import ray
import torch
from ray.exceptions import RayActorError, RayError, RayTaskError

from dreamgym_env.errors import CollectionError
from dreamgym_env.evaluation.rollout import EpisodePlan, EpisodeResult
from dreamgym_env.integrations.ray.ledger import Ledger
from dreamgym_env.integrations.ray.settings import check_settings, domain_of
from dreamgym_env.integrations.ray.worker import AgentMaker, RolloutWorker, WorkerSetup
from dreamgym_env.masking import mask_secrets
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.memory.experience import TransitionWriter
from dreamgym_env.types import AnsweredBy, Domain, Source, Transition

__all__ = ["CollectedEpisode", "CollectorStats", "RayCollector"]

_logger = logging.getLogger(__name__)

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_ANSWERED_BY_THE_MODEL = (AnsweredBy.MODEL, AnsweredBy.MEMO)
"""Who asked first, and who got the model's answer from a memo, is chance; the buffer keeps one of the two."""
_CLOSING_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class CollectedEpisode:
    """An episode that an actor has played, accepted once."""

    number: int
    """Of its plan in the round, from 0."""
    episode: EpisodeResult
    """Its outcomes come without memories."""

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """Its steps; not one that the world model or the real engine failed to answer."""
        return tuple(outcome.transition for outcome in self.episode.outcomes if not outcome.failure)

    @property
    def dreams(self) -> tuple[Transition, ...]:
        """Its steps that the world model answered: what may enter a buffer."""
        return tuple(
            outcome.transition
            for outcome in self.episode.outcomes
            if outcome.answered_by in _ANSWERED_BY_THE_MODEL
            and not outcome.failure
            and outcome.transition.source is Source.DREAM
        )


@dataclass(frozen=True, slots=True)
class CollectorStats:
    """What a collector has done so far, in all rounds."""

    episodes: int = 0
    """Accepted, each once."""
    transitions: int = 0
    """Of these episodes."""
    deaths: int = 0
    """Actors that died."""
    reissued: int = 0
    """Episodes that an actor took with it, and another one played."""
    dropped: int = 0
    """Episodes that came a second time."""
    enriched: int = 0
    """Dream transitions that entered the buffer."""


@dataclass(slots=True)
class _Actor:
    name: str
    """``<place>.<life>``; no two have the same."""
    handle: Any
    playing: int = 0
    """Units that it holds."""
    began: bool = False
    """Whether it has made its environment."""


class RayCollector:
    """Collects episodes of numbered plans from Ray actors; a context manager that ends them.

    Every plan gives one episode, whatever happens to the actors: those that a dead one held are played again by
    others.  With a world model whose answer depends on the question alone, an episode follows from its plan, the
    weights and the buffer as they are when the round begins; who plays it changes nothing.
    """

    def __init__(
        self,
        env_id: str,
        *,
        num_actors: int = 4,
        envs_per_actor: int = 16,
        settings: Mapping[str, Any] = _NOTHING,
        agents: Mapping[str, AgentMaker] = _NOTHING,
        actor_options: Mapping[str, Any] = _NOTHING,
        enrich: bool = False,
        max_restarts: int | None = None,
        start_seconds: float = 300.0,
    ) -> None:
        """Start the actors; they make their environments when the first round begins.

        Args:
            env_id: ``DreamGym/...`` or ``DreamGymReal/...``.
            num_actors: processes, on whichever machines of the cluster have room.
            envs_per_actor: episodes that each of them plays at once.
            settings: keywords of the environment, such as ``world_model``, ``buffer``, ``k``, ``split``; JSON values.
            agents: further agents that plans may name, besides those of ``dreamgym_env.evaluation.agents``.
            actor_options: of Ray, such as ``num_cpus`` (1 unless you say otherwise), ``resources``, ``runtime_env``.
            enrich: add what was dreamt to the Chroma server ``settings["buffer"]``, at the end of each round and in the
                plans' order; the next round's episodes are grounded in it.
            max_restarts: actors that are replaced, in all rounds; ``num_actors`` where None.
            start_seconds: how long to wait for a first actor.

        Raises:
            CollectionError: Ray was not initialised.
            KeywordError: the settings cannot be used by actors; the message says why.
        """
        if num_actors < 1 or envs_per_actor < 1:
            raise ValueError("num_actors and envs_per_actor must be at least 1.")
        check_settings(settings, enrich=enrich)
        if not ray.is_initialized():
            raise CollectionError(
                "Ray was not initialised: call ray.init() for this machine, or ray.init(address='auto') on a machine "
                "of a cluster that `ray start` has made."
            )
        self.env_id, self.enrich = env_id, enrich
        self.settings: Mapping[str, Any] = MappingProxyType(dict(settings))
        self._lanes = envs_per_actor
        self._setup = ray.put(WorkerSetup(env_id, envs_per_actor, dict(settings), dict(agents)))
        self._options = {
            **{"num_cpus": 1, "scheduling_strategy": "SPREAD"},
            **actor_options,
            **{"max_restarts": 0, "max_task_retries": 0},  # a unit must not be played twice behind our back
        }
        self._restarts_left = num_actors if max_restarts is None else max_restarts
        self._start_seconds = start_seconds
        self._weights: Any = ray.put({})
        self._kept_weights: dict[str, Mapping[str, Any]] = {}
        self._domain: Domain | None = None
        self._stale = False
        """Whether the buffer was changed since the actors made their environments."""
        self._collecting = False
        self._stats = CollectorStats()
        self._lives = 0
        self._calls: dict[Any, _Actor] = {}
        """What the actors were asked and have not answered."""
        self._actors = [self._start(place) for place in range(num_actors)]

    @property
    def actors(self) -> tuple[Any, ...]:
        """Handles of the actors that live, as far as is known."""
        return tuple(actor.handle for actor in self._actors)

    @property
    def domain(self) -> Domain:
        """The environment's domain, whose ``task_ids(split)`` can be planned (:func:`.plan_episodes`)."""
        if self._domain is None:
            self._domain = domain_of(self.env_id, self.settings)
        return self._domain

    @property
    def stats(self) -> CollectorStats:
        """What was done so far."""
        return self._stats

    def set_weights(self, weights: Mapping[str, Mapping[str, Any]]) -> None:
        """Let agents act by other weights from the next round on.

        Args:
            weights: by the agents' names, such as ``{"learner": policy.scorer.state_dict()}``.

        Raises:
            CollectionError: a round is under way, whose episodes are to come from the same weights.
        """
        if self._collecting:
            raise CollectionError("Weights change between rounds: take all episodes of collect(), or close it, first.")
        self._kept_weights.update(
            {name: {key: _on_cpu(value) for key, value in values.items()} for name, values in weights.items()}
        )
        self._weights = ray.put(self._kept_weights)

    def collect(self, plans: Iterable[EpisodePlan], *, path: str | Path | None = None) -> Iterator[CollectedEpisode]:
        """Play a round of plans, and yield each one's episode as soon as it ends.

        Args:
            plans: what to play, no two with the same task and seed.  They are read as actors become free.
            path: transitions file that each episode is appended to, and flushed, before it is yielded.

        Raises:
            CollectionError: another round is under way; all actors died; or there is no room for any.
            WorldModelError: the world model as a whole does not answer, after the generator's retries.
            ReplayBufferError: the buffer does not answer.
            DreamGymError: the environment or an agent cannot be made; the message says why.
            ValueError: two plans have the same task and seed.
        """
        return self._collect(Ledger(plans), None if path is None else Path(path))

    def close(self) -> None:
        """End the actors; calling it twice is allowed."""
        if ray.is_initialized():
            closing = [actor.handle.close.remote() for actor in self._actors if actor.began]
            if closing:
                ray.wait(closing, num_returns=len(closing), timeout=_CLOSING_SECONDS)
            for actor in self._actors:
                ray.kill(actor.handle)
        self._actors.clear()
        self._calls.clear()

    def __enter__(self) -> RayCollector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # a round

    def _collect(self, ledger: Ledger, path: Path | None) -> Iterator[CollectedEpisode]:
        if self._collecting:
            raise CollectionError("A round is under way: take all its episodes, or close it, before the next one.")
        dreams: dict[int, tuple[Transition, ...]] = {}
        self._collecting = True
        try:
            with self._writer(path) as writer:
                for number, episode in self._play(ledger):
                    collected = CollectedEpisode(number, episode)
                    if writer is not None:
                        for transition in collected.transitions:
                            writer.write(transition)
                        writer.flush()
                    if self.enrich:
                        dreams[number] = collected.dreams
                    self._count(episodes=1, transitions=len(collected.transitions))
                    yield collected
        finally:  # also where the caller takes no more: what was accepted is not lost
            self._collecting = False
            self._calls.clear()
            self._count(reissued=ledger.reissued, dropped=ledger.dropped)
            self._add_to_buffer([step for _, steps in sorted(dreams.items()) for step in steps])

    def _play(self, ledger: Ledger) -> Iterator[tuple[int, EpisodeResult]]:
        """Yield the result of each unit once."""
        if not self._actors:
            raise CollectionError("There is no actor left: they died, or the collector was closed. Make a new one.")
        for actor in self._actors:
            self._begin(actor, renew=self._stale)
        self._stale = False
        while not ledger.finished:
            self._hand_out(ledger)
            for call in self._wait():
                actor = self._calls.pop(call)
                for number, episode in self._answer(actor, call, ledger):
                    if ledger.accept(number):
                        yield number, episode

    def _begin(self, actor: _Actor, *, renew: bool) -> None:
        actor.playing = 0
        self._calls[actor.handle.begin.remote(self._setup, self._weights, renew=renew)] = actor

    def _hand_out(self, ledger: Ledger) -> None:
        """Give each actor that waits for us as many units as it has free lanes."""
        busy = {actor.name for actor in self._calls.values()}
        for actor in self._actors:
            if actor.name in busy:
                continue
            units = ledger.issue(actor.name, self._lanes - actor.playing)
            actor.playing += len(units)
            if actor.playing:
                self._calls[actor.handle.work.remote(units)] = actor

    def _wait(self) -> Sequence[Any]:
        """Return calls that were answered, or whose actor died."""
        starting = not any(actor.began for actor in self._calls.values())
        calls = list(self._calls)
        answered, _ = ray.wait(calls, num_returns=1, timeout=self._start_seconds if starting else None)
        if not answered:
            asked = {key: value for key, value in self._options.items() if key in ("num_cpus", "num_gpus", "resources")}
            raise CollectionError(
                f"No actor was ready within {self._start_seconds:g} seconds. Each asks for {asked}, and the cluster "
                f"has {ray.cluster_resources()} in all: ask for less by actor_options, or wait longer by start_seconds."
            )
        return list(answered)

    def _answer(self, actor: _Actor, call: Any, ledger: Ledger) -> Sequence[tuple[int, EpisodeResult]]:
        """Return the episodes that an actor hands over; replace it where it died."""
        try:
            ended = ray.get(call)
        except RayTaskError as error:  # it lives, and says what is wrong: another one would say the same
            if isinstance(error.cause, Exception) and not isinstance(error.cause, RayError):
                raise error.cause from error
            raise CollectionError(
                f"An actor could not read what it was sent ({_reason(error)}): what makes agents must be a function of "
                "a module that can be imported on every machine, or of your script itself."
            ) from error
        except RayError as error:
            if isinstance(error, RayActorError) and error.actor_init_failed:
                raise CollectionError(
                    f"No actor can be made ({_reason(error)}): install the same version of dreamgym_env, and of what "
                    "it needs, on every machine."
                ) from error
            self._replace(actor, ledger, error)
            return ()
        actor.began = True
        actor.playing -= len(ended or ())
        return ended or ()

    def _replace(self, actor: _Actor, ledger: Ledger, error: RayError) -> None:
        lost = ledger.lost(actor.name)
        reason = _reason(error)
        _logger.warning("Actor %s died and took %d episodes with it: %s", actor.name, len(lost), reason)
        self._count(deaths=1)
        with contextlib.suppress(RayError):
            ray.kill(actor.handle)  # where only the way to it is cut off
        place = self._actors.index(actor)
        if self._restarts_left > 0:
            self._restarts_left -= 1
            self._actors[place] = self._start(place)
            self._begin(self._actors[place], renew=False)
            return
        del self._actors[place]
        if not self._actors:
            raise CollectionError(
                f"All actors of {self.env_id} died, and as many were started again as max_restarts allows. The last "
                f"one held the episodes {lost[:10]}; Ray says: {reason}"
            )

    def _start(self, place: int) -> _Actor:
        self._lives += 1
        return _Actor(f"{place}.{self._lives}", ray.remote(RolloutWorker).options(**self._options).remote())

    # what becomes of episodes

    def _writer(self, path: Path | None) -> contextlib.AbstractContextManager[TransitionWriter | None]:
        if path is None:
            return contextlib.nullcontext()
        settings = {name: mask_secrets(str(value)) for name, value in sorted(self.settings.items())}
        return TransitionWriter(path, header={"collected": {"env_id": self.env_id, "settings": settings}})

    def _add_to_buffer(self, dreams: Sequence[Transition]) -> None:
        """Add dream transitions of a round; one that is there already is not added again."""
        if not dreams:
            return
        seed = self.settings.get("seed_experience", True)
        with ReplayBuffer(self.domain, self.settings["buffer"], seed_experience=seed) as buffer:
            self._count(enriched=buffer.add(dreams))
        self._stale = True

    def _count(self, **more: int) -> None:
        self._stats = replace(self._stats, **{name: getattr(self._stats, name) + by for name, by in more.items()})


def _reason(error: RayError) -> str:
    """Return what Ray says, in one line; what matters stands at the beginning, or at the end of a traceback."""
    text = " ".join(re.sub(r"\x1b\[\d*m", "", str(error)).split())
    return mask_secrets(text if len(text) <= 600 else f"{text[:250]} … {text[-350:]}")


def _on_cpu(value: Any) -> Any:
    return value.detach().cpu() if isinstance(value, torch.Tensor) else value

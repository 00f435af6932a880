"""An OpenEnv server of dreams and real environments (``pip install "dreamgym_env[openenv]"``).

::

    serve("DreamGym/WebShop-v0", port=8000, world_model="embedded")    # on loopback, unless host= says otherwise

    async with openenv.GenericEnvClient(base_url="http://127.0.0.1:8000") as env:   # in any other process
        result = await env.reset(task_id="webshop/train/17")
        result = await env.step({"text": "search[red shoes]"})
        result.observation["state"], result.reward, result.done

A client's WebSocket is a session, with an episode of its own; all sessions share one world model, and those who wait
are answered in one batch.  ``reset`` takes ``seed``, ``task_id``, ``split``, and ``split`` with ``index``.  What goes
wrong comes back as a sentence.  OpenEnv's HTTP routes ``/reset`` and ``/step`` keep nothing from call to call: only a
session can play.  There is no authentication: leave it on loopback, or put a proxy before it.
"""

from __future__ import annotations

from typing import Any

from dreamgym_env.envs.episode_pool import EpisodePool, PooledEpisode, open_pool
from dreamgym_env.envs.tasks import choice_from_options
from dreamgym_env.errors import DreamGymError, ResetOptionError
from dreamgym_env.integrations.requirements import require

VERSIONS = ">=0.4.1,<0.11"
"""Of openenv."""
require("openenv", VERSIONS, "openenv")

from fastapi import FastAPI, Request  # noqa: E402 - after the check of versions
from fastapi.responses import JSONResponse  # noqa: E402
from openenv.core.env_server import Action, Environment, Observation, State, create_fastapi_app  # noqa: E402

__all__ = ["DreamOpenEnv", "TextAction", "TextObservation", "create_app", "serve"]


class TextAction(Action):
    """What the agent does; an action that the state does not offer changes nothing."""

    text: str


class TextObservation(Observation):
    """The state, and what ``info`` says under the same names; ``reward`` is 1 at success, else 0."""

    state: str
    instruction: str
    task_id: str
    available_actions: list[str]
    valid: bool = True
    won: bool = False
    task_score: float = 0.0
    answered_by: str = ""
    stop_reason: str = ""
    failure: str = ""


class DreamOpenEnv(Environment[TextAction, TextObservation, State]):
    """One session: an episode at a time, of a pool that all sessions share."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, pool: EpisodePool) -> None:
        """Take part in a pool, which stays the server's."""
        super().__init__()
        self._pool = pool
        self._episode: PooledEpisode | None = None
        self._episode_id: str | None = None

    def reset(self, seed: int | None = None, episode_id: str | None = None, **options: Any) -> TextObservation:
        """Begin an episode; the server calls this in the session's own thread.

        Raises:
            ResetOptionError: an option that nobody knows, or a value of the wrong type.
            UnknownTaskError: no such task or split.
        """
        index = options.pop("index", None)
        choice = choice_from_options(options)
        task_id = choice.task_id if index is None else self.get_task(choice.split, index)["id"]
        self._episode = self._pool.begin(seed=seed, task_id=task_id, split=choice.split)
        self._episode_id = episode_id
        return self._observation(self._episode, None)

    def step(self, action: TextAction, timeout_s: float | None = None, **kwargs: Any) -> TextObservation:
        """Take an action; raises ResetOptionError before ``reset``, and what :meth:`PooledEpisode.step` raises."""
        if self._episode is None:
            raise ResetOptionError("No episode is running in this session: call reset before step, over one WebSocket.")
        return self._observation(self._episode, self._episode.step(action.text)[1])

    @property
    def state(self) -> State:
        """The session's episode: its id, how many actions it took, and its task."""
        if self._episode is None:
            return State()
        episode = self._episode.episode
        return State(episode_id=self._episode_id, step_count=episode.step, task_id=episode.task.id)

    def list_splits(self) -> list[str]:
        """Return the names of the splits."""
        return list(self._pool.domain.splits())

    def num_tasks(self, split: str) -> int:
        """Return how many tasks a split has. Raises UnknownTaskError."""
        return len(self._pool.domain.task_ids(split))

    def get_task(self, split: str, index: int) -> dict[str, str]:
        """Return a task's id and instruction. Raises IndexError."""
        if type(index) is not int or not 0 <= index < self.num_tasks(split):
            raise IndexError(f"index must be a number from 0 to {self.num_tasks(split) - 1}, not {index!r:.40}.")
        task = self._pool.domain.task(self._pool.domain.task_ids(split)[index])
        return {"id": task.id, "instruction": task.instruction}

    def _observation(self, episode: PooledEpisode, reward: float | None) -> TextObservation:
        info = episode.info
        told = {name: info[name] for name in TextObservation.model_fields if name in info}
        told["available_actions"] = list(info["available_actions"])
        return TextObservation(state=episode.observation, reward=reward, done=not episode.is_running, **told)


def create_app(pool: EpisodePool, *, name: str = "dreamgym", sessions: int = 64) -> FastAPI:
    """Return the server's application (ASGI) for at most so many sessions; the pool stays the caller's to close.

    ``name`` is the environment's in OpenEnv's routes for tasks.
    """
    app = create_fastapi_app(
        lambda: DreamOpenEnv(pool), TextAction, TextObservation, max_concurrent_envs=sessions, env_name=name
    )

    async def say(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=400)

    app.add_exception_handler(DreamGymError, say)
    return app


def serve(env_id: str, *, host: str = "127.0.0.1", port: int = 8000, sessions: int = 64, **settings: Any) -> None:
    """Serve an environment until it is interrupted; by default only this machine can connect.

    ``env_id`` and ``settings`` are those of :func:`~dreamgym_env.envs.episode_pool.open_pool`, which says what is
    raised; ``sessions`` is how many there may be at once.
    """
    import uvicorn

    pool = open_pool(env_id, **settings)
    try:
        uvicorn.run(create_app(pool, sessions=sessions), host=host, port=port, log_level="warning")
    finally:
        pool.close()

"""The bundled sites in a real browser: what the shipped tasks say of them is so, and their oracles solve them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from browsers import needs_browser

pytest.importorskip("uvicorn", reason="needs the bundled sites: pip install 'dreamgym_env[webarena]'")

from dreamgym_env.domains.webarena.domain import WebArena
from dreamgym_env.domains.webarena.first_pages import _first_pages
from dreamgym_env.domains.webarena.real import RealWebArena, bundled_browser_task
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.simulation.episode import Episode
from dreamgym_env.types import StopReason, Task

pytestmark = needs_browser
DOMAIN = WebArena()
BY_START = {DOMAIN.task(task_id).goal["start_url"]: task_id for task_id in DOMAIN.task_ids("train")}
"""A task that starts on each site."""


@pytest.fixture(scope="module")
def backend() -> Iterator[RealWebArena]:
    real = RealWebArena(DOMAIN, workers=1)
    yield real
    real.close()


def begin(backend: RealWebArena, *task_ids: str) -> list[Episode]:
    return backend.begin([DOMAIN.task(task_id) for task_id in task_ids], [0] * len(task_ids))


def watch(backend: RealWebArena, task_id: str, name: str = "oracle", limit: int = 30) -> Episode:
    (episode,) = begin(backend, task_id)
    agent = agent_factory(DOMAIN, name)()
    agent.begin(episode.task, np.random.default_rng(0))
    while episode.stop is StopReason.RUNNING:
        backend.advance([episode], [agent.act(episode.state, backend.available_actions(episode))], limit)
    return episode


@pytest.mark.parametrize("start_url", BY_START)
def test_what_is_shipped_of_a_start_page_is_what_it_shows(backend: RealWebArena, start_url: str):
    ((_, page),) = backend.look([bundled_browser_task(BY_START[start_url])])
    assert page == _first_pages()[start_url]
    assert page.url.endswith(".test/") and page.title


@pytest.mark.parametrize("task_id", [*DOMAIN.task_ids("test")[::45], *DOMAIN.task_ids("eval")[::60]])
def test_oracles_solve_their_tasks(backend: RealWebArena, task_id: str):
    episode = watch(backend, task_id)
    assert episode.stop is StopReason.SUCCESS, f"{[turn.action for turn in episode.history]}\n{episode.state}"


def test_agents_that_err_end_somehow(backend: RealWebArena):
    for name in ("random", "noisy-oracle"):
        assert watch(backend, BY_START["__SHOP__/"], name, limit=8).stop is not StopReason.ENGINE_FAILURE


def test_an_answer_that_is_wrong_ends_the_episode_without_reward(backend: RealWebArena):
    (episode,) = begin(backend, BY_START["__SHOP__/"])
    (outcome,) = backend.advance([episode], ["send_msg_to_user('I do not know.')"])
    assert (outcome.stop, outcome.transition.reward) == (StopReason.FAILURE, 0.0)


def test_what_one_episode_changes_no_other_sees(backend: RealWebArena):
    one, other = begin(backend, *[BY_START["__SHOP__/"]] * 2)
    for episode in (one, other):
        backend.advance([episode], ["goto('http://shop.test/wish-list')"])
    before = other.state
    button = next(line for line in one.state.split("\n") if "button: Remove" in line)
    backend.advance([one], [f"click('{button[1:].partition(']')[0]}')"])
    backend.advance([other], ["goto('http://shop.test/wish-list')"])
    assert other.state == before != one.state
    assert begin(backend, BY_START["__SHOP__/"])[0].state == one.history[0].state, "the next begins anew"


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://shop.test/", "http://127.0.0.1:22/", "file:///etc/hosts"]
)
def test_nothing_but_the_sites_can_be_reached(backend: RealWebArena, url: str):
    (episode,) = begin(backend, BY_START["__SHOP__/"])
    backend.advance([episode], [f"goto({url!r})"])
    shown = episode.state.partition("URL: ")[2]
    assert "Error: " in shown or "There is no such site here." in shown
    assert "localhost" not in shown and "SSH" not in shown and episode.stop is StopReason.RUNNING


def test_a_task_that_the_sites_do_not_have_is_refused(backend: RealWebArena):
    with pytest.raises(ResetOptionError, match="play only tasks that they have, and 'mine/1' is none"):
        backend.begin([Task("mine/1", "webarena", "Do it.", "")], [0])

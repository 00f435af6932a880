"""The dream of the bundled sites: its verifier beside the real evaluators, and pages composed for test templates."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pytest
from plain_pages import PlainPages, play

from dreamgym_env.domains import load_domain
from dreamgym_env.domains.browser.texts import PageText
from dreamgym_env.domains.webarena.agents import AGENTS
from dreamgym_env.domains.webarena.sites.replica import Replica
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.types import Query, Task, Transition, Turn

DOMAIN = load_domain("webarena")
VERIFIER = DOMAIN.verifier()


@functools.cache
def episodes(split: str, agent: str, every: int, seed: int = 0) -> tuple[tuple[Transition, ...], ...]:
    pages = PlainPages()
    return tuple(
        tuple(
            play(pages, DOMAIN.task(task_id), AGENTS[agent](DOMAIN), f"{agent}/{task_id}", np.random.default_rng(seed))
        )
        for task_id in DOMAIN.task_ids(split)[::every]
    )


def verdict(steps: Sequence[Transition], task: Task | None = None) -> tuple[bool, bool]:
    last = steps[-1]
    assert VERIFIER is not None
    task = task or DOMAIN.task(last.task_id)
    told = VERIFIER.verify(task, last.history, last.state, last.action, last.next_state)
    return told.success, told.terminated


@pytest.mark.parametrize("split", ["train", "test"])
def test_what_the_oracle_does_is_a_success_here_as_there(split: str):
    for steps in episodes(split, "oracle", every=7):
        assert steps[-1].reward == 1.0 and verdict(steps) == (True, True), steps[-1].task_id
        assert all(verdict(steps[: at + 1]) == (False, False) for at in range(len(steps) - 1))


@pytest.mark.parametrize("seed", [1, 4])
def test_what_errs_now_and_then_is_judged_as_the_evaluators_judge_it(seed: int):
    played = [steps for steps in episodes("test", "noisy-oracle", every=3, seed=seed) if steps[-1].terminated]
    assert len(played) > 25
    for steps in played:
        assert verdict(steps) == (steps[-1].reward > 0, True), steps[-1].task_id


def test_idleness_is_no_success():
    assert VERIFIER is not None
    for task_id in DOMAIN.task_ids("test")[::5]:
        task = DOMAIN.task(task_id)
        for action in ("send_msg_to_user('Done.')", "report_infeasible('no')"):
            assert VERIFIER.verify(task, (), task.initial_state, action, task.initial_state).success is False


def test_what_a_page_has_refused_was_not_done():
    done = next(steps for steps in episodes("train", "oracle", every=7) if "?notice=" in steps[-1].state)
    last = done[-1]
    refused = last.state.replace("status: ", "alert: ")
    assert refused != last.state and VERIFIER is not None
    told = VERIFIER.verify(DOMAIN.task(last.task_id), last.history, refused, last.action, refused)
    assert told.terminated and not told.success


def test_a_number_that_the_dream_has_made_up_is_the_things_own():
    replica = Replica()
    named = replica.query("product", "GAPR-1336")[0].split(", ")[0]
    assert replica.address("http://shop-admin.test/products/12345", named) == "http://shop-admin.test/products/48"
    assert replica.address("http://shop-admin.test/products/48", named) == "http://shop-admin.test/products/48"
    for url in (
        "http://shop-admin.test/products/12345",
        "http://else.test/products/1",
        "not a url",
        "http://shop.test/",
    ):
        assert replica.address(url, "No such thing") == url


def test_a_form_that_the_sites_do_not_have_changes_nothing():
    task = DOMAIN.task(DOMAIN.task_ids("train")[0])
    before = PageText("A", "http://shop.test/cart", ("[1] textbox: Wish", "[2] button: Grant")).write(task.instruction)
    after = PageText("A", "http://shop.test/cart?notice=granted", ("status: Granted.",)).write(task.instruction)
    assert VERIFIER is not None
    history = (Turn(before, "fill('1', 'x')"), Turn(before, "click('2')"))
    assert VERIFIER.verify(task, history, after, "send_msg_to_user('x')", after).terminated


@pytest.mark.parametrize("goal", [{}, {"eval": {}}, {"eval": {"eval_types": ["magic"]}}, {"eval": {"eval_types": []}}])
def test_a_goal_that_cannot_be_judged_is_said(goal: dict):
    assert VERIFIER is not None
    with pytest.raises(ResetOptionError, match="success='model'"):
        VERIFIER.check(Task("mine", "webarena", "Do it.", "", goal=goal))


def test_other_sites_have_no_verifier():
    assert load_domain("webarena", sites="webarena").verifier() is None


def test_pages_of_test_templates_are_composed_from_episodes_of_train_templates():
    known = [step for agent in ("oracle", "noisy-oracle") for one in episodes("train", agent, every=2) for step in one]
    composer = DOMAIN.composer(lambda: iter(known))
    asked = [step for steps in episodes("test", "noisy-oracle", every=3) for step in steps]
    certain = exact = 0
    for step in asked:
        memory = composer.compose(step.question(), (), exclude_episode=True, exclude_task=True)
        if memory is not None and memory.certain:
            certain += 1
            assert memory.transition.next_state == step.next_state, step.action
        exact += memory is not None and memory.transition.next_state == step.next_state
    assert certain > 0.3 * len(asked)
    assert exact > 0.75 * len(asked)


def test_the_same_question_gets_the_same_page_whatever_was_asked_before():
    known = [step for steps in episodes("train", "oracle", every=7) for step in steps]
    asked = [step.question() for steps in episodes("test", "oracle", every=25) for step in steps]
    one, other = DOMAIN.composer(lambda: iter(known)), DOMAIN.composer(lambda: iter(known))

    def page(composer, query: Query) -> str:
        memory = composer.compose(query, ())
        return memory.transition.next_state if memory else ""

    forward = [page(one, query) for query in asked]
    assert forward == [page(other, query) for query in reversed(asked)][::-1]
    assert forward == [page(one, query) for query in asked]

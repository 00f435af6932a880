"""What the dream knows by program agrees with the real engine: offers, guard, verifier, composed pages."""

from __future__ import annotations

import numpy as np
import pytest

from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.domains.webshop.observation import SEPARATOR, listings, parse_action
from dreamgym_env.domains.webshop.real import RealWebShop
from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.types import Query, StopReason, Task, Transition


@pytest.fixture(scope="module")
def domain() -> WebShop:
    return WebShop()


def wander(domain: WebShop, episodes: int, seed: int, split: str = "train") -> list[Transition]:
    """Play the real engine at random, buying often enough."""
    real, rng = RealWebShop(domain), np.random.default_rng(seed)
    steps = []
    ids = domain.task_ids(split)
    for _ in range(episodes):
        task = domain.task(ids[rng.integers(len(ids))])
        episode = real.begin([task], [int(rng.integers(2**32))])[0]
        while episode.stop is StopReason.RUNNING:
            offered = real.available_actions(episode)
            action = offered[rng.integers(len(offered))]
            if action.startswith("search") or rng.random() < 0.1:
                action = f"search[{' '.join(rng.choice(task.instruction.split(), 3))}]"
            elif "click[buy now]" in offered and rng.random() < 0.3:
                action = "click[buy now]"
            elif rng.random() < 0.1:
                action = str(rng.choice(["click[nothing like it]", "look around", "click[search]", "search[]"]))
            before = episode.history.copy(), episode.state
            assert domain.available_actions(task, *before) == offered
            steps.append(real.advance([episode], [action], 15)[0].transition)
    return steps


@pytest.fixture(scope="module")
def steps(domain: WebShop) -> list[Transition]:
    return wander(domain, episodes=150, seed=1)


def as_task(domain: WebShop, step: Transition) -> Task:
    return domain.task(step.task_id)


def test_the_guard_refuses_just_what_the_real_shop_refuses(domain, steps):
    for step in steps:
        answer = domain.guard(as_task(domain, step), step.history, step.state, step.action)
        assert (answer is None) == step.valid, step.action
        assert answer is None or answer == step.next_state
    assert {step.valid for step in steps} == {True, False}


def test_the_verifier_agrees_with_the_real_shop_on_every_step(domain, steps):
    verifier = domain.verifier()
    for step in steps:
        verdict = verifier.verify(as_task(domain, step), step.history, step.state, step.action, step.next_state)
        assert (verdict.terminated, float(verdict.success)) == (step.terminated, step.reward)
        assert verdict.score == pytest.approx(step.score)
    assert sum(step.terminated for step in steps) > 50


def test_pages_survive_segmenting_and_serve_other_tasks(domain, steps):
    for step in steps:
        segments = domain.segment(step.next_state, step.instruction)
        assert domain.render(segments, step.instruction) == step.next_state
        assert step.instruction not in segments


def test_a_composed_results_page_lists_what_the_real_search_finds(domain, steps):
    known = wander(domain, episodes=400, seed=2)
    composer = domain.composer(lambda: iter(known))
    shares = []
    for step in steps:
        parsed = parse_action(step.action)
        if not step.valid or parsed is None or parsed[0] != "search":
            continue
        query = Query(as_task(domain, step), step.history, step.state, step.action)
        composed = composer.compose(query, [])
        assert composed is not None
        real = {asin for asin, _, _ in listings(step.next_state.split(SEPARATOR))}
        dreamt = {asin for asin, _, _ in listings(composed.transition.next_state.split(SEPARATOR))}
        if real:
            shares.append(len(real & dreamt) / len(real))
    assert np.mean(shares) > 0.2  # chance is under 0.01; how far it reaches with the seed is a benchmark


def test_listings_of_the_asking_task_alone_stay_out_of_an_evaluation(domain, steps):
    search = next(step for step in steps if step.action.startswith("search[") and listings_of(step))
    composer = domain.composer(lambda: iter([search]))
    query = Query(as_task(domain, search), search.history, search.state, search.action)
    assert listings_of(composer.compose(query, []).transition)
    assert composer.compose(query, [], exclude_task=True) is None


def listings_of(step: Transition) -> list[tuple[str, str, str]]:
    return listings(step.next_state.split(SEPARATOR))


def test_splits_are_as_promised_and_unknown_names_say_what_there_is(domain):
    assert len(domain.task_ids("train")) >= 1000
    assert len(domain.task_ids("eval")) == len(domain.task_ids("test")) == 200
    with pytest.raises(UnknownTaskError, match="train, eval, test"):
        domain.task_ids("validation")
    with pytest.raises(UnknownTaskError, match="webshop/"):
        domain.task("webshop/test/100000")


def test_no_test_target_is_a_train_target(domain):
    targets = {split: {domain.task(i).goal["asin"] for i in domain.task_ids(split)} for split in domain.splits()}
    assert not targets["test"] & targets["train"]
    assert not targets["eval"] & targets["train"]

"""Composed memories say what the real shop says, as far as the episode or experience can know it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from dreamgym_env.domains.exclusion import EVERYTHING, Exclusion
from dreamgym_env.domains.webshop.agents import AGENTS
from dreamgym_env.domains.webshop.composers.knowledge import Knowledge
from dreamgym_env.domains.webshop.composers.orders import OrderComposer
from dreamgym_env.domains.webshop.composers.products import ProductComposer
from dreamgym_env.domains.webshop.composers.revisits import RevisitComposer
from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.domains.webshop.observation import SEPARATOR, listings, results_position
from dreamgym_env.domains.webshop.real import RealWebShop
from dreamgym_env.memory import read_transitions
from dreamgym_env.types import Memory, Query, Source, StopReason, Transition

SCORE_AT = -3
"""Where an order page shows the score."""


@pytest.fixture(scope="module")
def domain() -> WebShop:
    return WebShop()


def shop_around(domain: WebShop, agent: str, episodes: int, seed: int) -> list[Transition]:
    """Let an agent shop in the real engine."""
    real, rng = RealWebShop(domain), np.random.default_rng(seed)
    ids, steps = domain.task_ids("train"), []
    for number in range(episodes):
        task = domain.task(ids[rng.integers(len(ids))])
        episode = real.begin([task], [number])[0]
        shopper = AGENTS[agent](domain)
        shopper.begin(task, np.random.default_rng([seed, number]))
        while episode.stop is StopReason.RUNNING:
            action = shopper.act(episode.state, real.available_actions(episode))
            steps.append(real.advance([episode], [action], 15)[0].transition)
    return steps


@pytest.fixture(scope="module")
def steps(domain: WebShop) -> list[Transition]:
    return [
        step
        for seed, agent in enumerate(("random", "noisy-oracle", "window-shopper"))
        for step in shop_around(domain, agent, episodes=60, seed=seed)
    ]


def ask(domain: WebShop, step: Transition) -> Query:
    return Query(domain.task(step.task_id), step.history, step.state, step.action, step.episode)


def remembered(step: Transition) -> Memory:
    return Memory("recorded", step, 1.0)


class TestRevisits:
    """A page seen twice is the same page."""

    def test_every_page_that_an_action_leads_back_to_is_the_real_one_word_for_word(self, domain, steps):
        composer, kinds = RevisitComposer(domain), Counter()
        for step in steps:
            composed = composer.compose(ask(domain, step), [])
            if composed is None:
                continue
            kinds[domain.action_kind(step.action)] += 1
            assert composed.transition.next_state == step.next_state, step.action
            assert (composed.transition.reward, composed.transition.terminated) == (0.0, False)
        assert {"prev", "back", "option", "item", "search", "subpage"} <= kinds.keys()

    def test_the_way_back_is_always_known(self, domain, steps):
        composer = RevisitComposer(domain)
        for step in steps:
            if step.valid and domain.action_kind(step.action) in ("prev", "back", "option"):
                assert composer.compose(ask(domain, step), []) is not None, step.action

    def test_a_page_of_the_episode_goes_before_what_another_recorded(self, domain, steps):
        composer = RevisitComposer(domain)
        step = next(s for s in steps if s.action == "click[< prev]" and domain.page_kind(s.state) == "item")
        elsewhere = remembered(replace(step, next_state=f"{step.next_state} and more"))
        assert composer.compose(ask(domain, step), [elsewhere]).transition.next_state == step.next_state
        assert composer.compose(ask(domain, step), [remembered(step), elsewhere]) is None

    def test_what_the_page_does_not_offer_is_left_to_the_guard(self, domain, steps):
        composer = RevisitComposer(domain)
        refused = [step for step in steps if not step.valid]
        assert refused and all(composer.compose(ask(domain, step), []) is None for step in refused)


@pytest.fixture(scope="module")
def composer(domain: WebShop, steps: list[Transition]) -> OrderComposer:
    knowledge = Knowledge(domain, iter(steps))
    return OrderComposer(domain, lambda: knowledge)


class TestOrders:
    """The order page names what was bought, and leaves open how that is scored."""

    def test_it_is_the_real_page_but_for_the_score(self, domain, steps, composer):
        orders = [step for step in steps if step.terminated]
        for step in orders:
            composed = composer.compose(ask(domain, step), [remembered(step)])
            expected = step.next_state.split(SEPARATOR)
            expected[SCORE_AT] = "None"
            assert composed.transition.next_state.split(SEPARATOR) == expected
        assert len(orders) > 50 and any("{}" not in step.next_state for step in orders)

    def test_whether_it_succeeds_is_not_the_composers_to_say(self, domain, steps, composer):
        composed = [composer.compose(ask(domain, step), []) for step in steps if step.terminated]
        assert {(memory.transition.terminated, memory.transition.reward) for memory in composed} == {(True, 0.0)}
        assert {step.reward for step in steps if step.terminated} == {0.0, 1.0}

    def test_a_product_whose_code_nobody_clicked_is_not_guessed(self, domain, steps, composer):
        order = next(step for step in steps if step.terminated)
        assert composer.compose(replace(ask(domain, order), history=()), []) is None

    def test_what_speaks_for_an_order_is_said_in_words_and_tells_good_from_bad(self, domain, steps):
        shipped = Knowledge(domain, iter(read_transitions(domain.seed_experience())))
        composer = OrderComposer(domain, lambda: shipped)
        verdicts: dict[bool, list[bool]] = {True: [], False: []}
        for step in (step for step in steps if step.terminated):
            told = composer.compose(ask(domain, step), []).transition.reasoning
            found = re.search(r": (\w[\w ]*) words fit, ([^,]+), ([^,]+)$", told)
            assert found, told
            words, options, price = found.groups()
            good = words in ("most", "many") and "missing" not in options and "over" not in price
            verdicts[step.reward > 0].append(good)
        assert np.mean(verdicts[True]) > 0.9 > 0.2 > np.mean(verdicts[False])


class TestProducts:
    """A product that nobody opened shows what its listing tells, and nothing made up."""

    def test_its_page_is_the_real_one_without_what_only_the_page_tells(self, domain, steps):
        composer = ProductComposer(domain)
        opened = [step for step in steps if step.valid and domain.action_kind(step.action) == "item"]
        for step in opened:
            page = composer.compose(ask(domain, step), []).transition.next_state.split(SEPARATOR)
            real = step.next_state.split(SEPARATOR)
            known = [part for part in page if not part.startswith("Rating: ")]
            rest = iter(real)
            assert all(part in rest for part in known), "the same texts in the same order"
            assert domain.page_kind(SEPARATOR.join(page)) == "item"
        assert len(opened) > 100

    def test_a_recorded_page_goes_before(self, domain, steps):
        step = next(step for step in steps if step.valid and domain.action_kind(step.action) == "item")
        assert ProductComposer(domain).compose(ask(domain, step), [remembered(step)]) is None

    def test_what_the_page_does_not_list_is_not_opened(self, domain, steps):
        step = next(step for step in steps if step.valid and domain.action_kind(step.action) == "item")
        query = replace(ask(domain, step), action="click[b000000000]")
        assert ProductComposer(domain).compose(query, []) is None


class TestResults:
    """What a search finds is worked out from listings, and the pages of one search go together."""

    def test_a_following_page_continues_the_pages_that_the_episode_was_shown(self, domain, steps):
        composer, checked = domain.composer(lambda: iter(steps)), 0
        for step in steps:
            if not step.valid or domain.action_kind(step.action) != "next":
                continue
            composed = composer.compose(ask(domain, step), [])
            if composed is None:  # nothing else is known that fits the search
                continue
            page = composed.transition.next_state
            assert results_position(page) == results_position(step.next_state)
            assert not codes(page) & codes(step.state)
            assert len(codes(page)) <= len(codes(step.next_state))
            checked += bool(codes(page))
        assert checked > 20


class TestLeaks:
    """What only the asking task's or the asking episode's own recordings have told stays out where that is asked."""

    @pytest.fixture
    def description(self, steps) -> Transition:
        """A step to a description that no other episode opened."""
        opened = [step for step in steps if step.valid and step.action == "click[description]"]
        clicked = Counter(path_to(step) for step in opened)
        return next(
            step for step in opened if clicked[path_to(step)] == 1 and len(step.next_state.split(SEPARATOR)) > 4
        )

    def test_a_description_is_known_by_the_recordings_that_showed_it(self, domain, steps, description):
        knowledge, asin = Knowledge(domain, iter(steps)), path_to(description).upper()
        text = description.next_state.split(SEPARATOR)[4]
        assert details(knowledge, EVERYTHING, asin).startswith(text)
        assert details(knowledge, Exclusion(episode="another"), asin).startswith(text)
        assert not details(knowledge, Exclusion(family=description.task_id), asin)
        assert not details(knowledge, Exclusion(episode=description.episode), asin)

    def test_a_task_that_varies_another_is_the_same_task(self, domain, description):
        query = ask(domain, description)
        varied = replace(query, task=replace(query.task, id="varied", parent=query.task.id))
        exclusion = Exclusion.of(varied, exclude_episode=False, exclude_task=True)
        assert exclusion.family == description.task_id

    def test_without_listings_that_may_be_known_no_page_is_made_up(self, domain, steps):
        search = next(step for step in steps if step.action.startswith("search[") and "$" in step.next_state)
        composer, query = domain.composer(lambda: iter([search])), ask(domain, search)
        assert composer.compose(query, []) is not None
        assert composer.compose(query, [], exclude_task=True) is None
        assert composer.compose(query, [], exclude_episode=True) is None


def codes(page: str) -> set[str]:
    return {asin for asin, _, _ in listings(page.split(SEPARATOR))}


def path_to(step: Transition) -> str:
    """Return the code of the product that was opened last."""
    return next(turn.action[6:-1] for turn in reversed(step.history) if turn.action.lower().startswith("click[b0"))


def details(knowledge: Knowledge, exclusion: Exclusion, asin: str) -> str:
    return next((p.description for p in knowledge.shelf(exclusion).products if p and p.asin == asin), "")


def test_composed_memories_say_what_they_are(domain, steps):
    composer = domain.composer(lambda: iter(steps))
    for step in steps[:200]:
        composed = composer.compose(ask(domain, step), [])
        if composed is not None:
            past = composed.transition
            assert composed.id == f"composed:{domain.parse_action(step.action)}"[:100]
            assert (past.source, past.state, past.action) == (Source.COMPOSED, step.state, step.action)
            assert past.reasoning.startswith("composed from ")

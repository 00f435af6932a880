"""Examples are grounded as the simulator grounds, teach to follow composed memories, and do not leak."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import pytest

from dreamgym_env.domains import load_domain
from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.memory import ReplayBuffer, read_transitions
from dreamgym_env.training.examples import Example, ExampleOptions, make_examples
from dreamgym_env.types import Transition
from dreamgym_env.world_model.compact import CompactFormat

EPISODES = 60


@pytest.fixture(scope="module")
def domain() -> WebShop:
    domain = load_domain("webshop")
    assert isinstance(domain, WebShop)
    return domain


@pytest.fixture(scope="module")
def episodes(domain) -> list[list[Transition]]:
    steps = read_transitions(domain.seed_experience())
    steps.sort(key=lambda step: step.episode)
    return [list(group) for _, group in groupby(steps, key=lambda step: step.episode)][:EPISODES]


def examples_of(domain: WebShop, learnt: Sequence[Transition], known: Sequence[Transition]) -> list[Example]:
    """Make examples that hide as much as they may; ``known`` is what the buffer holds."""
    buffer = ReplayBuffer(domain, seed_experience=False)
    buffer.add(known)
    options = ExampleOptions(hide_action=1.0)
    made = make_examples(learnt, buffer, domain, CompactFormat(domain), seed=0, options=options)
    buffer.close()
    return made


def asking(examples: Sequence[Example], kind: str) -> list[Example]:
    return [example for example in examples if f"<|action|>{kind} " in example.prompt.user]


def test_orders_and_ways_back_are_taught_as_their_composed_memories(domain, episodes):
    steps = [step for episode in episodes for step in episode]
    made = examples_of(domain, steps, steps)
    for kind, outcomes in (("buy", ("success", "failure")), ("back", ("continue",)), ("prev", ("continue",))):
        answers = [example.answer.partition("<|state|>")[2] for example in asking(made, kind)]
        assert {f"M1<|outcome|>{word}" for word in outcomes} == set(answers), kind


def test_a_composed_page_shows_nothing_that_only_the_examples_own_episode_recorded(domain, episodes):
    episode = next(episode for episode in episodes if any("$" in step.next_state for step in episode))
    alone, among = (examples_of(domain, episode, known) for known in (episode, [s for e in episodes for s in e]))
    searches = [asking(made, "search") for made in (alone, among)]
    assert len(searches[0]) <= len(searches[1])  # a long answer that refers to nothing is left out
    assert not any("<|memory|>" in example.prompt.user for example in searches[0])
    assert all("<|memory|>M1 == " in example.prompt.user for example in searches[1])


def test_hidden_facts_ground_the_examples_that_hide_nothing():
    house = load_domain("alfworld")
    known = [step for step in read_transitions(house.seed_experience()) if step.action.startswith("go to drawer")]
    steps = [step for step in known if "On the drawer" in step.next_state]

    def found_closed(hide_task: float) -> int:
        with ReplayBuffer(house, seed_experience=False) as buffer:
            buffer.add(known)
            options = ExampleOptions(hide_task=hide_task)
            made = make_examples(steps, buffer, house, CompactFormat(house), seed=0, options=options)
        assert all("<|memory|>M1 ==" in example.prompt.user for example in made)
        return sum("finds it closed" in example.answer for example in made)

    assert found_closed(hide_task=0.0) == 0, "facts tell that these drawers have no front"
    assert found_closed(hide_task=1.0) > 0, "without them some are made up as closed"

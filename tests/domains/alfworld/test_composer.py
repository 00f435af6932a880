"""What a house answers: as the real engine did where its facts are known, plausibly and consistently where not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dreamgym_env.domains.alfworld.agents import AGENTS
from dreamgym_env.domains.alfworld.composer import HouseComposer
from dreamgym_env.domains.alfworld.domain import ALFWorld
from dreamgym_env.domains.alfworld.house import House
from dreamgym_env.domains.alfworld.invention import invent_facts, recorded_houses
from dreamgym_env.domains.alfworld.tracker import NAME, track
from dreamgym_env.domains.alfworld.verifier import ALFWorldVerifier, goal_of
from dreamgym_env.memory import read_transitions
from dreamgym_env.types import Memory, Query, Source, Task, Transition, Turn

KINDS = {
    "look", "inventory", "help", "go", "open", "close", "take", "move", "examine", "use", "heat", "clean", "cool",
    "slice", "invalid",
}  # fmt: skip


@pytest.fixture(scope="module")
def domain() -> ALFWorld:
    return ALFWorld()


@pytest.fixture(scope="module")
def recorded(domain: ALFWorld) -> list[Transition]:
    """The shipped experience, which the real engine has answered."""
    return list(read_transitions(domain.seed_experience()))


@pytest.fixture(scope="module")
def composer(domain: ALFWorld, recorded: list[Transition]) -> HouseComposer:
    return HouseComposer(domain, lambda: iter(recorded))


@pytest.fixture(scope="module")
def help_memory(recorded: list[Transition]) -> Memory:
    return Memory("help", next(step for step in recorded if step.action == "help"), 1.0)


def ask(step: Transition, task: Task) -> Query:
    return Query(task, step.history, step.state, step.action, step.episode)


def test_the_shipped_experience_is_large_real_of_all_kinds_and_of_the_train_split(
    domain: ALFWorld, recorded: list[Transition]
) -> None:
    assert len(recorded) >= 10_000
    assert {step.source for step in recorded} == {Source.REAL}
    assert {step.split for step in recorded} == {"train"}
    assert {domain.action_kind(step.action) for step in recorded} == KINDS
    assert {domain.task(step.task_id).goal["type"] for step in recorded} == {
        domain.task(task_id).goal["type"] for task_id in domain.task_ids("test")
    }
    assert all(step.reasoning for step in recorded)


def test_with_facts_every_answer_is_the_real_engines(
    domain: ALFWorld, recorded: list[Transition], composer: HouseComposer, help_memory: Memory
) -> None:
    for step in recorded[::3]:
        composed = composer.compose(ask(step, domain.task(step.task_id)), [help_memory])
        assert composed is not None
        assert (composed.transition.next_state, composed.certain) == (step.next_state, True), step


def test_without_facts_what_the_texts_have_told_is_answered_as_in_the_real_engine(
    domain: ALFWorld, recorded: list[Transition], composer: HouseComposer, help_memory: Memory
) -> None:
    sure = Counter[bool]()
    for step in recorded[::3]:
        task = replace(domain.task(step.task_id), facts={})
        composed = composer.compose(ask(step, task), [help_memory], exclude_task=True)
        assert composed is not None
        if composed.certain:
            sure[composed.transition.next_state == step.next_state] += 1
    assert sure[True] >= 0.97 * sure.total()  # what stands unseen beside the agent is all that it can be wrong about
    assert sure.total() >= 0.6 * len(recorded[::3])


def test_help_is_answered_by_a_recording_or_not_at_all(
    domain: ALFWorld, composer: HouseComposer, help_memory: Memory
) -> None:
    task = domain.task("alfworld/test/0")
    query = Query(task, (), task.initial_state, "help", "one")
    assert composer.compose(query, []) is None
    answer = composer.compose(query, [help_memory])
    assert answer is not None
    assert answer.transition.next_state == help_memory.transition.next_state


def dream(composer: HouseComposer, task: Task, choose: Callable[[str, tuple[Turn, ...]], str], steps: int) -> list[str]:
    """Answer an agent by the composer alone; returns actions and texts in turn."""
    history: tuple[Turn, ...] = ()
    state, told = task.initial_state, []
    for _ in range(steps):
        action = choose(state, history)
        composed = composer.compose(Query(task, history, state, action, "dream"), [])
        if composed is None:
            continue
        history, state = (*history, Turn(state, action)), composed.transition.next_state
        told += [action, state]
    return told


def random_agent(domain: ALFWorld, task: Task, seed: int) -> Callable[[str, tuple[Turn, ...]], str]:
    agent = AGENTS["random"](domain)
    agent.begin(task, np.random.default_rng(seed))
    return lambda state, history: agent.act(state, domain.available_actions(task, history, state))


def test_a_house_made_up_is_the_same_for_the_same_task_and_stays_as_it_is(
    domain: ALFWorld, composer: HouseComposer
) -> None:
    for number in range(6):
        task = replace(domain.task(f"alfworld/test/{number}"), facts={})
        first, again = (dream(composer, task, random_agent(domain, task, number), 60) for _ in range(2))
        assert first == again
        shown: dict[str, set[str]] = {}
        for action, text in zip(first[::2], first[1::2], strict=True):
            thing = " ".join(action.split()[1:3])
            for name, listed in re.findall(r"(?:On the|The) (\w+ \d+)(?: is open\. In it)?, you see ([^.]*)\.", text):
                assert shown.setdefault(name, set(NAME.findall(listed))) == set(NAME.findall(listed)), (action, text)
            if text.startswith("You pick up"):
                shown[text.partition(" from the ")[2].strip(".")].discard(thing)
            if text.startswith("You move"):
                shown.setdefault(text.partition(" to the ")[2].strip("."), set()).add(thing)
        places = Counter(thing for things in shown.values() for thing in things)
        assert set(places.values()) <= {1}, "nothing is in two places"


@pytest.mark.parametrize("number", range(0, 240, 17))
def test_a_house_made_up_fits_its_task(domain: ALFWorld, recorded: list[Transition], number: int) -> None:
    task = domain.task(f"alfworld/test/{number}")
    facts = invent_facts(task, task.initial_state, recorded_houses(recorded[:3000]))
    assert tuple(facts["contents"]) == track((), task.initial_state).receptacles
    walk = House.of(facts).walk(goal_of(task))
    assert walk, "there is something to do, and it can be done"
    untold = replace(task, facts={})
    history: tuple[Turn, ...] = ()
    state, composer = task.initial_state, HouseComposer(domain, lambda: iter(recorded[:3000]))
    for at, action in enumerate(walk):
        answer = composer.compose(Query(untold, history, state, action, "dream"), [])
        assert answer is not None
        done = ALFWorldVerifier().verify(untold, history, state, action, answer.transition.next_state).success
        assert done == (at == len(walk) - 1)
        history, state = (*history, Turn(state, action)), answer.transition.next_state


def test_a_house_is_made_up_of_what_was_recorded_of_it_unless_that_is_hidden(
    domain: ALFWorld, recorded: list[Transition], composer: HouseComposer
) -> None:
    step = next(
        step for step in recorded if step.step == 0 and "On the " in step.next_state and "a " in step.next_state
    )
    query = ask(step, replace(domain.task(step.task_id), facts={}))
    known = composer.compose(replace(query, episode="another"), [])
    assert known is not None
    assert known.transition.next_state == step.next_state
    shown = [step for step in recorded if step.step == 0 and re.search(r"On the .* a \w+", step.next_state)]
    guessed = 0
    for one in shown[:40]:
        hidden = composer.compose(ask(one, replace(domain.task(one.task_id), facts={})), [], exclude_task=True)
        guessed += hidden is not None and hidden.transition.next_state == one.next_state
    assert guessed <= 8, "what is on a table is not to be guessed"


def test_a_house_of_another_source_is_not_taken_for_a_recorded_one_of_the_same_id(
    domain: ALFWorld, recorded: list[Transition]
) -> None:
    step = next(
        step for step in recorded if step.step == 0 and "On the " in step.next_state and "a " in step.next_state
    )
    house = next(house for house in recorded_houses([step]) if house.family == step.family)
    (shown,) = house.contents
    house.contents[shown] = ("mug 7",)
    task = domain.task(step.task_id)
    assert invent_facts(task, task.initial_state, [house])["contents"][shown] == ["mug 7"]
    other = replace(task, initial_state=task.initial_state.replace(task.instruction, "do what you like."))
    assert "mug 7" not in invent_facts(other, other.initial_state, [house])["contents"][shown]


def test_numbers_of_things_made_up_do_not_clash(domain: ALFWorld, recorded: list[Transition]) -> None:
    houses = recorded_houses(recorded[:3000])
    for number in range(0, 240, 9):
        task = domain.task(f"alfworld/test/{number}")
        facts = invent_facts(task, task.initial_state, houses)
        things = [thing for held in facts["contents"].values() for thing in held]
        assert len(things) == len(set(things))


def answer(composer: HouseComposer, task: Task, *actions: str) -> str:
    """The last text that actions lead to."""
    history: tuple[Turn, ...] = ()
    state = task.initial_state
    for action in actions:
        composed = composer.compose(Query(task, history, state, action, "dream"), [])
        assert composed is not None
        history, state = (*history, Turn(state, action)), composed.transition.next_state
    return state


def house_of(first: str, goal: dict[str, str], task_id: str = "my/1") -> Task:
    text = f"You are in the middle of a room. Looking quickly around you, you see {first}.\n\nYour task is to: do it."
    return Task(task_id, "alfworld", "do it.", text, goal=goal)


def test_a_house_is_made_up_for_its_goal_whatever_was_asked_under_that_id_before() -> None:
    room = "a bed 1, and a desk 1"
    mug = house_of(room, {"type": "pick_and_place_simple", "object": "mug", "receptacle": "desk"})
    book = house_of(room, {"type": "pick_and_place_simple", "object": "book", "receptacle": "bed"})
    composer, fresh = (HouseComposer(ALFWorld(), lambda: iter(())) for _ in range(2))
    answer(composer, mug, "go to bed 1")
    assert answer(composer, book, "go to desk 1") == answer(fresh, book, "go to desk 1")
    assert "book 1" in answer(fresh, book, "go to desk 1")


def test_a_lamp_stands_somewhere_in_any_house_and_a_strange_goal_asks_for_nothing() -> None:
    lamp = house_of("a bed 1, and a sofa 1", {"type": "look_at_obj_in_light", "object": "book", "lamp": "desklamp"})
    facts = invent_facts(lamp, lamp.initial_state, [])
    assert facts["fixed"] == ["desklamp 1"]
    assert House.of(facts).walk(goal_of(lamp))
    strange = house_of("a bed 1, and a sofa 1", {"type": "feed", "object": "fish"})
    assert invent_facts(strange, strange.initial_state, [])["contents"] == {"bed 1": [], "sofa 1": []}


def test_houses_of_episodes_with_one_name_stay_apart(recorded: list[Transition]) -> None:
    first, other = (step for step in recorded if step.step == 0 and step.episode.startswith(("0/0/", "0/1/")))
    houses = recorded_houses([replace(step, episode="recorded/1") for step in (first, other)])
    assert [house.family for house in houses] == [first.family, other.family]


def test_recorded_houses_are_as_the_facts_have_them(domain: ALFWorld, recorded: list[Transition]) -> None:
    for house in recorded_houses(recorded):
        contents = domain.task(house.family).facts["contents"]
        for name, things in house.contents.items():
            assert set(things) == set(contents[name]), (house.family, name)

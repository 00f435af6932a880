"""Promises of language agents: one call a step, a reply that is always read, and every token counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_agents import AGENTS, real_house
from toy_domain import ToyHouse

from dreamgym_env.domains import load_domain
from dreamgym_env.evaluation import agents as entrance
from dreamgym_env.evaluation.agents import Agents, CrewMember, open_agents
from dreamgym_env.evaluation.language_agents import LanguageCrew
from dreamgym_env.evaluation.rollout import plan_episodes, play
from dreamgym_env.evaluation.thinking import PromptBounds, agent_prompt, read_reply
from dreamgym_env.types import Completion, Turn

HOUSE = ToyHouse()
TRAIN = HOUSE.task_ids("train")
SHOP = load_domain("webshop")


class Engine:
    """Answers what a function says; keeps its batches."""

    def __init__(self, answer):
        self.answer = answer
        self.batches = []
        self.closed = 0

    def generate(self, prompts, sampling, seeds):
        assert len(prompts) == len(seeds)
        self.batches.append([*prompts])
        return [self.answer(prompt) for prompt in prompts]

    def close(self):
        self.closed += 1


def looking(prompt):
    return Completion("I had better look.\nAction: look", prompt_tokens=10, completion_tokens=4)


def test_all_lanes_of_a_step_are_one_call():
    engine = Engine(looking)
    crew = LanguageCrew(HOUSE, engine, name="llm")
    assert isinstance(crew(), CrewMember)
    rollout = play(real_house(lanes=4), {"llm": crew}, plan_episodes(TRAIN[:8], "llm", 0))
    assert [len(batch) for batch in engine.batches] == [4] * (2 * HOUSE.max_episode_steps)
    assert rollout.steps == 8 * HOUSE.max_episode_steps == crew.usage.actions
    assert (crew.usage.calls, crew.usage.prompt_tokens, crew.usage.completion_tokens) == (
        len(engine.batches),
        10 * rollout.steps,
        4 * rollout.steps,
    )


def test_agents_of_other_kinds_play_beside_a_crew():
    engine = Engine(looking)
    plans = [
        plan
        for pair in zip(plan_episodes(TRAIN, "llm", 0), plan_episodes(TRAIN, "wanderer", 0), strict=True)
        for plan in pair
    ]
    mixed = play(real_house(lanes=6), {**AGENTS, "llm": LanguageCrew(HOUSE, engine, name="llm")}, plans)
    alone = play(real_house(lanes=6), AGENTS, plan_episodes(TRAIN, "wanderer", 0))
    assert [one.actions for one in mixed.episodes if one.agent == "wanderer"] == [one.actions for one in alone.episodes]


def test_the_caller_closes_the_engine_and_reads_what_was_used(monkeypatch):
    engine = Engine(looking)
    monkeypatch.setattr(
        "dreamgym_env.world_model.generators.strings.generator_from_string", lambda specification: engine
    )
    with open_agents(SHOP, ["llm(transformers:any)", "random"]) as agents:
        agent = agents["llm(transformers:any)"]()
        agent.begin(SHOP.task("webshop/test/0"), np.random.default_rng(0))
        agent.act("WebShop [SEP] Search", ("search[<keywords>]",))
        assert isinstance(agents, Agents)
        assert agents.usage["llm(transformers:any)"].actions == 1
    assert engine.closed == 1
    assert "llm" in entrance._FORMS


def test_an_ill_formed_action_reaches_the_environment_and_is_counted():
    crew = LanguageCrew(SHOP, Engine(lambda prompt: Completion("I will just buy it.")), name="llm")
    agent = crew()
    agent.begin(SHOP.task("webshop/test/0"), np.random.default_rng(0))
    assert agent.act("page", ("click[buy now]",)) == "I will just buy it."
    assert (crew.usage.ill_formed, crew.usage.failures) == (1, 0)


def test_a_prompt_without_an_answer_is_a_failure_and_no_action():
    crew = LanguageCrew(SHOP, Engine(lambda prompt: Completion("", error="too long")), name="llm")
    agent = crew()
    agent.begin(SHOP.task("webshop/test/0"), np.random.default_rng(0))
    assert agent.act("page", ()) is None
    assert agent.failure == "llm got no answer: too long"
    assert (crew.usage.ill_formed, crew.usage.failures) == (0, 1)


def test_an_episode_whose_agent_got_no_answer_is_a_failure_and_no_zero():
    answers = iter([looking(None)] * 3 + [Completion("", error="too long")])
    crew = LanguageCrew(HOUSE, Engine(lambda prompt: next(answers, looking(prompt))), name="llm")
    rollout = play(real_house(lanes=1), {"llm": crew}, plan_episodes(TRAIN[:3], "llm", 0))
    assert [episode.failed for episode in rollout.episodes] == [True, False, False]
    assert rollout.failures == 1
    assert (rollout.episodes[0].steps, rollout.episodes[0].failure) == (3, "llm got no answer: too long")


def test_an_agent_remembers_what_it_did():
    engine = Engine(looking)
    agent = LanguageCrew(HOUSE, engine, name="llm")()
    agent.begin(HOUSE.task(TRAIN[0]), np.random.default_rng(0))
    for state in ("first room", "second room"):
        agent.act(state, ("look", "leave"))
    (second,) = engine.batches[1]
    assert "first room\nAction: look" in second.user and second.user.index("second room") > second.user.index(
        "# So far"
    )
    agent.begin(HOUSE.task(TRAIN[1]), np.random.default_rng(0))
    agent.act("third room", ("look",))
    assert "first room" not in engine.batches[2][0].user


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("Shoes.\nAction: search[red shoes]", "search[red shoes]"),
        ("Action: search[a]\nNo, rather:\nAction: search[b]", "search[b]"),
        ("Action: search[a]\nAction: buy it", "search[a]"),
        ("**Action:** `click[buy now]`", "click[buy now]"),
        ("- action 2: click[buy now]", "click[buy now]"),
        ("<think>Action: search[a]</think>\nAction: search[b]", "search[b]"),
        ("I shall search.\nsearch[red shoes]", "search[red shoes]"),
    ],
)
def test_the_last_well_formed_action_counts(text, action):
    reply = read_reply(text, SHOP.parse_action)
    assert (reply.action, reply.well_formed) == (action, True)


@pytest.mark.parametrize(
    ("text", "action"),
    [("Hm.\nAction: buy it", "buy it"), ("I buy it.", "I buy it."), ("", ""), ("\n \n", ""), ("Action:", "")],
)
def test_without_one_the_last_line_stands(text, action):
    reply = read_reply(text, SHOP.parse_action)
    assert (reply.action, reply.well_formed) == (action, False)


def test_punctuation_around_an_action_is_no_part_of_it():
    house = load_domain("alfworld")
    assert read_reply("Action: 'go to desk 1'.", house.parse_action).action == "go to desk 1"


@given(st.text(max_size=400))
def test_any_reply_is_read(text):
    reply = read_reply(text, SHOP.parse_action)
    assert len(reply.action.splitlines()) <= 1
    assert not reply.well_formed or SHOP.parse_action(reply.action) is not None


@given(
    st.text(max_size=200).filter(lambda text: "think" not in text),
    st.from_regex(r"search\[[a-z0-9]{1,12}( [a-z0-9]{1,12}){0,3}\]", fullmatch=True),
    st.sampled_from(["Action: {}", "action: {}", "**Action:** {}", "Action: `{}`", "> Action: {}"]),
)
def test_a_last_line_with_an_action_is_what_is_done(thought, action, form):
    assert read_reply(f"{thought}\n{form.format(action)}", SHOP.parse_action).action == action


@given(
    st.lists(st.tuples(st.text(max_size=300), st.text(max_size=50)), max_size=20),
    st.text(max_size=3_000),
    st.lists(st.text(max_size=60), max_size=60),
)
def test_a_prompt_is_bounded_and_begins_alike_for_all_tasks(turns, state, offered):
    bounds = PromptBounds(turns=3, history_characters=500, state_characters=400, actions=10, action_characters=200)
    prompt = agent_prompt(SHOP, "Buy a hat.", [Turn(*turn) for turn in turns], state, offered, bounds)
    assert len(prompt.user) < 500 + 400 + 2 * 200 + 600
    assert prompt.system == agent_prompt(SHOP, "Other.", (), "", (), bounds).system

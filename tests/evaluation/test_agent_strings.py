"""Promises of agents' strings: lists respect brackets, and what is no agent is told in a sentence what there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_agents import AGENTS, real_house
from toy_domain import ToyHouse

from dreamgym_env.domains import DOMAINS, load_domain
from dreamgym_env.errors import ExperienceFormatError, PolicyError, UnknownTaskError, WorldModelStringError
from dreamgym_env.evaluation.agent_names import split_share
from dreamgym_env.evaluation.agents import (
    Agent,
    UnknownAgentError,
    agent_factories,
    agent_factory,
    full_name,
    open_agents,
)
from dreamgym_env.evaluation.agents import parse_agents as parse
from dreamgym_env.evaluation.rollout import EpisodePlan, plan_episodes, play
from dreamgym_env.memory import write_transitions
from dreamgym_env.training.record import AgentShare, parse_agent_shares
from dreamgym_env.types import StopReason

TRAIN = ToyHouse().task_ids("train")


def test_a_list_is_split_outside_of_brackets():
    model = "llm(openai:m@http://h:1/v1,http://i:2/v1)"
    assert parse(f"oracle, noisy-oracle(0.3) ,{model},a/path") == ("oracle", "noisy-oracle(0.3)", model, "a/path")


@pytest.mark.parametrize("text", ["oracle,", "", "llm(a", "random)", "oracle,oracle", "a)(b"])
def test_a_list_that_cannot_be_read_is_told_so(text):
    with pytest.raises(UnknownAgentError, match=r"missing|do not match|named twice"):
        parse(text)


@given(st.lists(st.from_regex(r"[a-z]{1,6}(\([a-z:,./()]{0,3}\))?", fullmatch=True), min_size=1, unique=True))
def test_a_list_of_names_comes_back_as_it_was(names):
    balanced = [name for name in names if name.count("(") == name.count(")") and "()" not in name]
    balanced = [name for name in balanced if _nests(name)]
    if balanced:
        assert list(parse(",".join(balanced))) == balanced


def _nests(text):
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def test_shares_are_split_at_the_last_colon_outside_of_brackets():
    model = "llm(openai:m@http://h:1/v1)"
    assert parse_agent_shares(f"oracle:0.5,noisy-oracle(0.5),{model}:2") == (
        AgentShare("oracle", 0.5),
        AgentShare("noisy-oracle(0.5)", 1.0),
        AgentShare(model, 2.0),
    )
    assert split_share(model) == (model, "")
    for wrong in ("oracle:", "oracle:x", ":1", "oracle:-1", "oracle,oracle", "llm(a:1"):
        with pytest.raises(ValueError, match=r"its share|named twice|do not match"):
            parse_agent_shares(wrong)


@pytest.mark.parametrize("name", DOMAINS)
def test_every_domain_has_agents_of_graded_skill(name):
    domain = load_domain(name)
    assert set(agent_factories(domain)) >= {"oracle", "noisy-oracle", "random", "lazy"}
    for known in ("oracle", "noisy-oracle(0)", "noisy-oracle(1)", "random", "lazy"):
        assert isinstance(agent_factory(domain, known)(), Agent)


@pytest.mark.parametrize("name", DOMAINS)
def test_agents_of_a_domain_act_on_its_first_states_and_the_same_seed_acts_the_same(name):
    domain = load_domain(name)
    for known in (*agent_factories(domain), "noisy-oracle(0.5)"):
        make = agent_factory(domain, known)
        for task_id in domain.task_ids("train")[:3]:
            task = domain.task(task_id)
            offered = domain.available_actions(task, (), task.initial_state)

            def first(make=make, task=task, offered=offered):
                agent = make()
                agent.begin(task, np.random.default_rng(3))
                return agent.act(task.initial_state, offered)

            assert first() == first()
            assert isinstance(first(), str) and first()


@pytest.mark.parametrize("name", ["miniwob", "webarena"])
def test_a_lazy_agent_of_the_web_uses_what_the_page_offers_and_finishes(name):
    domain = load_domain(name)
    for task_id in domain.task_ids("test"):
        task = domain.task(task_id)
        agent = agent_factory(domain, "lazy")()
        agent.begin(task, np.random.default_rng(0))
        actions = [
            agent.act(task.initial_state, domain.available_actions(task, (), task.initial_state)) for _ in "12345"
        ]
        assert all(domain.guard(task, (), task.initial_state, action) is None for action in actions)
        assert actions[-1] in ("noop()", "send_msg_to_user('Done.')")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("genius", r"no agent 'genius'.*oracle.*llm\(MODEL\), policy\(PATH\), replay\(FILE\)"),
        ("genius(3)", "no agent"),
        ("", "no agent"),
        ("oracle(0.5)", "takes nothing in brackets"),
        ("noisy-oracle(1.5)", "a probability between 0 and 1"),
        ("noisy-oracle(nan)", "a probability between 0 and 1"),
        ("noisy-oracle(much)", "a probability between 0 and 1"),
        ("llm", "needs an argument in brackets"),
        ("replay()", "needs an argument in brackets"),
        ("llm(embedded)", "is a world model.*llm"),
    ],
)
def test_what_is_no_agent_is_told_in_a_sentence(name, said):
    with pytest.raises(UnknownAgentError, match=said):
        agent_factory(load_domain("webshop"), name)


def test_what_stands_in_the_brackets_is_checked_at_once(tmp_path):
    shop = load_domain("webshop")
    with pytest.raises(WorldModelStringError, match="names no text generator"):
        agent_factory(shop, "llm(gpt)")
    with pytest.raises(PolicyError, match="no folder of a policy"):
        agent_factory(shop, f"policy({tmp_path})")
    with pytest.raises(FileNotFoundError):
        agent_factory(shop, f"replay({tmp_path / 'nothing.jsonl'})")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("oracle", "oracle"),
        ("noisy-oracle", "noisy-oracle(0.3)"),
        ("noisy-oracle(0.50)", "noisy-oracle(.5)"),
        ("llm(openai:m@http://h:1/v1)", "llm( openai:m@http://h:1/v1 )"),
        ("kept", "policy(kept)"),
        ("policy(kept)", "policy(./kept/)"),
        ("replay(kept)", "replay(kept/../kept)"),
    ],
)
def test_two_names_of_one_agent_are_refused(tmp_path, monkeypatch, one, other):
    (tmp_path / "kept").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownAgentError, match="are the same agent: name it once"):
        open_agents(load_domain("webshop"), [one, "random", other])


def test_agents_that_only_look_alike_are_not_refused():
    names = ["oracle", "noisy-oracle(0)", "noisy-oracle(1)", "noisy-oracle"]
    with open_agents(load_domain("webshop"), names) as agents:
        assert list(agents) == names
    with pytest.raises(UnknownAgentError, match="takes nothing in brackets"):
        open_agents(load_domain("webshop"), ["oracle", "oracle(0.5)"])


def test_a_report_says_of_a_path_that_it_is_a_policy(tmp_path, monkeypatch):
    (tmp_path / "kept").mkdir()
    (tmp_path / "oracle").mkdir()
    monkeypatch.chdir(tmp_path)
    shop = load_domain("webshop")
    names = {
        "kept": "policy(kept)",
        "oracle": "oracle",
        " noisy-oracle( 0.5 )": "noisy-oracle(0.5)",
        "genius": "genius",
    }
    assert {name: full_name(shop, name) for name in names} == names


def test_what_a_failing_list_has_opened_is_closed(monkeypatch):
    closed = []

    class Engine:
        def __call__(self):
            raise AssertionError

        def close(self):
            closed.append(1)

    monkeypatch.setattr("dreamgym_env.evaluation.agents._table", lambda domain: {})
    forms = {"llm": ("llm(MODEL)", lambda domain, model: Engine())}
    monkeypatch.setattr("dreamgym_env.evaluation.agents._FORMS", forms)
    with pytest.raises(UnknownAgentError, match="genius"):
        open_agents(ToyHouse(), ["llm(a)", "genius"])
    assert closed == [1]


@pytest.fixture
def recorded(tmp_path):
    played = play(real_house(), AGENTS, plan_episodes(TRAIN[:3] * 2, "wanderer", 5)).episodes
    path = tmp_path / "house.jsonl"
    write_transitions(path, [outcome.transition for episode in played for outcome in episode.outcomes])
    return path, played


def test_a_replay_takes_the_actions_of_the_file_again(recorded):
    path, played = recorded
    with open_agents(ToyHouse(), [f"replay({path})"]) as agents:
        (name,) = agents
        again = play(real_house(), agents, [EpisodePlan(task, name, seed) for seed in range(8) for task in TRAIN[:3]])
    for task in TRAIN[:3]:
        recordings = {episode.actions for episode in played if episode.task.id == task}
        assert {episode.actions for episode in again.episodes if episode.task.id == task} == recordings


def test_a_replay_says_which_task_it_does_not_hold(recorded):
    path, _ = recorded
    agents = {"again": agent_factory(ToyHouse(), f"replay({path})")}
    with pytest.raises(UnknownTaskError, match=f"holds no episode of '{TRAIN[5]}'"):
        play(real_house(), agents, plan_episodes([TRAIN[5]], "again", 0))
    with pytest.raises(ExperienceFormatError, match="not of 'webshop'"):
        agent_factory(load_domain("webshop"), f"replay({path})")


def test_an_agent_that_has_no_further_action_leaves_its_episode(recorded):
    path, _ = recorded
    agent = agent_factory(ToyHouse(), f"replay({path})")()
    agent._scripts = {TRAIN[0]: [["look"]]}
    (episode,) = play(real_house(), {"short": lambda: agent}, plan_episodes(TRAIN[:1], "short", 0)).episodes
    assert (episode.actions, episode.stop) == (("look",), StopReason.RUNNING)

"""Promises of the tables: agents and environments are found by name, and a wrong name is told the right ones."""

from __future__ import annotations

import gymnasium as gym
import pytest
from toy_domain import ToyHouse

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.domains import DOMAINS, load_domain
from dreamgym_env.errors import UnknownDomainError
from dreamgym_env.evaluation.agents import Agent, UnknownAgentError, agent_factories, agent_factory
from dreamgym_env.evaluation.environments import environment_id


@pytest.mark.parametrize("name", DOMAINS)
def test_agents_of_a_domain_bear_the_names_of_its_table(name):
    domain = load_domain(name)
    factories = agent_factories(domain)
    assert "oracle" in factories
    for known, make in factories.items():
        agent = make()
        assert isinstance(agent, Agent)
        assert agent.name == known
        assert make() is not agent


def test_a_domain_without_scripted_agents_has_none():
    assert agent_factories(ToyHouse()) == {}


def test_an_unknown_agent_is_told_which_there_are():
    with pytest.raises(UnknownAgentError, match=r"no agent 'genius'.*oracle"):
        agent_factory(load_domain("webshop"), "genius")


@pytest.mark.parametrize("name", DOMAINS)
def test_every_domain_has_a_dream_and_a_real_environment(name):
    for real, namespace in ((False, "DreamGym/"), (True, "DreamGymReal/")):
        found = environment_id(name, real=real)
        assert found.startswith(namespace)
        assert gym.spec(found).kwargs["domain"] == name


def test_an_unknown_domain_is_told_which_there_are():
    with pytest.raises(UnknownDomainError, match="webshop"):
        environment_id("nowhere", real=True)

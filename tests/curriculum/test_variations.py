"""Variations are new, solvable, of their original's family, and never a task that is held out; so says each domain."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.curriculum import RuleVariator, Variation
from dreamgym_env.curriculum.variations import Screen
from dreamgym_env.domains import load_domain
from dreamgym_env.domains.alfworld.goals import goal_members
from dreamgym_env.domains.alfworld.house import House
from dreamgym_env.domains.alfworld.verifier import goal_of as household_goal
from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.variations import variation_rules_of
from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.domains.webshop.goals import goal_of
from dreamgym_env.domains.webshop.reward import graded_reward
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.types import Domain, Task

DOMAINS = ("alfworld", "webarena", "webshop")
every_domain = pytest.mark.parametrize("name", DOMAINS)


@functools.cache
def domain_of(name: str) -> Domain:
    return load_domain(name)


@functools.cache
def varied(name: str, seed: int = 0, n: int = 24) -> tuple[Variation, ...]:
    """Variations of eight train tasks."""
    domain = domain_of(name)
    seeds = [domain.task(task_id) for task_id in domain.task_ids("train")[:80:10]]
    screen = Screen(domain, "train")
    return tuple(RuleVariator(domain).vary(seeds, n, np.random.default_rng(seed), screen.admits))


def told(task: Task) -> tuple[str, str]:
    return " ".join(task.instruction.lower().split()), json.dumps(dict(task.goal), sort_keys=True)


@every_domain
class TestEachDomain:
    def test_variations_are_of_the_family_and_split_and_say_what_they_ask(self, name: str):
        made = varied(name)
        assert len(made) == 24
        for one in made:
            task, original = one.task, domain_of(name).task(one.ancestor)
            assert (task.parent, task.domain, task.split) == (original.id, name, "train")
            assert task.family == original.id and task.id.startswith(f"{original.id}~")
            assert task.instruction in task.initial_state
            assert (task.goal, task.facts) != (original.goal, original.facts)
            assert json.loads(json.dumps([dict(task.goal), dict(task.facts)])) == [task.goal, task.facts]

    def test_they_can_be_judged_and_differ_from_one_another_and_from_all_tasks(self, name: str):
        domain, made = domain_of(name), varied(name)
        rules, verifier = variation_rules_of(domain), domain.verifier()
        assert rules is not None and verifier is not None
        for one in made:
            verifier.check(one.task)
        assert len({one.task.id for one in made}) == len({rules.identity(one.task) for one in made}) == len(made)
        originals = [domain.task(task_id) for split in domain.splits() for task_id in domain.task_ids(split)]
        assert not {rules.identity(one.task) for one in made} & {rules.identity(task) for task in originals}
        held_out = {told(task) for task in originals if task.split != "train"}
        assert not held_out & {told(one.task) for one in made}

    def test_the_seed_decides_which(self, name: str):
        domain = domain_of(name)
        tasks = [domain.task(domain.task_ids("train")[0])]

        def ids(seed: int) -> list[str]:
            made = RuleVariator(domain).vary(tasks, 3, np.random.default_rng(seed), lambda task: True)
            return [one.task.id for one in made]

        assert ids(1) == ids(1) != ids(2)

    def test_they_can_be_varied_themselves(self, name: str):
        rules = variation_rules_of(domain_of(name))
        assert rules is not None
        first = varied(name)[0].task
        second = next(filter(None, (rules.propose(first, Draws(seed)) for seed in range(9))))
        assert second.parent == first.parent and rules.identity(second) != rules.identity(first)

    def test_what_is_held_out_is_kept_out(self, name: str):
        domain = domain_of(name)
        screen = Screen(domain, "train")
        for split in ("eval", "test"):
            for task_id in domain.task_ids(split)[::20]:
                assert not screen.admits(domain.task(task_id))
        original = domain.task(domain.task_ids("train")[0])
        assert screen.admits(original) and not screen.admits(original), "and nothing comes twice"
        assert not Screen(domain, "train", screen.known).admits(original)

    def test_nothing_comes_of_nothing(self, name: str):
        variator, rng = RuleVariator(domain_of(name)), np.random.default_rng(0)
        assert variator.vary([], 3, rng, lambda task: True) == []
        task = domain_of(name).task(domain_of(name).task_ids("train")[0])
        assert variator.vary([task], 0, rng, lambda task: True) == []
        assert variator.vary([task], 2, rng, lambda task: False) == []


class TestWebShop:
    def test_buying_the_product_with_the_options_scores_1(self):
        shop = domain_of("webshop").shop
        for one in varied("webshop"):
            goal = goal_of(one.task)
            product = shop.product_of[goal.asin]
            offered = {value for values in product.options.values() for value in values}
            assert offered.issuperset(goal.goal_options.values())
            assert graded_reward(product, goal, goal.goal_options).total == 1.0
            words = one.task.instruction.lower()
            assert all(text in words for text in (*goal.attributes, *goal.goal_options.values()))
            assert f"{goal.price_upper:.0f}" in words

    def test_products_of_held_out_tasks_stay_unknown(self):
        domain = domain_of("webshop")
        held_out = {domain.task(one).goal["asin"] for split in ("eval", "test") for one in domain.task_ids(split)}
        assert not held_out & {one.task.goal["asin"] for one in varied("webshop")}
        kinds = {domain.task(one.ancestor).goal["query"] == one.task.goal["query"] for one in varied("webshop")}
        assert kinds == {True}

    def test_other_words_must_say_the_same(self):
        rules = variation_rules_of(domain_of("webshop"))
        assert rules is not None
        task = next(one.task for one in varied("webshop") if one.task.goal["goal_options"])
        goal = goal_of(task)
        named = ", ".join((goal.query, *goal.attributes, *goal.goal_options.values()))
        whole = f"{named}, at most ${goal.price_upper}"
        again = rules.reworded(task, whole)
        assert again is not None and again.instruction == whole and again.parent == task.parent
        assert rules.identity(again) == rules.identity(task) and again.id != task.id
        assert whole in again.initial_state and again.goal["instruction_text"] == whole
        for missing in (goal.query, goal.attributes[0], next(iter(goal.goal_options.values())), str(goal.price_upper)):
            assert rules.reworded(task, whole.replace(missing, "something")) is None
        assert rules.reworded(task, f"{whole}, and 3 of them") is None

    def test_a_shop_of_ones_own_is_worded_as_its_goals_are(self, tmp_path: Path):
        product = {"asin": "B000000001", "Title": "Blue Wool Sock Deluxe", "Attributes": ["warm", "hand washable"]}
        product |= {"options": {"size": ["s", "m"]}, "pricing": [7.5], "drawn_price": 7.5, "query": "wool socks"}
        goal = {"asin": "B000000001", "instruction_text": "socks", "name": product["Title"], "query": "wool socks"}
        for file, row in (("products", product), ("goals", goal)):
            (tmp_path / f"{file}.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
        domain = WebShop(tmp_path / "products.jsonl.gz", tmp_path / "goals.jsonl.gz")
        rules = variation_rules_of(domain)
        assert rules is not None
        made = [rules.propose(domain.task("webshop/0"), Draws(seed)) for seed in range(5)]
        assert all(one is not None for one in made)
        words = str(made[0] and made[0].instruction)
        assert words.startswith("Find me ") and "wool socks" in words and words.endswith("0 dollars")


class TestALFWorld:
    def test_a_walk_leads_to_the_goal_which_is_not_the_houses_own(self):
        domain = domain_of("alfworld")
        for one in varied("alfworld"):
            goal, house = household_goal(one.task), domain.task(one.task.facts.get("house", one.task.parent))
            assert House.of(one.task.facts).walk(goal) and goal_members(goal) != house.goal
            assert one.task.facts["contents"] == house.facts["contents"] and house.split == "train"
        assert {bool(one.task.facts.get("house")) for one in varied("alfworld")} == {True, False}

    def test_where_the_dream_is_told_no_facts_variations_tell_none(self):
        hidden = load_domain("alfworld", facts=False)
        made = RuleVariator(hidden).vary(
            [hidden.task("alfworld/train/0")], 4, np.random.default_rng(0), lambda task: True
        )
        assert len(made) == 4 and all(one.task.facts == {} for one in made)
        first = domain_of("alfworld").task("alfworld/train/0").initial_state.rpartition("Your task")[0]
        assert all(one.task.initial_state.startswith(first) for one in made)

    @pytest.mark.parametrize(
        ("words", "right"),
        [
            ("Please heat some apple and put it in the fridge", True),
            ("heat an apple in the microwave and put it in the fridge.", True),
            ("put an apple in the fridge.", False),
            ("heat an apple and put it away.", False),
            ("cool an apple and put it in the fridge, hot.", False),
            ("heat two apples and put them in the fridge.", False),
            ("heat an apple, a mug and put them in the fridge.", False),
        ],
    )
    def test_other_words_must_say_the_same(self, words: str, right: bool):
        rules, original = variation_rules_of(domain_of("alfworld")), domain_of("alfworld").task("alfworld/train/0")
        goal = {"type": "pick_heat_then_place_in_recep", "object": "apple", "receptacle": "fridge"}
        task = Task("a", "alfworld", "x.", "x.", "train", goal, original.facts, original.id)
        assert rules is not None
        again = rules.reworded(task, words)
        assert (again is not None) == right
        assert again is None or (again.goal == goal and again.initial_state.endswith(again.instruction))


class TestPlayed:
    """A variation is played like any task, in the dream and, by its own goal, in the real environment."""

    def episode(self, env: gym.Env, task: Task) -> Iterator[dict]:
        state, info = env.reset(seed=0, options={"task": task})
        assert task.instruction in state and info["parent"] == task.parent and info["task_id"] == task.id
        agent = agent_factory(domain_of(task.domain), "oracle")()
        agent.begin(task, np.random.default_rng(0))
        over = False
        while not over:
            state, _, terminated, truncated, info = env.step(agent.act(state, info["available_actions"]))
            over = terminated or truncated
            yield info

    @pytest.mark.parametrize("env_id", ["DreamGym/ALFWorld-v0", "DreamGymReal/ALFWorld-v0", "DreamGymReal/WebShop-v0"])
    def test_the_oracle_solves_them(self, env_id: str):
        if env_id == "DreamGymReal/ALFWorld-v0":
            pytest.importorskip("alfworld", reason="needs ALFWorld: pip install 'dreamgym_env[alfworld]'")
        name = "alfworld" if "ALF" in env_id else "webshop"
        env = gym.make(env_id)
        for one in varied(name)[: 2 if env_id.startswith("DreamGym/") else 6]:
            assert list(self.episode(env, one.task))[-1]["won"], one.task
        env.close()

    def test_the_shop_s_dream_plays_them_to_an_end(self):
        env = gym.make("DreamGym/WebShop-v0")
        infos = list(self.episode(env, varied("webshop")[0].task))
        assert infos[-1]["stop_reason"] in ("success", "failure") and not infos[-1]["failure"]
        env.close()

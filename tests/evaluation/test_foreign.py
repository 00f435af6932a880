"""Promises of a comparison of environments that know nothing of this library."""

from __future__ import annotations

import json
import math
import sys

import gymnasium as gym
import numpy as np
import pytest
from foreign_env import Cave, record_cave
from gymnasium.spaces import Discrete, Text

from dreamgym_env.errors import ComparisonError, KeywordError, UnknownTaskError
from dreamgym_env.evaluation.agents import open_agents
from dreamgym_env.evaluation.comparison import compare_agents
from dreamgym_env.evaluation.findings import findings
from dreamgym_env.evaluation.pairs import open_pair, pair_ids


class KindCave(Cave):
    """A poor copy of the cave: it rewards whoever goes to the cellar."""

    def step(self, action):
        text, reward, over, cut, info = super().step(action)
        return (text, 5.0, True, False, {"won": True}) if action == "go cellar" else (text, reward, over, cut, info)


class FallingCave(Cave):
    """A cave whose roof comes down in the attic."""

    fallen = 0

    def step(self, action):
        if action == "go attic":
            FallingCave.fallen += 1
            raise RuntimeError("the roof came down")
        return super().step(action)


class Odd(Cave):
    """A cave whose answer in the attic is none."""

    answer: tuple = ()

    def step(self, action):
        return self.answer if action == "go attic" else super().step(action)


class Flooded(Cave):
    """A cave that cannot be entered any more after a while."""

    entered, dry = 0, 0

    def reset(self, *, seed=None, options=None):
        Flooded.entered += 1
        if Flooded.entered > Flooded.dry:
            raise RuntimeError("the cave is flooded")
        return super().reset(seed=seed, options=options)


class Licensed(Cave):
    """A cave of which there can be no second one, and whose door is stuck."""

    made, most = 0, 1

    def __init__(self):
        Licensed.made += 1
        if Licensed.made > Licensed.most:
            raise OSError("no further licence")
        super().__init__()

    def close(self):
        raise RuntimeError("the door is stuck")


class Leaving(Cave):
    """A cave that ends the process of whoever goes to the attic, as a window that is closed does."""

    def step(self, action):
        if action == "go attic":
            sys.exit(3)
        return super().step(action)


class Silent(Cave):
    """A cave without an info."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed, options=options)[0], None


class Nameless(Cave):
    """A cave that does not say which task begins."""

    def reset(self, *, seed=None, options=None):
        text, info = super().reset(seed=seed, options=options)
        return text, {**info, "task_id": None}


class Dark(gym.Env):
    observation_space, action_space = Discrete(2), Text(10)

    def reset(self, *, seed=None, options=None):
        return 0, {}

    def step(self, action):
        return 0, 0.0, False, False, {}


@pytest.fixture(scope="module", autouse=True)
def caves():
    kinds = (Cave, KindCave, FallingCave, Odd, Flooded, Licensed, Leaving, Silent, Nameless, Dark)
    made = {f"{kind.__name__}-v0": kind for kind in kinds}
    for name, kind in made.items():
        gym.register(f"Somebody/{name}", entry_point=kind, max_episode_steps=6, disable_env_checker=True)
    yield
    for name in made:
        del gym.registry[f"Somebody/{name}"]


def played(sim, real, tasks=3, split="train", seeds=(0,), allow=False, **settings):
    opened = open_pair(sim, real, tasks=tasks, lanes=2, split=split, dream_settings=settings, real_settings={})
    with opened as pair, open_agents(pair.dream.domain, ["random"]) as agents:
        comparison = compare_agents(pair.dream, pair.real, agents, pair.task_ids, seeds, allow_test_tasks=allow)
    return json.loads(json.dumps(findings(comparison, {"tasks": tasks, "seeds": list(seeds)}, kept=9)))


def test_an_environment_is_like_itself():
    found = played("Somebody/Cave-v0", "Somebody/Cave-v0", tasks=8)
    (agent,) = found["agents"]
    assert agent["episodes"] == 8
    assert agent["first_difference"]["differing"] == 0
    assert agent["gap"]["success"]["value"] == 0.0
    success, returns = agent["success"]["real"]["value"], agent["returns"]["real"]["mean"]
    steps = agent["lengths"]["real"]["mean"]
    assert success > 0 and returns == pytest.approx(4.9 * success + 0.1 * steps), "0.1 a step and 5 at the end"
    assert (found["dream"]["id"], found["real"]["id"]) == ("Somebody/Cave-v0",) * 2


def test_a_poor_copy_is_found_out():
    (agent,) = played("Somebody/KindCave-v0", "Somebody/Cave-v0", tasks=12)["agents"]
    assert agent["success"]["dream"]["value"] > agent["success"]["real"]["value"]
    assert agent["false_success"]["value"] > 0.5
    assert set(agent["first_difference"]["kinds"]) <= {"page", "verdict", "end"}


def test_an_environment_that_raises_is_a_failure_and_the_next_episode_goes_on():
    FallingCave.fallen = 0
    found = played("Somebody/Cave-v0", "Somebody/FallingCave-v0", tasks=12)
    (agent,) = found["agents"]
    assert 0 < agent["failures"]["real"] <= FallingCave.fallen
    assert agent["failures"]["real"] < 12
    assert any("cut short by a failure in Somebody/FallingCave-v0" in one for one in found["warnings"])
    failed = next(one for one in found["transcripts"] if one["kept_because"] == "a failure cut it short")
    told = failed["real"]["failure"] or failed["dream_actions_in_real"]["failure"]
    assert told == "Somebody/FallingCave-v0 raised RuntimeError: the roof came down"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((7, 0.0, False, False, {}), "Somebody/Odd-v0 shows int as its observation"),
        (("Dark.", math.nan, True, False, {}), "Somebody/Odd-v0 paid nan"),
        (("Dark.", None, False, False, {}), "Somebody/Odd-v0 paid None"),
        (("Dark.", 0.0, False, False, None), "Somebody/Odd-v0 raised AttributeError"),
        (("Dark.", 0.0, False, False, {"task_score": "much"}), "Somebody/Odd-v0 raised TypeError"),
        (("Dark.", 0.0, False), "Somebody/Odd-v0 raised ValueError"),
        (("Dark.", 0.0, False, np.array([False, True]), {}), "Somebody/Odd-v0 raised ValueError"),
    ],
)
def test_what_is_no_answer_is_a_failure(answer, said):
    Odd.answer = answer
    (agent,) = played("Somebody/Odd-v0", "Somebody/Cave-v0", tasks=8)["agents"]
    assert 0 < agent["failures"]["dream"] < 8
    assert agent["first_failure"].startswith(said)


def test_an_environment_that_cannot_be_entered_any_more_has_failed():
    Flooded.entered, Flooded.dry = 0, 8 + 5
    (agent,) = played("Somebody/Flooded-v0", "Somebody/Cave-v0", tasks=8)["agents"]
    assert agent["failures"]["dream"] == 8, "three when the agent played, and all when actions are taken again"
    assert agent["first_failure"] == "Somebody/Flooded-v0 raised RuntimeError in reset: the cave is flooded"
    Flooded.entered = Flooded.dry = 0
    with pytest.raises(KeywordError, match="cannot be reset with seed=0: RuntimeError: the cave is flooded"):
        played("Somebody/Flooded-v0", "Somebody/Cave-v0", tasks=8)


def test_an_environment_that_would_end_the_process_ends_its_episode():
    (agent,) = played("Somebody/Leaving-v0", "Somebody/Cave-v0", tasks=8)["agents"]
    assert 0 < agent["failures"]["dream"] < 8
    assert agent["first_failure"] == "Somebody/Leaving-v0 raised SystemExit: 3"


def test_an_environment_that_cannot_be_made_again_has_failed_and_one_that_cannot_be_closed_has_not():
    Licensed.made, Licensed.most = 0, 1
    (agent,) = played("Somebody/Licensed-v0", "Somebody/Cave-v0", tasks=8)["agents"]
    assert 0 < agent["failures"]["dream"] < 8, "one of two lanes has none"
    assert agent["first_failure"] == "Somebody/Licensed-v0 cannot be made: OSError: no further licence"
    Licensed.made, Licensed.most = 0, 2
    (agent,) = played("Somebody/Licensed-v0", "Somebody/Cave-v0", tasks=8)["agents"]
    assert agent["failures"]["dream"] == 0
    Licensed.made, Licensed.most = 0, 0
    with pytest.raises(KeywordError, match="cannot be made: OSError: no further licence"):
        played("Somebody/Licensed-v0", "Somebody/Cave-v0")


def test_an_environment_without_an_info_is_refused():
    with pytest.raises(KeywordError, match="cannot be reset with seed=0: AttributeError"):
        played("Somebody/Silent-v0", "Somebody/Cave-v0")


def test_a_dream_of_recordings_is_judged_by_what_was_recorded(tmp_path):
    path = record_cave(tmp_path / "cave.jsonl")
    sim = "DreamGym/Recorded-v0"
    with pytest.raises(ComparisonError, match="experience of 3 of the 3 tasks"):
        played(sim, "Somebody/Cave-v0", experience=str(path), world_model="embedded")
    found = played(sim, "Somebody/Cave-v0", allow=True, experience=str(path), world_model="embedded")
    (agent,) = found["agents"]
    assert {one["task_id"] for one in found["transcripts"]} == {"cave/0", "cave/1", "cave/2"}
    assert agent["returns"]["real"]["quartiles"][-1] <= 1.0, "beside a dream that pays 1 at success"
    assert agent["episodes"] == 3


def test_what_shows_no_texts_is_refused():
    with pytest.raises(KeywordError, match="shows int as its observation"):
        played("Somebody/Dark-v0", "Somebody/Cave-v0")


def test_what_cannot_be_made_is_refused():
    with pytest.raises(KeywordError, match="Somebody/Nothing-v0 cannot be made"):
        played("Somebody/Cave-v0", "Somebody/Nothing-v0")


def test_tasks_that_nobody_shares_are_an_error(tmp_path):
    path = record_cave(tmp_path / "cave.jsonl", split="test")
    with pytest.raises(UnknownTaskError, match=r'info\["task_id"\]'):
        played("DreamGym/Recorded-v0", "Somebody/Nameless-v0", split="test", experience=str(path))


@pytest.mark.parametrize("named", [(None, None, None), ("webshop", "A/B-v0", None), (None, "A/B-v0", None)])
def test_half_a_pair_is_refused(named):
    with pytest.raises(ComparisonError, match="both environments"):
        pair_ids(*named)


def test_a_stranger_is_not_judged_by_an_environment_whose_tasks_it_does_not_know():
    with pytest.raises(ComparisonError, match="does not know"):
        played("Somebody/Cave-v0", "DreamGymReal/WebShop-v0")

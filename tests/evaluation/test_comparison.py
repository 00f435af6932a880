"""Promises of a comparison: fair or refused, failures are failures, and every figure says where it comes from."""

from __future__ import annotations

import itertools
import json

import pytest
from scripted import ScriptedWorldModel, failing_model, house_model
from toy_agents import AGENTS, dream_house, real_house
from toy_domain import ToyHouse

from dreamgym_env.errors import ComparisonError, GameError, UnknownTaskError, WorldModelError
from dreamgym_env.evaluation.comparison import compare_agents
from dreamgym_env.evaluation.findings import findings
from dreamgym_env.evaluation.language_agents import LanguageCrew
from dreamgym_env.evaluation.recordings import write_recordings
from dreamgym_env.evaluation.replaying import ReplayAgents
from dreamgym_env.evaluation.transcripts import kept_transcripts
from dreamgym_env.evaluation.verdict import verdict
from dreamgym_env.memory.experience import read_header, read_transitions, write_transitions
from dreamgym_env.shadow import ShadowRealVector
from dreamgym_env.simulation.anchors import AnchoredBackend
from dreamgym_env.types import Completion, Prediction, Source

TEST = ToyHouse().task_ids("test")
ABOUT = {"tasks": len(TEST), "seeds": [0, 1]}


def fair_dream(**settings):
    dream = dream_house(**settings)
    dream.backend.buffer.freeze()
    return dream


def kind_model():
    """A world model that rewards whatever is done."""
    return ScriptedWorldModel(lambda query, memories, seed: Prediction("Well done!", query.state, 1.0, True))


def compared(dream=None, agents=("finder", "wanderer", "sleeper"), seeds=(0, 1)):
    table = {name: AGENTS[name] for name in agents}
    return compare_agents(dream or fair_dream(), real_house(), table, TEST, seeds)


def figures(comparison, **options):
    """The figures as a reader of the JSON file has them."""
    return json.loads(json.dumps(findings(comparison, ABOUT, **options), allow_nan=False))


def by_agent(found):
    return {agent["agent"]: agent for agent in found["agents"]}


def test_a_true_dream_is_said_to_be_true():
    found = figures(compared())
    finder = by_agent(found)["finder"]
    assert finder["episodes"] == 8
    assert {side: one["value"] for side, one in finder["success"].items()} == dict.fromkeys(finder["success"], 1.0)
    assert finder["consistency_ratio"]["value"] == finder["reverse_consistency_ratio"]["value"] == 1.0
    assert finder["false_success"]["value"] == finder["gap"]["success"]["value"] == 0.0
    assert finder["first_difference"]["differing"] == 0
    assert found["ranks"]["spearman"]["value"] == 1.0
    assert found["ranks"]["pairs_that_differ"] == []
    assert "rank the same" in found["verdict"][0]


def test_a_dream_that_flatters_is_found_out():
    found = figures(compared(fair_dream(model=kind_model(), success="model")))
    sleeper = by_agent(found)["sleeper"]
    assert sleeper["success"]["dream"]["value"] == 1.0
    assert sleeper["success"]["real"]["value"] == 0.0
    assert sleeper["false_success"] == {**sleeper["false_success"], "value": 1.0, "count": 8}
    assert sleeper["consistency_ratio"] is None, "nothing is solved there to be compared with"
    assert by_agent(found)["finder"]["consistency_ratio"]["value"] == 0.0
    assert any("flatters: 100.0%" in sentence for sentence in found["verdict"])
    assert found["ranks"]["spearman"] is None, "all agents are as good in such a dream"


def test_a_dream_that_is_too_hard_is_found_out():
    hard = ScriptedWorldModel(lambda query, memories, seed: Prediction("No.", query.state, 0.0, False))
    found = figures(compared(fair_dream(model=hard), agents=("finder",)))
    finder = by_agent(found)["finder"]
    assert finder["success"]["dream"]["value"] == 0.0
    assert finder["success"]["real_actions_in_dream"]["value"] == 0.0
    assert finder["missed_success"]["value"] == 1.0
    assert finder["reverse_consistency_ratio"] is None


@pytest.mark.parametrize(
    ("low", "value", "high", "said"),
    [
        (0.97, 1.0, 1.02, "works in the real environment"),
        (0.1, 0.5, 1.4, "cannot be told from so few successes"),
        (0.5, 0.6, 0.7, "does not always work"),
    ],
)
def test_a_low_consistency_is_held_against_a_dream_only_where_it_is_no_chance(low, value, high, said):
    found = figures(compared(agents=("finder",)))
    ratio = {"value": value, "low": low, "high": high, "count": 3, "clusters": 3}
    found["agents"][0]["consistency_ratio"] = ratio
    assert any(said in sentence for sentence in verdict(found))


def test_failures_are_failures_and_no_zeros():
    found = figures(compared(fair_dream(model=failing_model()), agents=("finder",)))
    finder = by_agent(found)["finder"]
    assert finder["failures"] == {"dream": 8, "real": 0}
    assert finder["success"] == dict.fromkeys(finder["success"]), "no episode says what the agent can do"
    assert any("8 of 8 episodes were cut short" in warning for warning in found["warnings"])
    assert found["verdict"] == ["Nothing can be said of this dream: every episode was cut short by a failure."]
    assert "without a failure" in found["ranks"]["why_none"]


def test_a_failure_is_no_wrong_page_either():
    """What failed is in no figure: not as a difference, and not as a page that was wrong."""
    house = ToyHouse()
    knows = house_model(house)

    def answer(query, memories, seed):
        if query.task.id == TEST[0] and query.action.startswith("take"):
            return Prediction("", query.state, 0.0, False, failure="The answer could not be read.")
        return knows.answer(query, memories, seed)

    found = figures(compared(fair_dream(model=ScriptedWorldModel(answer)), agents=("finder",)))
    (finder,) = found["agents"]
    assert finder["failures"]["dream"] == 2, "one task, two seeds"
    assert finder["first_failure"] == "The answer could not be read."
    assert (finder["first_difference"]["episodes"], finder["first_difference"]["differing"]) == (6, 0)
    assert finder["first_difference"]["share"]["count"] == 6
    assert [(step["episodes"], step["exact"]["value"], step["undiverged"]["value"]) for step in found["drift"]] == [
        (6, 1.0, 1.0)
    ] * 2
    assert "Every page of all 6 dreamt episodes" in " ".join(found["verdict"])
    assert any("The first: The answer could not be read." in warning for warning in found["warnings"])


def test_an_agent_whose_model_gives_no_answer_has_failed_and_its_tokens_are_told():
    class Engine:
        asked = 0

        def generate(self, prompts, sampling, seeds):
            self.asked += 1
            if self.asked == 1:
                return [Completion("", error="too long") for _ in prompts]
            return [Completion("Action: look", prompt_tokens=5, completion_tokens=2) for _ in prompts]

        def close(self): ...

    crew = LanguageCrew(ToyHouse(), Engine(), name="llm")
    found = figures(compare_agents(fair_dream(), real_house(), {"llm": crew}, TEST, (0,)))
    (agent,) = found["agents"]
    assert agent["failures"] == {"dream": 3, "real": 0}, "the first call is of three lanes"
    assert agent["success"]["dream"]["count"] == 1
    assert (agent["usage"]["failures"], agent["usage"]["prompt_tokens"]) == (3, 5 * (agent["usage"]["actions"] - 3))
    assert any("The first: llm got no answer: too long" in warning for warning in found["warnings"])


@pytest.mark.parametrize("error", [WorldModelError, GameError, UnknownTaskError])
def test_an_agent_whose_comparison_breaks_off_leaves_the_others_their_figures(error):
    class Engine:
        def generate(self, prompts, sampling, seeds):
            raise error("The server is gone.")

        def close(self): ...

    crew = LanguageCrew(ToyHouse(), Engine(), name="llm")
    comparison = compare_agents(fair_dream(), real_house(), {"llm": crew, "finder": AGENTS["finder"]}, TEST, (0,))
    found = figures(comparison)
    assert [agent["agent"] for agent in found["agents"]] == ["finder"]
    assert found["broken_off"] == {"llm": "The server is gone."}
    assert "llm is in no figure, for its comparison broke off: The server is gone." in found["warnings"]
    with pytest.raises(error, match="The server is gone"):
        compare_agents(fair_dream(), real_house(), {"llm": crew}, TEST, (0,))


def fails_after(calls, error):
    """The house's world model, until it has been asked so often."""
    knows, asked = house_model(ToyHouse()), []

    def answer(query, memories, seed):
        asked.append(query)
        if len(asked) > calls:
            raise error
        return knows.answer(query, memories, seed)

    return ScriptedWorldModel(answer), asked


def test_a_lost_world_model_costs_no_agent_that_was_compared_and_is_not_asked_again():
    """Of three agents with two seeds each, the second loses the model in its second seed."""
    model, asked = fails_after(10**9, None)
    compared(fair_dream(model=model), agents=("finder", "wanderer"))
    model, asked = fails_after(len(asked) - 1, WorldModelError("The server is gone."))
    found = figures(compared(fair_dream(model=model)))
    assert {agent: one["seeds"] for agent, one in by_agent(found).items()} == {"finder": [0, 1], "wanderer": [0]}
    assert found["broken_off"]["wanderer"] == "The server is gone."
    assert found["broken_off"]["sleeper"].startswith("Not begun, for before its turn the world model had failed: The")
    assert not found["interrupted"]
    calls = len(asked)
    with pytest.raises(WorldModelError, match="The server is gone"):
        compared(fair_dream(model=model))
    assert len(asked) == calls + 1, "one agent has asked, and no other"


def test_an_agents_own_model_that_is_lost_stops_no_other_agent():
    class Engine:
        def generate(self, prompts, sampling, seeds):
            raise WorldModelError("The server is gone.")

        def close(self): ...

    agents = {"llm": LanguageCrew(ToyHouse(), Engine(), name="llm"), **AGENTS}
    comparison = compare_agents(fair_dream(), real_house(), agents, TEST, (0,))
    assert list(comparison.runs) == list(AGENTS) and list(comparison.broken_off) == ["llm"]


def interrupting(after):
    """Something to call with each episode, and the Ctrl-C that comes after so many."""
    left = iter(range(after))

    def progress(episode):
        if next(left, None) is None:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize(("after", "seeds"), [(16, [0]), (36, [0, 1])])
def test_an_interruption_keeps_what_was_finished(after, seeds):
    """An episode of finder is played in four ways; four tasks make 16 episodes a seed."""
    comparison = compare_agents(
        *(fair_dream(), real_house(), AGENTS, TEST, (0, 1)), keep_interrupted=True, progress=interrupting(after)
    )
    found = figures(comparison, kept=9)
    assert {agent["agent"]: agent["seeds"] for agent in found["agents"]} == {"finder": seeds}
    assert found["interrupted"] and found["warnings"][0].startswith("The comparison was interrupted")
    assert found["broken_off"]["sleeper"] == "Interrupted before its turn."
    if after == 16:
        assert "finder is in these figures with the first seed alone" in " ".join(found["warnings"])


def test_agents_are_ranked_by_the_episodes_that_all_have_finished():
    whole = figures(compared(seeds=(0,)))["ranks"]
    comparison = compare_agents(
        *(fair_dream(), real_house(), AGENTS, TEST, (0, 1)), keep_interrupted=True, progress=interrupting(5 * 16)
    )
    found = figures(comparison)
    assert {agent["agent"]: agent["seeds"] for agent in found["agents"]} == {
        "finder": [0, 1],
        "wanderer": [0, 1],
        "sleeper": [0],
    }
    assert found["ranks"] == whole


@pytest.mark.parametrize(("after", "kept"), [(10, True), (40, False)])
def test_an_interruption_of_which_nothing_is_to_be_kept_is_raised(after, kept):
    with pytest.raises(KeyboardInterrupt):
        compare_agents(
            *(fair_dream(), real_house(), AGENTS, TEST, (0, 1)), keep_interrupted=kept, progress=interrupting(after)
        )


def test_the_same_task_or_seed_twice_is_refused():
    """Each would count twice, and the intervals would be too narrow."""
    for tasks, seeds in (((TEST[0], TEST[0]), (0,)), (TEST, (1, 1))):
        with pytest.raises(ComparisonError, match="named twice"):
            compare_agents(fair_dream(), real_house(), {"finder": AGENTS["finder"]}, tasks, seeds)


def test_pooled_figures_are_those_of_all_episodes_together():
    found = figures(compared(fair_dream(model=kind_model(), success="model")))
    false = found["all_agents"]["false_success"]
    each = [agent["false_success"] for agent in found["agents"]]
    assert false["count"] == sum(one["count"] for one in each) == 24
    assert false["clusters"] == len(TEST)
    assert false["value"] == pytest.approx(sum(one["value"] * one["count"] for one in each) / 24)


def test_what_few_agents_cannot_tell_is_said_beside_what_they_tell():
    """Two of the three are tied, so that one order in three is as much alike, and as many are as much reversed."""
    found = figures(compared())
    others = found["ranks"]["spearman_across_agents"]
    assert (others["low"], others["high"]) == (pytest.approx(-0.78, abs=0.02), 1.0)
    assert others["p"] == pytest.approx(2 / 3, abs=1e-6)
    assert "of these 3 agents, over redrawn tasks" in found["verdict"][0]
    assert "of other agents, were these drawn at random, -0.78 to 1.00" in found["verdict"][0]
    assert "come about by chance in 67% of all cases" in found["verdict"][1]


def test_agents_that_are_tied_on_one_side_do_not_rank_the_same():
    found = figures(compared())
    found["ranks"]["spearman"] = {"value": 0.866, "low": 0.5, "high": 1.0, "count": 3, "clusters": 4}
    assert "some are equal in only one of them" in verdict(found)[0]


def test_a_comparison_of_nothing_is_refused():
    table = {"finder": AGENTS["finder"]}
    for agents, tasks, seeds in (({}, TEST, (0,)), (table, [], (0,)), (table, TEST, ())):
        with pytest.raises(ComparisonError, match="nothing to compare"):
            compare_agents(fair_dream(), real_house(), agents, tasks, seeds)


def test_agents_that_a_report_could_not_tell_apart_are_refused():
    agents = {f"llm(openai:m@http://h:1/v1?api_key={key})": AGENTS["finder"] for key in ("one", "two")}
    with pytest.raises(ComparisonError, match="in a secret alone"):
        compare_agents(fair_dream(), real_house(), agents, TEST, (0,))


def test_a_file_that_lacks_a_task_is_found_out_before_anything_is_played(tmp_path):
    played = compared(agents=("finder",), seeds=(0,))
    path = tmp_path / "finder.jsonl"
    steps = [
        outcome.transition for episode in played.runs["finder"][0].real.episodes[1:] for outcome in episode.outcomes
    ]
    write_transitions(path, steps)
    episodes = []
    with pytest.raises(UnknownTaskError, match=f"no episode of '{TEST[0]}', only of 3 other tasks"):
        compare_agents(
            fair_dream(),
            real_house(),
            {"finder": AGENTS["finder"], "replay": ReplayAgents(ToyHouse(), path, name="replay")},
            TEST,
            (0,),
            progress=episodes.append,
        )
    assert not episodes


def test_a_buffer_that_may_learn_meanwhile_is_refused():
    with pytest.raises(ComparisonError, match="not frozen"):
        compared(dream_house())


def test_a_dream_that_may_answer_from_the_tasks_own_recordings_is_refused():
    with pytest.raises(ComparisonError, match="evaluation=True"):
        compared(fair_dream(evaluation=False))


@pytest.mark.parametrize("how", ["anchors", "shadow"])
def test_a_dream_with_the_real_environment_in_it_is_refused(how):
    dream, real = fair_dream(evaluation=False), real_house()
    if how == "anchors":
        dream.install(AnchoredBackend(dream.backend, real.backend, 0.5))
    else:
        dream = ShadowRealVector(dream, real).unwrapped
    with pytest.raises(ComparisonError, match="has the real environment in it"):
        compared(dream)


@pytest.mark.parametrize("varied", [False, True])
def test_experience_of_the_tested_tasks_is_refused_unless_allowed(varied):
    def dream():
        played = compared(agents=("finder",), seeds=(0,)).runs["finder"][0].real.episodes[0]
        made = dream_house()
        steps = [outcome.transition for outcome in played.outcomes]
        if varied:
            steps = [
                type(step)(
                    **{
                        **{name: getattr(step, name) for name in step.__slots__},
                        "task_id": "toy/train/varied",
                        "parent": step.task_id,
                        "split": "train",
                    }
                )
                for step in steps
            ]
        made.backend.buffer.add(steps)
        made.backend.buffer.freeze()
        return made

    with pytest.raises(ComparisonError, match=f"experience of 1 of the 4 tasks .* '{TEST[0]}'"):
        compared(dream())
    table = {"finder": AGENTS["finder"]}
    found = figures(compare_agents(dream(), real_house(), table, TEST, (0,), allow_test_tasks=True))
    assert any("holds experience of 1 of the compared tasks" in warning for warning in found["warnings"])


def test_the_same_seeds_give_the_same_figures():
    def rows():
        found = figures(compared(), kept=100)
        for agent in found["agents"]:
            for side in agent["speed"].values():
                side["seconds"] = side["steps_per_second"] = 0
        for transcript in found["transcripts"]:
            for step in transcript["dream"]["steps"]:
                step["seconds"] = 0
        return {**found, "verdict": found["verdict"][:-1]}  # the last sentence is about speed

    assert rows() == rows()


def test_actions_of_either_side_are_taken_again_on_the_other():
    for row in compared().rows("wanderer"):
        for taken, again in ((row.dream, row.replayed), (row.real, row.redreamt)):
            assert again.actions == taken.actions[: again.steps]


def test_the_most_telling_transcripts_are_kept():
    comparison = compared(fair_dream(model=kind_model(), success="model"))
    kept = kept_transcripts(comparison, 5)
    assert len(kept) == 5
    assert {one["agent"] for one in kept} == {"finder", "wanderer", "sleeper"}
    assert kept[0]["kept_because"] == "solved in the dream, and not by the same actions in the real environment"
    assert [step["action"] for step in kept[0]["dream"]["steps"]]
    assert kept_transcripts(comparison, 0) == []
    assert len(kept_transcripts(comparison, 1000)) == 24


def test_a_calibration_is_tested_on_tasks_that_it_has_not_seen():
    """Most successes of this dream are false, as a calibration on other tasks can know."""
    dream = fair_dream(model=kind_model(), success="model")
    tasks = [f"toyhouse/train/{number}" for number in range(12)]
    comparison = compare_agents(dream, real_house(), {"wanderer": AGENTS["wanderer"]}, tasks, (0, 1, 2))
    calibration = figures(comparison, anchors=10)["calibration"]
    assert (calibration["anchors"], calibration["tested"]) == (10, 2)
    assert calibration["before"]["bias"] > abs(calibration["after"]["bias"])
    assert calibration["after"]["mse"] < calibration["before"]["mse"]
    assert sum(count for _, _, count in calibration["points"]) == 2 * 3
    assert figures(comparison, anchors=9)["calibration"] is None, "too few to fit a curve on"
    assert figures(comparison, anchors=12)["calibration"] is None, "no task is left to test it on"
    assert any("no calibration" in warning for warning in figures(comparison, anchors=12)["warnings"])
    assert not any("calibration" in warning for warning in figures(comparison, anchors=0)["warnings"])


def test_recordings_of_both_sides_are_transitions_files(tmp_path):
    comparison = compared(agents=("finder", "wanderer"))
    paths = write_recordings(comparison, tmp_path)
    assert [path.name for path in paths] == [
        f"{at:02d}-{agent}.{side}.jsonl.gz"
        for at, agent in enumerate(("finder", "wanderer"))
        for side in ("dream", "real")
    ]
    for path, (_, side) in zip(paths, itertools.product(range(2), ("dream", "real")), strict=True):
        steps = read_transitions(path)
        assert {step.source for step in steps} == {Source.DREAM if side == "dream" else Source.REAL}
        assert read_header(path)["env"] == "TextVectorEnv"

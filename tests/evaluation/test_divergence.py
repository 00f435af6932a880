"""Promises of divergence and drift: the first difference is found, told in kind, and counted step by step."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scripted import ScriptedWorldModel, failing_model
from toy_agents import AGENTS, dream_house, real_house
from toy_domain import NOTHING, ToyHouse, play

from dreamgym_env.evaluation.divergence import (
    Divergence,
    DivergenceKind,
    drift,
    first_divergence,
    sum_up_divergences,
)
from dreamgym_env.evaluation.rollout import EpisodeResult, plan_episodes, replay_actions
from dreamgym_env.evaluation.rollout import play as play_rollout
from dreamgym_env.evaluation.statistics import proportion
from dreamgym_env.types import Prediction, StopReason

HOUSE = ToyHouse()
TASKS = HOUSE.task_ids("train")


def real_episode(agent: str = "finder", task: str = TASKS[0]) -> EpisodeResult:
    return play_rollout(real_house(), AGENTS, plan_episodes([task], agent, 0)).episodes[0]


def changed(episode: EpisodeResult, step: int, *, stop: StopReason | None = None, **members) -> EpisodeResult:
    """The same episode with another outcome of one step, which is counted from 1; it ends there if it stops there."""
    outcomes = list(episode.outcomes)
    outcome = outcomes[step - 1]
    outcomes[step - 1] = replace(
        outcome, transition=replace(outcome.transition, **members), stop=outcome.stop if stop is None else stop
    )
    return replace(episode, outcomes=tuple(outcomes))


def test_a_replay_that_shows_the_same_differs_nowhere():
    for agent in AGENTS:
        episode = real_episode(agent)
        assert first_divergence(HOUSE, episode, episode) is None


def test_another_page_is_told_by_what_only_one_side_has():
    real = real_episode()  # go kitchen, take key
    page = real.outcomes[0].transition.next_state
    dreamt = changed(real, 1, next_state=page.replace("Here: key", "Here: lamp"))
    assert first_divergence(HOUSE, dreamt, real) == Divergence(1, DivergenceKind.PAGE, "go", "Here: lamp", "Here: key")


def test_the_first_difference_counts_and_long_texts_are_shortened():
    real = real_episode("sleeper")
    dreamt = changed(changed(real, 3, next_state="x" * 1000), 5, next_state="Fog.")
    found = first_divergence(HOUSE, dreamt, real)
    assert (found.step, found.action_kind, len(found.dream)) == (3, "look", 120)


def test_the_same_segments_in_another_order_are_another_page():
    real = real_episode()
    parts = real.outcomes[0].transition.next_state.split(" | ")
    dreamt = changed(real, 1, next_state=" | ".join([*parts[:-2], parts[-1], parts[-2]]))
    found = first_divergence(HOUSE, dreamt, real)
    assert (found.kind, found.dream, found.real) == ("page", parts[-1], parts[-2])


def test_the_same_page_with_another_verdict():
    real = real_episode()
    dreamt = changed(real, 2, reward=0.0, terminated=False, stop=StopReason.RUNNING)
    assert first_divergence(HOUSE, dreamt, real) == Divergence(2, DivergenceKind.VERDICT, "take", "running", "success")
    kind = changed(real, 2, stop=StopReason.FAILURE)
    assert first_divergence(HOUSE, real, kind).kind == "verdict"


def test_an_end_on_one_side_only():
    """The real environment ends after the first step, and the dream goes on."""
    dreamt = real_episode()
    ended = changed(replace(dreamt, outcomes=dreamt.outcomes[:1]), 1, terminated=True, stop=StopReason.FAILURE)
    found = first_divergence(HOUSE, dreamt, ended)
    assert found == Divergence(1, DivergenceKind.END, "go", "running", "failure")


def test_an_action_that_only_the_dream_offers():
    real = changed(real_episode(), 1, next_state=NOTHING, valid=False)
    found = first_divergence(HOUSE, real_episode(), real)
    assert (found.kind, found.action_kind, found.real) == ("offer", "not offered", NOTHING)


def test_the_same_text_is_no_difference_whoever_says_that_the_action_was_offered():
    real = changed(real_episode(), 1, valid=False)
    assert first_divergence(HOUSE, real_episode(), real) is None


def test_a_failure_of_the_model_is_told_as_one():
    dreamt = play_rollout(dream_house(model=failing_model("No answer.")), AGENTS, plan_episodes(TASKS, "finder", 0))
    replayed = replay_actions(real_house(), dreamt.episodes)
    found = first_divergence(HOUSE, dreamt.episodes[0], replayed.episodes[0])
    assert found == Divergence(1, DivergenceKind.FAILURE, "go", "No answer.", "answered")
    (row,) = drift(HOUSE, list(zip(dreamt.episodes, replayed.episodes, strict=True)), 0)
    assert (row.exact.value, row.line_f1.value, row.no_difference.value) == (0, 0, 0)


def test_first_states_that_differ_are_step_0():
    real = real_episode()
    dreamt = replace(real, task=replace(real.task, initial_state="Fog."))
    found = first_divergence(HOUSE, dreamt, real)
    assert (found.step, found.action_kind, found.dream) == (0, "reset", "Fog.")


def test_episodes_that_are_no_replay_are_refused():
    one = real_episode()
    for other in (
        real_episode(task=TASKS[4]),
        real_episode("sleeper"),
        replace(one, outcomes=one.outcomes[:1]),
    ):
        with pytest.raises(ValueError, match="replay_actions"):
            first_divergence(HOUSE, one, other)


def test_kinds_are_counted_with_their_steps_and_actions():
    page = DivergenceKind.PAGE
    found = [
        Divergence(1, page, "go", "", ""),
        Divergence(4, page, "take", "", ""),
        Divergence(2, page, "go", "", ""),
        Divergence(3, DivergenceKind.END, "leave", "", ""),
        None,
    ]
    summary = sum_up_divergences(found, list("abcde"))
    assert list(summary.kinds) == ["page", "end"]
    assert (summary.kinds[page].count, summary.kinds[page].median_step) == (3, 2)
    assert summary.kinds[page].action_kinds == {"go": 2, "take": 1}
    assert summary.kinds[page].share == proportion([True, True, True, False, False], list("abcde"))
    assert summary.same == proportion([False] * 4 + [True], list("abcde"))
    assert json.loads(json.dumps(summary.to_json()))["kinds"]["end"]["count"] == 1
    assert sum_up_divergences([], []).to_json() == {"episodes": 0, "same": None, "kinds": {}}


class TestDrift:
    def test_a_true_dream_does_not_drift(self):
        dreamt = play_rollout(dream_house(), AGENTS, plan_episodes(TASKS, "wanderer", 1)).episodes
        pairs = list(zip(dreamt, replay_actions(real_house(), dreamt).episodes, strict=True))
        rows = drift(HOUSE, pairs, 0)
        assert [row.step for row in rows] == list(range(1, max(episode.steps for episode in dreamt) + 1))
        assert [row.count for row in rows] == [sum(one.steps >= row.step for one in dreamt) for row in rows]
        assert {(row.exact.value, row.line_f1.value, row.no_difference.value) for row in rows} == {(1, 1, 1)}

    def test_a_wrong_page_counts_at_its_step_and_the_rest_of_the_episode_is_no_longer_without_difference(self):
        """Two sleepers look 6 times; in one dream 1 of 6 segments is wrong at step 3: F1 5/6."""
        pairs = [(real_episode("sleeper", task), real_episode("sleeper", task)) for task in TASKS[:2]]
        (dreamt, real), other = pairs
        page = dreamt.outcomes[2].transition.next_state
        assert len(HOUSE.segment(page, dreamt.task.instruction)) == 6
        dreamt = changed(dreamt, 3, next_state=page.replace("Hand: empty", "Hand: lamp"))
        rows = drift(HOUSE, [(dreamt, real), other], 0)
        assert [row.exact.value for row in rows] == [1, 1, 0.5, 1, 1, 1]
        assert [row.no_difference.value for row in rows] == [1, 1, 0.5, 0.5, 0.5, 0.5]
        assert rows[2].line_f1.value == pytest.approx((5 / 6 + 1) / 2)
        assert {row.no_difference.count for row in rows} == {2}
        assert json.loads(json.dumps(rows[0].to_json()))["step"] == 1

    def test_a_dream_that_goes_wrong_after_a_while_drifts(self):
        def model(query, memories, seed):
            late = len(query.history) >= 2
            return Prediction(
                "", "Fog." if late else play(HOUSE, query.task, query.history, query.state, query.action), 0, False
            )

        dreamt = play_rollout(
            dream_house(model=ScriptedWorldModel(model)), AGENTS, plan_episodes(TASKS, "sleeper", 1)
        ).episodes
        rows = drift(HOUSE, list(zip(dreamt, replay_actions(real_house(), dreamt).episodes, strict=True)), 0)
        assert [row.no_difference.value for row in rows[:3]] == [1, 1, 0]
        assert rows[2].exact.high < 0.3

    def test_of_no_episodes_there_is_no_drift(self):
        assert drift(HOUSE, [], 0) == ()

"""Promises of rollouts: every plan is played, in order, reproducibly, without a question to the model too many."""

from __future__ import annotations

import pytest
from scripted import ScriptedWorldModel, failing_model, house_model
from toy_agents import AGENTS, dream_house, real_house
from toy_domain import ToyHouse

from dreamgym_env.errors import UnknownTaskError, WorldModelError
from dreamgym_env.evaluation.rollout import EpisodePlan, plan_episodes, play, play_each, replay_actions
from dreamgym_env.types import StopReason

TRAIN = ToyHouse().task_ids("train")


def test_episodes_come_in_the_order_of_the_plans_and_hold_what_happened():
    plans = [
        EpisodePlan(task, agent, seed) for seed, (task, agent) in enumerate(zip(TRAIN, [*AGENTS] * 4, strict=True))
    ]
    rollout = play(real_house(lanes=5), AGENTS, plans)
    assert [(episode.task.id, episode.agent, episode.seed) for episode in rollout.episodes] == [
        (plan.task_id, plan.agent, plan.seed) for plan in plans
    ]
    for episode in rollout.episodes:
        assert len(episode.states) == episode.steps + 1 == len(episode.actions) + 1
        assert episode.states[0] == episode.task.initial_state
        assert sum(episode.answered_by.values()) == episode.steps
    assert rollout.steps == sum(episode.steps for episode in rollout.episodes)


@pytest.mark.parametrize(
    ("agent", "stop", "score"),
    [("finder", StopReason.SUCCESS, 1.0), ("sleeper", StopReason.STEP_LIMIT, 0.0)],
)
def test_an_episode_says_how_it_ended(agent, stop, score):
    (episode,) = play(real_house(), AGENTS, plan_episodes(TRAIN[:1], agent, 0)).episodes
    assert (episode.stop, episode.score, episode.success) == (stop, score, stop is StopReason.SUCCESS)


@pytest.mark.parametrize("lanes", [1, 2, 64])
def test_how_many_lanes_there_are_changes_nothing(lanes):
    plans = plan_episodes(TRAIN, "wanderer", seed=3)

    def transitions(env):
        return [outcome.transition for episode in play(env, AGENTS, plans).episodes for outcome in episode.outcomes]

    assert transitions(dream_house(lanes)) == transitions(dream_house(3))


def test_the_same_seed_plays_the_same_episodes_and_another_seed_others():
    def actions(seed):
        return [
            episode.actions for episode in play(real_house(), AGENTS, plan_episodes(TRAIN, "wanderer", seed)).episodes
        ]

    assert actions(1) == actions(1) != actions(2)


def test_the_model_is_asked_for_no_step_that_is_not_in_the_result():
    model = house_model()
    rollout = play(dream_house(4, model), AGENTS, plan_episodes(TRAIN[:5], "sleeper", 0))
    assert model.asked == rollout.answered_by["model"] == rollout.steps
    assert max(map(len, model.batches)) == 4, "the lanes should step together"


def test_a_failure_of_the_model_is_a_failure_of_the_episode():
    rollout = play(dream_house(2, failing_model("No answer.")), AGENTS, plan_episodes(TRAIN[:4], "finder", 0))
    assert (rollout.solved, rollout.failures) == (0, 4)
    assert {episode.failure for episode in rollout.episodes} == {"No answer."}


def test_an_unknown_task_is_refused():
    with pytest.raises(UnknownTaskError, match="toyhouse/train/99"):
        play(real_house(), AGENTS, plan_episodes(["toyhouse/train/99"], "finder", 0))


def test_a_model_that_stays_away_ends_the_rollout():
    def away(query, memories, seed):
        raise WorldModelError("The server stays away.")

    with pytest.raises(WorldModelError, match="stays away"):
        play(dream_house(2, ScriptedWorldModel(away)), AGENTS, plan_episodes(TRAIN[:2], "finder", 0))


def test_progress_hears_of_every_episode():
    heard = []
    rollout = play(real_house(), AGENTS, plan_episodes(TRAIN, "wanderer", 0), progress=heard.append)
    assert tuple(heard) == rollout.episodes


def test_play_each_takes_plans_as_it_needs_them():
    drawn = []

    def plans():
        for plan in plan_episodes(TRAIN, "finder", 0):
            drawn.append(plan)
            yield plan

    episodes = play_each(real_house(lanes=2), AGENTS, plans())
    next(episodes)
    assert len(drawn) == 2


def test_replayed_actions_are_those_of_the_episode():
    dreamt = play(dream_house(), AGENTS, plan_episodes(TRAIN, "wanderer", 5))
    replayed = replay_actions(real_house(), dreamt.episodes)
    assert [episode.actions for episode in replayed.episodes] == [episode.actions for episode in dreamt.episodes]
    assert [episode.states for episode in replayed.episodes] == [episode.states for episode in dreamt.episodes]


def test_actions_that_are_used_up_before_the_end_are_no_success():
    cut_short = play(dream_house(2, failing_model()), AGENTS, plan_episodes(TRAIN[:1], "finder", 0))
    (episode,) = replay_actions(real_house(), cut_short.episodes).episodes
    assert (episode.steps, episode.stop, episode.success) == (1, StopReason.RUNNING, False)

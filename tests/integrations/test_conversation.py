"""An episode is a conversation: what a model is told, how its replies are read, and the rows of its tasks."""

from __future__ import annotations

import pytest
from toy_domain import RealToyHouse, ToyHouse

from dreamgym_env.envs.episode_pool import EpisodePool
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.integrations.conversation import Conversation, task_rows


@pytest.fixture
def conversation():
    domain = ToyHouse()
    pool = EpisodePool(TextVectorEnv(domain, RealToyHouse(domain), 1))
    yield Conversation(domain, pool.begin(task_id="toyhouse/train/0"))
    pool.close()


def test_the_opening_says_rules_task_state_and_offer(conversation):
    system, user = conversation.opening
    assert (system["role"], user["role"]) == ("system", "user")
    assert ToyHouse.rules in system["content"]
    for told in ("Find the key", conversation.episode.observation, "go kitchen", "Action:"):
        assert told in user["content"]


def test_a_reply_acts_and_is_told_the_next_state(conversation):
    heard = conversation.reply("The key may be there.\nAction: go kitchen")
    assert heard.info["action"] == "go kitchen" and heard.info["well_formed"] and not heard.done
    assert heard.message["role"] == "user" and conversation.episode.observation in heard.message["content"]
    heard = conversation.reply("Action: take key")
    assert heard.done and heard.reward == 1.0 and heard.info["won"]


def test_an_unreadable_reply_changes_nothing_and_is_counted(conversation):
    before = conversation.episode.observation
    heard = conversation.reply("I would rather not.")
    assert not heard.info["well_formed"] and not heard.info["valid"] and heard.reward == 0.0
    assert "Nothing happens" in heard.message["content"] or conversation.episode.observation == before


def test_what_a_model_makes_up_after_its_action_is_not_read(conversation):
    heard = conversation.reply("Action: go kitchen\nState: You see the key.\nAction: take key")
    assert heard.info["action"] == "go kitchen" and not heard.done


def test_rows_hold_the_tasks_of_a_split():
    rows = list(task_rows(ToyHouse(), "test", 2))
    assert [row["task_id"] for row in rows] == ["toyhouse/test/0", "toyhouse/test/1"]
    assert rows[0]["prompt"] == [{"role": "user", "content": rows[0]["instruction"]}]
    assert len(list(task_rows(ToyHouse(), "train"))) == 12
    with pytest.raises(UnknownTaskError):
        list(task_rows(ToyHouse(), "attic"))
    with pytest.raises(ValueError, match="at least 1"):
        list(task_rows(ToyHouse(), "train", 0))

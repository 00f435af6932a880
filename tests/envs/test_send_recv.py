"""send and recv: who has an answer goes on, while the world model still answers others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from free_running import by_send, by_step
from gymnasium.error import AlreadyPendingCallError, ClosedEnvironmentError, NoAsyncCallError, ResetNeeded
from gymnasium.vector import AutoresetMode
from scripted import ScriptedWorldModel, failing_model, house_model, simulator
from toy_domain import NOTHING, RealToyHouse, ToyHouse

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import InvalidActionError, WorldModelError
from dreamgym_env.testing.openai_server import Call, LoopbackServer, Reply, completion_reply
from dreamgym_env.types import Memory, Prediction, Query
from dreamgym_env.world_model.build import world_model_from_string

MakeVec = Callable[..., TextVectorEnv]


class PatientModel(ScriptedWorldModel):
    """A streaming world model whose answers come when the test lets them."""

    def __init__(self) -> None:
        super().__init__(house_model().answer)
        self.waiting: dict[int, Prediction] = {}
        self.released: list[int] = []
        self.error: Exception | None = None
        self.timeouts: list[float | None] = []

    def open(self) -> PatientModel:
        return self  # its close() is counted, and harmless

    def submit(self, query: Query, memories: Sequence[Memory], seed: int) -> int:
        ticket = self.asked
        self.batches.append([query])
        self.waiting[ticket] = self.answer(query, memories, seed)
        return ticket

    def receive(self, timeout: float | None = None) -> list[tuple[int, Prediction]]:
        self.timeouts.append(timeout)
        if self.error is not None:
            raise self.error
        released, self.released = self.released, []
        assert released or timeout is not None, "this would wait for ever"
        return [(ticket, self.waiting.pop(ticket)) for ticket in released]


def seen(results: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    """What a lane saw."""
    observations, rewards, terminations, truncations, infos = results
    last = infos["final_obs"][at] if "final_obs" in infos and infos["_final_obs"][at] else None
    return observations[at], rewards[at], terminations[at], truncations[at], last, infos["task_id"][at]


def stepped(envs: TextVectorEnv, steps: int) -> list[list[Any]]:
    envs.reset(seed=5)
    return by_step(envs, steps, seen)


def sent(envs: TextVectorEnv, steps: int, min_envs: int) -> list[list[Any]]:
    envs.reset(seed=5)
    return by_send(envs, steps, min_envs, seen)


class TestSameAsStep:
    """A lane behaves under send and recv as it does under step."""

    @pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
    @pytest.mark.parametrize("min_envs", [1, 3, 100])
    def test_lanes_see_what_they_see_in_lockstep(self, make_vec: MakeVec, mode: AutoresetMode, min_envs: int):
        expected = stepped(make_vec(4, autoreset_mode=mode), 30)
        assert sent(make_vec(4, autoreset_mode=mode), 30, min_envs) == expected

    def test_against_a_server_whose_answers_come_in_any_order(self):
        """The stream of the openai generator; answers take random times."""

        def answer(call: Call) -> Reply:
            text = '{"reasoning": "So.", "next_state": "Room: hall", "reward": 0, "terminated": false}'
            return completion_reply(call, text, delay=(call.number * 7 % 5) / 100)

        seen = []
        for play in (lambda envs: stepped(envs, 12), lambda envs: sent(envs, 12, 1)):
            with LoopbackServer(answer) as server:
                domain = ToyHouse()
                model = world_model_from_string(f"openai:m@{server.url}", domain)
                envs = TextVectorEnv(domain, simulator(model, domain), 6, autoreset_mode="SameStep")
                seen.append(play(envs))
                envs.close()
        assert seen[0] == seen[1]

    def test_a_real_environment_has_the_same_interface(self):
        house = ToyHouse()
        envs = [TextVectorEnv(house, RealToyHouse(house), 3, autoreset_mode="SameStep") for _ in range(2)]
        assert sent(envs[0], 20, 2) == stepped(envs[1], 20)

    def test_step_and_reset_go_on_where_everything_was_received(self, make_vec: MakeVec):
        envs = make_vec(2)
        envs.reset(seed=0)
        envs.send(["go kitchen", "look"])
        envs.recv(2)
        observations, *_ = envs.step(["go hall", "look"])
        assert all(text.startswith("Room: hall") for text in observations)


class TestFlow:
    """Nobody waits for a lane whose answer is not there."""

    def test_who_has_an_answer_is_received_and_acts_again(self, make_vec: MakeVec):
        model = PatientModel()
        envs = make_vec(3, model, memo=False)
        envs.reset(seed=0)
        envs.send(["look", "look", "go kitchen"])
        model.released = [2]
        observations, *_, infos = envs.recv()
        assert infos["env_id"].tolist() == [2] and observations[0].startswith("Room: kitchen")
        envs.send(["go hall"], [2])
        model.released = [0, 3]
        observations, rewards, *_, infos = envs.recv(2)
        assert infos["env_id"].tolist() == [0, 2] and observations[1].startswith("Room: hall")
        assert rewards.shape == (2,) and infos["answered_by"].tolist() == ["model", "model"]

    def test_what_no_model_is_asked_about_comes_back_at_once(self, make_vec: MakeVec):
        model = PatientModel()
        envs = make_vec(3, model)
        envs.reset(seed=0)
        envs.send(["look", "fly", "look"])
        observations, *_, infos = envs.recv()
        assert infos["env_id"].tolist() == [1] and observations == (NOTHING,)
        assert model.timeouts == [0.0]  # looked, and did not wait

    @pytest.mark.parametrize("streaming", [True, False])
    def test_nobody_is_passed_over_by_a_lane_that_needs_no_model(self, make_vec: MakeVec, streaming: bool):
        """One lane acts in vain again and again; the others' answers come nevertheless."""
        model = PatientModel() if streaming else house_model()
        envs = make_vec(4, model, memo=False)
        envs.reset(seed=0)
        envs.send(["fly", "look", "look", "look"])
        received = Counter()
        for _ in range(8):
            if isinstance(model, PatientModel):
                model.released = list(model.waiting)
            lanes = envs.recv()[-1]["env_id"].tolist()
            received.update(lanes)
            envs.send(["fly" if lane == 0 else "look" for lane in lanes], lanes)
        assert min(received.values()) >= 3 and len(received) == 4

    def test_looking_without_waiting_finds_what_has_come(self, make_vec: MakeVec):
        model = PatientModel()
        envs = make_vec(2, model, memo=False)
        envs.reset(seed=0)
        envs.send(["look", "look"])
        assert envs.recv(timeout=0)[-1]["env_id"].tolist() == []
        model.released = [1]
        assert envs.recv(timeout=0)[-1]["env_id"].tolist() == [1]
        model.released = [0]
        assert envs.recv(timeout=float("inf"))[-1]["env_id"].tolist() == [0]

    def test_a_lane_that_ended_is_reset_while_others_are_under_way(self, make_vec: MakeVec):
        model = PatientModel()
        envs = make_vec(2, model, memo=False, autoreset_mode="Disabled")
        envs.reset(seed=0)
        envs.send(["look", "leave"])
        model.released = [1]
        _, _, terminations, *_ = envs.recv()
        assert terminations.tolist() == [True]
        _, infos = envs.reset(options={"reset_mask": np.array([False, True])})
        assert infos["_task_id"].tolist() == [False, True]
        envs.send(["look"], [1])
        model.released = [0, 2]
        assert envs.recv(2)[-1]["env_id"].tolist() == [0, 1]

    def test_a_timeout_returns_what_there_is(self, make_vec: MakeVec):
        model = PatientModel()
        envs = make_vec(2, model, memo=False)
        envs.reset(seed=0)
        envs.send(["look", "fly"])
        *_, infos = envs.recv(2, timeout=0.01)
        assert infos["env_id"].tolist() == [1]
        observations, rewards, *_, infos = envs.recv(timeout=0.0)
        assert (observations, rewards.shape, infos["env_id"].tolist()) == ((), (0,), [])
        model.released = [0]
        assert envs.recv(timeout=0.0)[-1]["env_id"].tolist() == [0]

    def test_a_world_model_that_answers_batches_is_asked_once_for_all_that_wait(self, make_vec: MakeVec):
        model = house_model()
        envs = make_vec(4, model, memo=False)
        envs.reset(seed=0)
        envs.send(["look"] * 3, [0, 1, 2])
        envs.send(["look"], [3])
        assert model.batches == []
        envs.recv()
        assert [len(batch) for batch in model.batches] == [4]

    def test_a_failing_model_truncates_its_lanes_without_reward(self, make_vec: MakeVec):
        envs = make_vec(2, failing_model())
        envs.reset(seed=0)
        envs.send(["look", "fly"])
        _, rewards, terminations, truncations, infos = envs.recv(2)
        assert (rewards.tolist(), terminations.tolist()) == ([0, 0], [False, False])
        assert truncations.tolist() == [True, False] and infos["failure"][0]


class TestMistakes:
    """Each is an error that says what to do, and changes nothing."""

    def test_receiving_what_was_never_sent(self, make_vec: MakeVec):
        envs = make_vec()
        envs.reset(seed=0)
        with pytest.raises(NoAsyncCallError, match="send"):
            envs.recv()

    def test_a_lane_that_is_under_way(self, make_vec: MakeVec):
        envs = make_vec(3, PatientModel())
        envs.reset(seed=0)
        envs.send(["look"], [1])
        calls = (
            lambda: envs.send(["look"], [1]),
            lambda: envs.send(["look"] * 3),
            lambda: envs.step(["look"] * 3),
            envs.reset,
            lambda: envs.reset(options={"reset_mask": np.array([True, True, False])}),
        )
        for call in calls:
            with pytest.raises(AlreadyPendingCallError, match=r"\[1\] are under way"):
                call()
        envs.send(["look"], [0])

    @pytest.mark.parametrize(
        "wrong", [{"min_envs": 0}, {"min_envs": -1}, {"min_envs": 2.5}, {"timeout": -1}, {"timeout": float("nan")}]
    )
    def test_waiting_for_nobody_or_into_the_past(self, make_vec: MakeVec, wrong: dict[str, Any]):
        envs = make_vec()
        envs.reset(seed=0)
        envs.send(["look"] * 3)
        with pytest.raises(ValueError, match="of at least"):
            envs.recv(**wrong)
        assert len(envs.recv(3)[0]) == 3

    @pytest.mark.parametrize(
        ("actions", "env_ids"),
        [(["look"], [3]), (["look"], [-1]), (["look"] * 2, [1, 1]), (["look"], [0, 1]), ("xy", [0, 1])],
    )
    def test_numbers_that_name_no_lanes(self, make_vec: MakeVec, actions: Any, env_ids: list[int]):
        envs = make_vec(3)
        envs.reset(seed=0)
        with pytest.raises(ValueError, match=r"env_ids must be|one for each"):
            envs.send(actions, env_ids)

    def test_before_reset_after_the_end_and_after_closing(self, make_vec: MakeVec):
        envs = make_vec(2, autoreset_mode="Disabled")
        with pytest.raises(ResetNeeded):
            envs.send(["look", "look"])
        envs.reset(seed=0)
        envs.send(["leave"], [1])
        envs.recv()
        with pytest.raises(ResetNeeded, match=r"lanes \[1\] have ended"):
            envs.send(["look", "look"])
        envs.send(["look"], [0])
        envs.close()
        for call in (lambda: envs.send(["look"], [0]), envs.recv):
            with pytest.raises(ClosedEnvironmentError):
                call()

    def test_an_action_that_is_no_text(self, make_vec: MakeVec):
        envs = make_vec(2)
        envs.reset(seed=0)
        with pytest.raises(InvalidActionError):
            envs.send(["look", 3])
        with pytest.raises(NoAsyncCallError):
            envs.recv()

    def test_an_engine_that_vanishes_leaves_its_lanes_as_they_were(self, make_vec: MakeVec):
        """What had come before is not lost, and the same actions may be sent again."""
        model = PatientModel()
        envs = make_vec(3, model, memo=False)
        observed, _ = envs.reset(seed=0)
        envs.send(["look", "go kitchen", "fly"])
        model.error = WorldModelError("The server stays away.")
        with pytest.raises(WorldModelError, match="stays away"):
            envs.recv(3)
        observations, *_, infos = envs.recv(3)
        assert (observations, infos["env_id"].tolist()) == ((NOTHING,), [2])
        model.error = None
        envs.send(["look", "go kitchen"], [0, 1])
        model.released = list(model.waiting)[-2:]
        observations, *_, infos = envs.recv(2)
        assert observations[0] == observed[0] and observations[1].startswith("Room: kitchen")
        assert infos["env_id"].tolist() == [0, 1]

    def test_a_server_that_dies_is_an_error_and_its_successor_goes_on(self):
        domain = ToyHouse()
        text = '{"reasoning": "So.", "next_state": "Room: hall", "reward": 0, "terminated": false}'
        refuses = True

        def answer(call: Call) -> Reply:
            return Reply(b"", status=401) if refuses else completion_reply(call, text)

        with LoopbackServer(answer) as server:
            model = world_model_from_string(f"openai:m@{server.url}", domain)
            envs = TextVectorEnv(domain, simulator(model, domain), 2)
            envs.reset(seed=0)
            envs.send(["look", "look"])
            with pytest.raises(WorldModelError, match="401"):
                envs.recv(2)
            refuses = False
            envs.send(["look", "look"])
            assert envs.recv(2)[-1]["failure"].tolist() == ["", ""]
            envs.close()

    def test_an_episode_that_cannot_begin_loses_no_step(self, make_vec: MakeVec, monkeypatch: pytest.MonkeyPatch):
        envs = make_vec(2, autoreset_mode="SameStep")
        envs.reset(seed=0)
        envs.send(["leave", "look"])
        with monkeypatch.context() as patch:
            patch.setattr(envs.backend, "begin", lambda tasks, seeds: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                envs.recv(2)
        _, _, terminations, _, infos = envs.recv(2)
        assert terminations.tolist() == [True, False] and infos["env_id"].tolist() == [0, 1]

    def test_closing_from_another_thread_ends_the_wait(self):
        domain = ToyHouse()
        with LoopbackServer(lambda call: Reply(b"", delay=60.0)) as server, ThreadPoolExecutor(1) as pool:
            envs = TextVectorEnv(
                domain, simulator(world_model_from_string(f"openai:m@{server.url}", domain), domain), 2
            )
            envs.reset(seed=0)
            envs.send(["look", "look"])
            waiting = pool.submit(envs.recv)
            while not server.calls:
                time.sleep(0.01)
            envs.close()
            with pytest.raises(WorldModelError, match="closed"):
                waiting.result()

    def test_closing_forgets_what_is_under_way(self, make_vec: MakeVec):
        model = PatientModel()
        envs = make_vec(2, model)
        envs.reset(seed=0)
        envs.send(["look", "look"])
        envs.close()
        envs.close()
        assert model.closed >= 1


def test_arrays_have_the_types_that_step_gives(make_vec: MakeVec):
    envs = make_vec(2)
    envs.reset(seed=0)
    envs.send(["look", "look"])
    sent = envs.recv(2)
    stepped = envs.step(["look", "look"])
    assert [type(part) for part in sent] == [type(part) for part in stepped]
    assert [part.dtype for part in sent[1:4]] == [part.dtype for part in stepped[1:4]]
    assert set(sent[4]) - set(stepped[4]) == {"env_id"}
    assert sent[4]["env_id"].dtype == np.int64
